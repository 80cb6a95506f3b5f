// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <signal.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <mutex>

#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>

namespace gamut::core {

namespace detail {

struct watched_signal {
    std::atomic<bool> received{false};
    int users = 0;
    struct sigaction before {};
};
static_assert(std::atomic<bool>::is_always_lock_free, "a handler may touch nothing else");

inline std::array<watched_signal, 65> watched_signals;
inline std::mutex watched_signals_guard;

}  // namespace detail

/// Observer: stops at the next iteration after the process has got a signal, SIGTERM unless told, which then does not end it:
/// a batch system's warning, or kill. All ranks stop at the same iteration, and core::checkpoints saves it. While one such observer lives
/// the signal is caught; what it did before comes back with the last of them. Pass it by reference.
///     core::stop_on_signal warned(SIGUSR1);
///     classifier.fit(train, warned, core::checkpoints{.folder = "run"});
class stop_on_signal {
public:
    explicit stop_on_signal(int number = SIGTERM) : number_(number) {
        if (number < 1 || number >= most)
            throw option_error(text("stop_on_signal: number is ", number, " (there is no such signal) try SIGTERM"));
        const std::lock_guard lock(detail::watched_signals_guard);
        detail::watched_signal& w = mine();
        if (w.users == 0) {
            w.received.store(false);
            struct sigaction action {};
            action.sa_handler = &stop_on_signal::note;
            action.sa_flags = SA_RESTART;
            if (::sigaction(number, &action, &w.before) != 0)
                throw option_error(text("stop_on_signal: signal ", number, " cannot be caught (", std::strerror(errno),
                                        ") try SIGTERM"));
        }
        ++w.users;
    }
    stop_on_signal(const stop_on_signal&) = delete;
    stop_on_signal& operator=(const stop_on_signal&) = delete;
    ~stop_on_signal() {
        const std::lock_guard lock(detail::watched_signals_guard);
        detail::watched_signal& w = mine();
        if (--w.users == 0) ::sigaction(number_, &w.before, nullptr);
    }

    bool operator()(const record&) const { return received(); }
    /// Whether the signal has come since the first observer of it was made.
    bool received() const { return mine().received.load(); }

private:
    static constexpr int most = static_cast<int>(detail::watched_signals.size());

    detail::watched_signal& mine() const { return detail::watched_signals[static_cast<std::size_t>(number_)]; }
    static void note(int number) { detail::watched_signals[static_cast<std::size_t>(number)].received.store(true); }

    int number_;
};

}  // namespace gamut::core
