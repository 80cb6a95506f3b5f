// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <utility>

#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/detail/failure.hpp>
#include <gamut/core/error.hpp>

namespace gamut::communicator {

namespace detail {

/// A rank's entry in a lane that is combined by maximum: 0 when all is well, so that the lowest failing rank wins.
template <Communicator C> std::int32_t failure_lane(const C& c, const std::exception_ptr& mine) {
    return mine ? c.size() - c.rank() : 0;
}

/// Throws, on every rank, the error of the rank that `lane` (a combined failure_lane, not 0) names; and the rank, unless all of them
/// say the same. Two broadcasts, of 16 bytes and of the message, and an all-reduce of 4 bytes.
template <Communicator C>
[[noreturn, gnu::cold]] void throw_together(const C& c, std::int32_t lane, const std::exception_ptr& mine) {
    const int failing = c.size() - lane;
    std::int64_t header[2] = {0, 0};  // kind, length of the message
    std::string message;
    if (c.rank() == failing) {
        message = core::message_of(mine);
        header[0] = static_cast<std::int64_t>(core::kind_of(mine));
        header[1] = static_cast<std::int64_t>(message.size());
    }
    c.broadcast(std::span<std::int64_t>(header), failing);
    message.resize(static_cast<std::size_t>(header[1]));
    c.broadcast(std::span<std::uint8_t>(reinterpret_cast<std::uint8_t*>(message.data()), message.size()), failing);
    const auto kind = static_cast<core::error_kind>(header[0]);
    std::int32_t differs = 1;
    if (mine && core::kind_of(mine) == kind && core::message_of(mine) == message) differs = 0;
    c.all_reduce(std::span<std::int32_t>(&differs, 1), operation::maximum);
    core::throw_error(kind, differs == 0 ? message : quoted(kind, failing, c.size(), message));
}

}  // namespace detail

/// All ranks go on, or all throw the same error: that of the lowest rank whose `mine` is not null, by its type in
/// core/error.hpp (a std::bad_alloc becomes core::out_of_memory, a foreign type core::error).
/// Collective: one all-reduce of 4 bytes; if somebody failed, two broadcasts and another of these.
template <Communicator C> [[gnu::noinline]] void agree(const C& c, std::exception_ptr mine) {
    std::int32_t lane = detail::failure_lane(c, mine);
    c.all_reduce(std::span<std::int32_t>(&lane, 1), operation::maximum);
    if (lane != 0) detail::throw_together(c, lane, mine);
}

/// Runs work that may fail on some ranks only; it must not communicate.
template <Communicator C, class F>
requires std::invocable<F>
void agree(const C& c, F&& local_work) {
    std::exception_ptr mine;
    try {
        std::forward<F>(local_work)();
    } catch (...) {
        mine = std::current_exception();
    }
    agree(c, mine);
}

}  // namespace gamut::communicator
