// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/core/clock.hpp>

namespace gamut::communicator::detail {

/// Letters between threads of one process. Whoever posts also delivers, unless somebody delivers there already; letters
/// that a receiver posts are delivered after it returned, so receivers never nest and no lock is held across two ranks.
class post_office {
public:
    explicit post_office(int ranks) : boxes_(static_cast<std::size_t>(ranks)) {}

    void attach(int rank, any_receiver receiver) {
        const std::lock_guard lock(at(rank).state);
        at(rank).receiver = receiver;
    }

    void post(int from, int to, std::vector<std::uint8_t> bytes) {
        {
            const std::lock_guard lock(at(to).queueing);
            at(to).queue.push_back({from, std::move(bytes)});
        }
        {
            const std::lock_guard lock(at(from).queueing);
            ++at(from).posted;
        }
        errands*& mine = under_way();
        if (mine != nullptr) {
            mine->push_back({this, to});
            return;
        }
        const round begun;
        deliver(to);
        while (!begun.list.empty()) {
            const auto [office, rank] = mine->back();
            mine->pop_back();
            office->deliver(rank);
        }
    }

    /// Until done(); hopeless(seconds) is asked now and then, and throws when there is no point in waiting.
    template <class Done, class Hopeless> void wait(int rank, Done done, Hopeless hopeless) {
        const core::clock clock;
        std::unique_lock lock(at(rank).state);
        for (rethrow(rank); !done(); rethrow(rank)) {
            at(rank).changed.wait_for(lock, std::chrono::milliseconds(50));
            lock.unlock();
            hopeless(clock.seconds());
            lock.lock();
        }
    }

    template <class F> auto look(int rank, F f) {
        const std::lock_guard lock(at(rank).state);
        rethrow(rank);
        return f();
    }

    std::int64_t posted(int rank) {
        const std::lock_guard lock(at(rank).queueing);
        return at(rank).posted;
    }
    std::int64_t taken(int rank) {
        const std::lock_guard lock(at(rank).state);
        return at(rank).taken;
    }

private:
    struct letter {
        int from = 0;
        std::vector<std::uint8_t> bytes{};
    };
    struct box {
        std::mutex queueing, state;  // of queue, delivering, posted; of the rest
        std::deque<letter> queue;
        bool delivering = false;
        std::int64_t posted = 0, taken = 0;
        std::condition_variable changed;
        any_receiver receiver;
        std::exception_ptr failure;
    };
    struct errand {
        post_office* office = nullptr;
        int rank = 0;
    };
    using errands = std::vector<errand>;

    static errands*& under_way() {
        thread_local errands* mine = nullptr;
        return mine;
    }
    struct round {  // of this thread: the letters that receivers post meanwhile are its errands
        round() { under_way() = &list; }
        ~round() { under_way() = nullptr; }
        round(const round&) = delete;
        round& operator=(const round&) = delete;
        errands list{};
    };

    box& at(int rank) { return boxes_[static_cast<std::size_t>(rank)]; }

    void rethrow(int rank) {
        if (at(rank).failure) std::rethrow_exception(at(rank).failure);
    }

    void deliver(int rank) {
        box& to = at(rank);
        for (;;) {
            letter next;
            {
                const std::lock_guard lock(to.queueing);
                if (to.queue.empty() || to.delivering) return;
                to.delivering = true;
                next = std::move(to.queue.front());
                to.queue.pop_front();
            }
            {
                const std::lock_guard lock(to.state);
                try {
                    to.receiver(next.from, next.bytes);
                } catch (...) {
                    if (!to.failure) to.failure = std::current_exception();
                }
                ++to.taken;
            }
            to.changed.notify_all();
            const std::lock_guard lock(to.queueing);
            to.delivering = false;
        }
    }

    std::vector<box> boxes_;
};

}  // namespace gamut::communicator::detail
