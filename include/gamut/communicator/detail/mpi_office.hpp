// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/detail/mpi_calls.hpp>
#include <gamut/communicator/detail/mpi_world.hpp>
#include <gamut/core/error.hpp>

namespace gamut::communicator::detail {

/// Letters over MPI, on a communicator of their own: non-blocking sends, matched probes, and a thread that takes letters
/// while the rank computes; it stands aside while the rank waits, and takes them itself.
class mpi_office {
public:
    mpi_office(MPI_Comm group, std::shared_ptr<mpi_failures> failures, any_receiver receiver)
        : receiver_(receiver),
          failures_(std::move(failures)) {
        {  // a rank that failed on its way here is heard in a meeting; MPI_Comm_dup would wait for it for ever
            waiting here(*failures_, {"mailbox", "openings", 1});
            here.meet(group);
        }
        checked(MPI_Comm_dup(group, &comm_), "MPI_Comm_dup");
        checked(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
        thread_ = std::jthread([this](std::stop_token stop) { serve(stop); });
    }
    mpi_office(const mpi_office&) = delete;
    mpi_office& operator=(const mpi_office&) = delete;

    ~mpi_office() {
        thread_.request_stop();
        thread_.join();
        // what others have taken, or will, leaves soon; who failed alone does not make this rank wait
        const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
        while (!failures_->closed()) {
            forget_the_sent();
            if (sent_.empty() || std::chrono::steady_clock::now() > end) break;
            std::this_thread::yield();
        }
        if (sent_.empty()) {
            MPI_Comm_free(&comm_);
        } else {  // not settled: MPI may still read them
            keep_for_mpi(std::make_unique<std::list<letter>>(std::move(sent_)));
        }
    }

    void post(int to, std::vector<std::uint8_t> bytes) {
        if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
            throw core::communicator_error(
                core::text("mailbox: a letter of ", bytes.size(), " bytes (MPI counts with 31 bits) send several"));
        failures_->check();
        const std::lock_guard lock(sends_);
        forget_the_sent();
        letter& last = sent_.emplace_back(letter{std::move(bytes), MPI_REQUEST_NULL});
        checked(
            MPI_Isend(last.bytes.data(), static_cast<int>(last.bytes.size()), MPI_BYTE, to, 0, comm_, &last.request),
            "MPI_Isend");
        ++posted_;
    }

    template <class Done> void wait(Done done) {
        waiting guard(*failures_, {"mailbox", "letters", 1});
        const absence thread(waiting_);
        while (!look(done))
            if (!take()) guard.pause();
    }

    template <class F> auto look(F f) {
        failures_->check();
        const std::lock_guard lock(state_);
        if (failure_) std::rethrow_exception(failure_);
        return f();
    }

    void counts(std::int64_t& posted, std::int64_t& taken) {
        while (take()) {}
        {
            const std::lock_guard lock(state_);
            taken = taken_;
        }
        const std::lock_guard lock(sends_);
        posted = posted_;
    }

private:
    struct letter {
        std::vector<std::uint8_t> bytes;
        MPI_Request request;
    };
    struct absence {
        explicit absence(std::atomic<int>& count) : count_(count) { ++count_; }
        ~absence() { --count_; }
        absence(const absence&) = delete;
        absence& operator=(const absence&) = delete;
        std::atomic<int>& count_;
    };

    void serve(const std::stop_token& stop) {
        using std::chrono::microseconds;
        constexpr microseconds shortest(5), longest(200);
        for (microseconds pause = shortest; !stop.stop_requested();) {
            if (waiting_ == 0 && !failures_->closed() && take()) {
                pause = shortest;
            } else {
                std::this_thread::sleep_for(pause);
                pause = std::min(2 * pause, longest);
            }
        }
    }

    void forget_the_sent() {
        std::erase_if(sent_, [](letter& one) {
            int done = 0;
            MPI_Test(&one.request, &done, MPI_STATUS_IGNORE);
            return done != 0;
        });
    }

    /// One letter, if there is one.
    bool take() noexcept {
        const std::lock_guard lock(state_);
        try {
            int found = 0;
            MPI_Message message = MPI_MESSAGE_NULL;
            MPI_Status status{};
            checked(MPI_Improbe(MPI_ANY_SOURCE, 0, comm_, &found, &message, &status), "MPI_Improbe");
            if (found == 0) return false;
            int count = 0;
            checked(MPI_Get_count(&status, MPI_BYTE, &count), "MPI_Get_count");
            bytes_.resize(static_cast<std::size_t>(count));
            checked(MPI_Mrecv(bytes_.data(), count, MPI_BYTE, &message, MPI_STATUS_IGNORE), "MPI_Mrecv");
            ++taken_;
            receiver_(status.MPI_SOURCE, bytes_);
        } catch (...) {
            if (!failure_) failure_ = std::current_exception();
        }
        return true;
    }

    any_receiver receiver_;
    std::shared_ptr<mpi_failures> failures_;
    MPI_Comm comm_ = MPI_COMM_NULL;
    std::mutex sends_, state_;  // of sent_, posted_; of the rest
    std::list<letter> sent_;
    std::int64_t posted_ = 0, taken_ = 0;
    std::vector<std::uint8_t> bytes_;
    std::exception_ptr failure_;
    std::atomic<int> waiting_{0};
    std::jthread thread_;
};

}  // namespace gamut::communicator::detail
