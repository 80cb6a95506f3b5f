// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <type_traits>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/core/observe.hpp>
#include <gamut/core/result.hpp>

namespace gamut::communicator {

/// What the observers of all ranks say to a record.
struct observed {
    bool stop = false;  ///< one asked to stop
    bool keep = false;  ///< one wants the state of the run
};

/// Fills in rank and ranks, appends the record to the history and shows it, with the run if there is one, to every observer on
/// every rank. The same answer on all ranks; when an observer threw on one, all ranks throw that error.
/// Collective: one all-reduce of 4 bytes, of 8 if an observer keeps states, none without observers.
template <Communicator C, core::Observer... O>
observed show(const C& c, core::record& now, std::vector<core::record>& history, const core::shown_run* run,
              O&... observers) {
    now.rank = c.rank();
    now.ranks = c.size();
    if constexpr (sizeof...(O) == 0) {
        history.push_back(now);
        return {};
    } else {
        if constexpr ((std::is_base_of_v<core::any_observer, O> && ...))
            if (!(observers || ...)) return show(c, now, history, run);  // nobody
        std::exception_ptr mine;
        std::int32_t lanes[2] = {0, 0};  // 0: go on, 1: stop, more: somebody failed; 1: keep
        try {
            history.push_back(now);
        } catch (...) {
            mine = std::current_exception();
        }
        try {
            now.run = run;
            const core::observers<O...> all(observers...);
            lanes[0] = all(now) ? 1 : 0;
            lanes[1] = run != nullptr && all.wants(now) ? 1 : 0;
        } catch (...) {
            if (!mine) mine = std::current_exception();
        }
        now.run = nullptr;
        if (mine) lanes[0] = 1 + detail::failure_lane(c, mine);
        const std::size_t used = (core::is_keeper(observers) || ...) ? 2 : 1;
        c.all_reduce(std::span<std::int32_t>(lanes, used), operation::maximum);
        if (lanes[0] > 1) detail::throw_together(c, lanes[0] - 1, mine);
        return {lanes[0] == 1, lanes[1] == 1};
    }
}

/// The same where there is no run to keep: true, on all ranks, when an observer on any rank asked to stop.
template <Communicator C, core::Observer... O>
bool observe(const C& c, core::record& now, std::vector<core::record>& history, O&... observers) {
    return show(c, now, history, nullptr, observers...).stop;
}

}  // namespace gamut::communicator
