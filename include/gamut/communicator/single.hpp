// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/detail/parcels.hpp>
#include <gamut/communicator/detail/post_office.hpp>
#include <gamut/communicator/detail/quiesce.hpp>
#include <gamut/core/error.hpp>
#include <gamut/fwd.hpp>

namespace gamut::communicator {

/// One rank, nobody to talk to: the default. Collectives cost nothing.
template <class Sums> struct single {
    using sums = Sums;

    int rank() const { return 0; }
    int size() const { return 1; }
    int local_size() const { return 1; }

    template <Element T> void all_reduce(std::span<T>, operation) const {}

    template <Element T> void broadcast(std::span<T>, int) const {}

    template <Element T> void gather(std::span<const T> mine, std::span<T> all) const {
        if (mine.size() != all.size())
            throw core::shape_error(core::text("gather: ", all.size(), " entries for the result (1 rank brings ",
                                               mine.size(), ") they must be equal"));
        std::copy(mine.begin(), mine.end(), all.begin());
    }

    void barrier() const {}

    template <Element T> void exchange(std::span<const parcel<const T>> out, std::span<const parcel<T>> in) const {
        detail::check_ranks(out, in, 1);
        if (out.size() != in.size())
            throw core::communicator_error(core::text("exchange: ", out.size(), " parcels to be sent (", in.size(),
                                                      " are expected) lists must match"));
        for (std::size_t k = 0; k < out.size(); ++k) {
            detail::check_length(0, 0, out[k].values.size(), in[k].values.size());
            std::copy(out[k].values.begin(), out[k].values.end(), in[k].values.begin());
        }
    }

    class mailbox {
    public:
        void post(int to, std::vector<std::uint8_t> bytes) const {
            detail::check_addressee(to, 1);
            office_->post(0, 0, std::move(bytes));
        }
        template <class Done> void wait(Done done) const {
            if (!office_->look(0, done))
                throw core::communicator_error("mailbox: waits for a letter (there is nobody else to post it)");
        }
        template <class F> auto look(F f) const { return office_->look(0, f); }
        void settle() const {}

    private:
        friend struct single;
        explicit mailbox(detail::any_receiver receiver) : office_(std::make_unique<detail::post_office>(1)) {
            office_->attach(0, receiver);
        }
        std::unique_ptr<detail::post_office> office_;
    };

    template <Receiver H> mailbox open(H& receiver) const { return mailbox(detail::any_receiver::of(receiver)); }
};

static_assert(PostalCommunicator<single<>> && Communicator<single<core::fast>>);
static_assert(!Communicator<int>);

}  // namespace gamut::communicator
