// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <thread>

#include <gamut/core/clock.hpp>

namespace gamut::communicator::detail {

/// What a rank is waiting for: "all_reduce(sum)" of 1001 "int64". The strings are literals.
struct wait {
    const char* operation = "";
    const char* type = "";
    std::size_t count = 0;
};

/// A thread that calls `expired` once when the owner has stayed between enter and leave for longer than the deadline;
/// late by an eighth of it (at most a second). enter and leave are a few stores: nothing on a message's scale.
class watchdog {
public:
    using action = void (*)(const wait& what, double seconds);

    watchdog(double deadline, action expired)
        : deadline_(deadline),
          expired_(expired),
          thread_([this](std::stop_token stop) { watch(stop); }) {}

    void enter(const wait& what) {
        operation_.store(what.operation, std::memory_order_relaxed);
        type_.store(what.type, std::memory_order_relaxed);
        count_.store(what.count, std::memory_order_relaxed);
        sequence_.store(sequence_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }
    void leave() { sequence_.store(sequence_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

private:
    void watch(std::stop_token stop) {
        const std::chrono::duration<double> tick(deadline_ < 8 ? deadline_ / 8 : 1);
        std::unique_lock lock(mutex_);
        core::clock since;
        std::uint64_t seen = sequence_.load(std::memory_order_acquire);
        while (!stop.stop_requested()) {
            wake_.wait_for(lock, stop, tick, [] { return false; });
            if (const std::uint64_t now = sequence_.load(std::memory_order_acquire); now != seen) {
                seen = now;
                since = core::clock();
            } else if (seen % 2 == 1 && since.seconds() >= deadline_) {
                expired_({operation_.load(), type_.load(), count_.load()}, since.seconds());
                return;
            }
        }
    }

    double deadline_;
    action expired_;
    std::atomic<std::uint64_t> sequence_{0};  // odd: inside
    std::atomic<const char*> operation_{""}, type_{""};
    std::atomic<std::size_t> count_{0};
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::jthread thread_;  // last: starts when all else is there, is joined before anything goes
};

}  // namespace gamut::communicator::detail
