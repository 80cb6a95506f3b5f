// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <gamut/consistency/concept.hpp>

namespace gamut::consistency {

/// Nobody reads what lacks more than the last `slack` clocks: a worker waits for those more than `slack` clocks behind it,
/// and for nobody else. slack 0 has the bits of bulk_synchronous. A worker that is always slow sets the pace as before;
/// delays that come and go are hidden.
/// `pushes`: a server sends what a clock changed to those who asked for it once, so that they seldom wait.
/// Ho et al., More effective distributed ML via a stale synchronous parallel parameter server, NIPS 2013 (SSP);
/// Dai et al., High-performance distributed ML at scale through parameter server consistency models, AAAI 2015 (ESSP).
struct bounded_staleness {
    std::uint64_t slack = 1;
    bool pushes = false;

    static constexpr bool needs_letters = true, needs_clock = true, needs_server = false;

    std::uint64_t oldest(std::uint64_t clock) const { return clock - std::min(clock, slack); }
    std::size_t quorum(std::size_t workers) const { return workers; }
    bool pushed() const { return pushes; }
    void validate(std::size_t) const {}
};

static_assert(Consistency<bounded_staleness>);

}  // namespace gamut::consistency
