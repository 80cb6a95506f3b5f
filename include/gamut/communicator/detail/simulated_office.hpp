// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/detail/virtual_time.hpp>

namespace gamut::communicator::detail {

/// Letters between simulated ranks: each is an event at the time of its arrival.
template <class Crew> class simulated_office {
public:
    struct box {
        any_receiver receiver{};
        std::exception_ptr failure{};
        std::int64_t posted = 0, taken = 0;
    };

    explicit simulated_office(virtual_time<Crew>& time) : time_(time), boxes_(static_cast<std::size_t>(time.size())) {}

    box& at(int rank) { return boxes_[static_cast<std::size_t>(rank)]; }
    bool in_letter() const { return in_letter_; }

    /// self: this, kept alive by the letter.
    void post(const std::shared_ptr<simulated_office>& self, int from, int to, std::vector<std::uint8_t> bytes) {
        const double now = in_letter_ ? letter_time_ : time_.now(from);
        double when = time_.arrival(from, to, bytes.size(), now);
        time_.at_time(when, std::make_unique<letter>(self, from, to, std::move(bytes)));
        ++at(from).posted;
    }

private:
    struct letter final : virtual_time<Crew>::event {
        letter(std::shared_ptr<simulated_office> through, int sender, int addressee, std::vector<std::uint8_t> text)
            : office(std::move(through)),
              from(sender),
              to(addressee),
              bytes(std::move(text)) {}

        void happen(double now) override { office->take(*this, now); }

        std::shared_ptr<simulated_office> office;
        int from, to;
        std::vector<std::uint8_t> bytes;
    };

    void take(const letter& one, double now) {
        box& mine = at(one.to);
        in_letter_ = true;
        letter_time_ = now;
        try {
            mine.receiver(one.from, one.bytes);
        } catch (...) {
            if (!mine.failure) mine.failure = std::current_exception();
        }
        in_letter_ = false;
        ++mine.taken;
        time_.wake(one.to, now);
    }

    virtual_time<Crew>& time_;
    std::vector<box> boxes_;
    bool in_letter_ = false;
    double letter_time_ = 0;
};

}  // namespace gamut::communicator::detail
