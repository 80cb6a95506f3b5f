// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstdint>
#include <exception>
#include <span>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/core/observe.hpp>
#include <gamut/core/result.hpp>

namespace gamut::communicator {

/// Fills in rank and ranks, appends the record to the history and shows it to every observer on every rank.
/// True, on all ranks, when an observer on any rank asked to stop; when one threw, all ranks throw that error.
/// Collective: one all-reduce of 4 bytes, none without observers.
template <Communicator C, core::Observer... O>
bool observe(const C& c, core::record& now, std::vector<core::record>& history, O&... observers) {
    now.rank = c.rank();
    now.ranks = c.size();
    if constexpr (sizeof...(O) == 0) {
        history.push_back(now);
        return false;
    } else {
        if constexpr ((std::same_as<core::any_observer, O> && ...))
            if (!(observers || ...)) return observe(c, now, history);  // nobody
        bool stop = false;
        std::exception_ptr mine;
        try {
            history.push_back(now);
            ((stop = core::notify(observers, now) || stop), ...);
        } catch (...) {
            mine = std::current_exception();
        }
        // 0: go on, 1: stop, more: somebody failed
        std::int32_t lane = mine ? 1 + detail::failure_lane(c, mine) : stop ? 1 : 0;
        c.all_reduce(std::span<std::int32_t>(&lane, 1), operation::maximum);
        if (lane > 1) detail::throw_together(c, lane - 1, mine);
        return lane == 1;
    }
}

}  // namespace gamut::communicator
