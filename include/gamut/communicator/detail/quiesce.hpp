// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <span>

#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>

namespace gamut::communicator::detail {

/// Waits, with all ranks, until as many letters were taken as posted, twice in a row: one equal count may have missed a
/// letter that was posted behind its back (Mattern, Algorithms for distributed termination detection, 1987).
/// count(posted, taken): of this rank.
template <Communicator C, class Count> void quiesce(const C& c, Count count) {
    for (std::int64_t before = -1;;) {
        std::int64_t totals[2] = {0, 0};
        count(totals[0], totals[1]);
        c.all_reduce(std::span<std::int64_t>(totals), operation::sum);
        if (totals[0] == totals[1] && totals[0] == before) return;
        before = totals[0] == totals[1] ? totals[0] : -1;
    }
}

inline void check_addressee(int to, int size) {
    if (to < 0 || to >= size)
        throw core::communicator_error(core::text("mailbox: a letter for rank ", to, " (ranks are 0..", size - 1, ")"));
}

}  // namespace gamut::communicator::detail
