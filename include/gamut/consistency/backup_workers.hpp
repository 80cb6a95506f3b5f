// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <gamut/consistency/concept.hpp>
#include <gamut/core/error.hpp>

namespace gamut::consistency {

/// The first `enough` workers' updates of a clock make it, and their mean counts; later ones are dropped, and counted.
/// A worker that comes too late goes on where the others are. Which updates come first depends on time: two runs need
/// not have the same bits.     Chen et al., Revisiting distributed synchronous SGD, 2016 (arXiv:1604.00981), section 3.
struct backup_workers {
    std::size_t enough = 1;

    static constexpr bool needs_letters = true, needs_clock = true, needs_server = true;

    std::uint64_t oldest(std::uint64_t clock) const { return clock; }
    std::size_t quorum(std::size_t) const { return enough; }
    bool pushed() const { return false; }
    void validate(std::size_t workers) const {
        if (enough < 1 || enough > workers)
            throw core::option_error(core::text("backup_workers: enough is ", enough, " (of ", workers,
                                                " workers at least one makes a clock, and not more than there are)"));
    }
};

static_assert(Consistency<backup_workers>);

}  // namespace gamut::consistency
