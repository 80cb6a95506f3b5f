// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <utility>
#include <vector>

#include <gamut/communicator/detail/contribution.hpp>
#include <gamut/communicator/detail/failure.hpp>
#include <gamut/core/error.hpp>

namespace gamut::communicator::detail {

/// Where N threads meet, and where they leave parcels for each other. The first error that a rank posts is thrown from
/// every wait of every rank, those that begin later included. A rank that returns releases those who wait for it.
class meeting {
public:
    using bytes = std::vector<std::uint8_t>;

    meeting(int ranks, double deadline)
        : contributions(static_cast<std::size_t>(ranks)),
          deadline_(deadline),
          members_(contributions.size()),
          failures_(ranks) {}

    /// Waits for all ranks.
    void arrive(int rank) {
        std::unique_lock lock(mutex_);
        if (failing_ > 0) post_failing(lock);
        if (failures_.posted()) refuse(rank);
        const std::uint64_t here = generation_;
        if (left_ < 0 && ++arrived_ == contributions.size()) {
            arrived_ = 0;
            ++generation_;
            lock.unlock();
            changed_.notify_all();
            return;
        }
        const char* const what = contributions[static_cast<std::size_t>(rank)].operation;
        wait(lock, changed_, rank, what, [&] { return generation_ != here || left_ >= 0; });
        if (generation_ != here) return;
        fail_for_lack_of(rank, what, left_);
    }

    /// Leaves bytes for a rank; waits for nobody.
    void put(int from, int to, bytes parcel) {
        {
            const std::lock_guard lock(mutex_);
            if (failures_.posted()) refuse(from);
            auto& box = at(to).parcels;
            if (box.empty()) box.resize(contributions.size());
            box[static_cast<std::size_t>(from)].push_back(std::move(parcel));
        }
        at(to).called.notify_one();
    }

    /// Waits for the next bytes that `from` has left, or will leave, for `rank`.
    bytes take(int from, int rank) {
        std::unique_lock lock(mutex_);
        if (failures_.posted()) refuse(rank);
        auto& box = at(rank).parcels;
        if (box.empty()) box.resize(contributions.size());
        auto& queue = box[static_cast<std::size_t>(from)];
        if (queue.empty() && failing_ > 0) post_failing(lock);
        at(rank).taking_from = from;
        wait(lock, at(rank).called, rank, "exchange", [&] { return !queue.empty() || at(from).gone; });
        at(rank).taking_from = -1;
        if (queue.empty()) fail_for_lack_of(rank, "exchange", from);
        bytes first = std::move(queue.front());
        queue.pop_front();
        return first;
    }

    /// Throws what was posted, if something was.
    void check(int rank) {
        const std::lock_guard lock(mutex_);
        if (failures_.posted()) refuse(rank);
    }

    /// The same for a rank that has waited elsewhere for `seconds`, or for too long.
    void check_patience(int rank, const char* what, double seconds) {
        std::unique_lock lock(mutex_);
        if (failing_ > 0) post_failing(lock);
        if (failures_.posted()) refuse(rank);
        if (seconds > deadline_) give_up(rank, what);
    }

    /// Posts an error, unless there is one already, and throws the one that is posted.
    [[noreturn]] void fail(int rank, const std::exception_ptr& mine) {
        post(rank, mine);
        std::rethrow_exception(failures_.posted());
    }

    /// Throws `mine` when all ranks come here with the same words; otherwise posts the first that came.
    [[noreturn]] void fail_together(int rank, const std::exception_ptr& mine) {
        std::unique_lock lock(mutex_);
        if (!failures_.posted()) {
            const std::uint64_t here = generation_;
            if (failing_ == 0) first_failing_ = rank, first_failure_ = mine;
            const bool same = failing_ == 0 || same_words(first_failure_, mine);
            ++failing_;
            if (!same || somebody_waits()) {
                post_failing(lock);
            } else if (failing_ == contributions.size()) {
                failing_ = 0;
                ++generation_;
                changed_.notify_all();
                std::rethrow_exception(mine);
            } else {
                wait(lock, changed_, rank, "failing together", [&] { return generation_ != here || left_ >= 0; });
                if (generation_ != here) std::rethrow_exception(mine);
                if (!failures_.posted()) post_failing(lock);
            }
        }
        std::rethrow_exception(failures_.posted());
    }

    void leave(int rank, const std::exception_ptr& mine) {
        if (mine) post(rank, mine);
        {
            const std::lock_guard lock(mutex_);
            at(rank).gone = true;
            if (left_ < 0) left_ = rank;
        }
        notify();
    }

    /// This rank only failed because another one had failed or left.
    bool is_outcast(int rank) const { return members_[static_cast<std::size_t>(rank)].outcast; }

    std::vector<contribution> contributions;  // one per rank, written by it, read by all between two arrivals

private:
    struct member {
        std::condition_variable called;
        std::vector<std::deque<bytes>> parcels;  // by sender
        int taking_from = -1;                    // the sender that it waits for
        bool outcast = false, gone = false;
    };

    member& at(int rank) { return members_[static_cast<std::size_t>(rank)]; }

    void post(int rank, const std::exception_ptr& mine) {
        {
            const std::lock_guard lock(mutex_);
            failures_.post(rank, mine);
        }
        notify();
    }

    /// Somebody waits whom those that fail will never meet.
    void post_failing(std::unique_lock<std::mutex>& lock) {
        failures_.post(first_failing_, first_failure_);
        lock.unlock();
        notify();
        lock.lock();
    }

    void notify() {
        changed_.notify_all();
        for (auto& one : members_) one.called.notify_all();
    }

    [[noreturn]] void refuse(int rank) {
        at(rank).outcast = true;
        std::rethrow_exception(failures_.posted());
    }

    [[noreturn]] void fail_for_lack_of(int rank, const char* what, int missing) {
        if (failures_.posted()) refuse(rank);
        at(rank).outcast = true;
        throw core::communicator_error(
            core::text("rank ", rank, ": ", what, " cannot be completed (rank ", missing, " has left)"));
    }

    [[noreturn]] void give_up(int rank, const char* what) {
        throw core::communicator_error(core::text("rank ", rank, ": ", what, " has not ended after ", deadline_,
                                                  " s (another rank never came) call the same collectives on all "
                                                  "ranks, or give run a longer deadline"));
    }

    template <class Done>
    void wait(std::unique_lock<std::mutex>& lock, std::condition_variable& signal, int rank, const char* what,
              Done done) {
        const auto over = [&] { return done() || failures_.posted(); };
        if (!signal.wait_for(lock, std::chrono::duration<double>(deadline_), over)) give_up(rank, what);
        if (!done()) refuse(rank);
    }

    /// Somebody is in a call that those who fail will not join.
    bool somebody_waits() const {
        return arrived_ > 0 || left_ >= 0 || std::any_of(members_.begin(), members_.end(), [](const member& one) {
                   return one.taking_from >= 0 && one.parcels[static_cast<std::size_t>(one.taking_from)].empty();
               });
    }

    double deadline_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t generation_ = 0;
    std::size_t arrived_ = 0, failing_ = 0;
    int first_failing_ = 0;  // of those that fail, the first that came
    std::exception_ptr first_failure_;
    int left_ = -1;  // the first rank that left
    std::vector<member> members_;
    failures failures_;
};

}  // namespace gamut::communicator::detail
