// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <gamut/consistency/concept.hpp>

namespace gamut::consistency {

/// All see the same: clock c begins, for whoever reads, when everybody's clock c - 1 has been added up.
/// The slowest worker of every clock sets the pace.     Valiant, A bridging model for parallel computation, CACM 33 (1990).
struct bulk_synchronous {
    static constexpr bool needs_letters = false, needs_clock = true, needs_server = false;

    std::uint64_t oldest(std::uint64_t clock) const { return clock; }
    std::size_t quorum(std::size_t workers) const { return workers; }
    bool pushed() const { return false; }
    void validate(std::size_t) const {}
};

static_assert(Consistency<bulk_synchronous>);

}  // namespace gamut::consistency
