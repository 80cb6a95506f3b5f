// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include <gamut/autodiff/program.hpp>

namespace gamut::backend {

/// Steps begin <= s < end of a program; step `size` is the result.
struct step_range {
    std::size_t begin = 0, end = 0;

    constexpr bool has(std::size_t s) const { return s >= begin && s < end; }
};

}  // namespace gamut::backend

namespace gamut::backend::detail {

/// What follows from a program alone, found once by the compiler. Step `size` is the result.
template <std::size_t Size> struct program_plan {
    static constexpr std::size_t size = Size, never = Size + 1;

    std::array<autodiff::reads, Size + 1> reads{};
    std::array<bool, Size + 1> pulls{};                    // a step's reverse pass is needed
    std::array<autodiff::place_set, Size + 1> flowing{};   // slots that adjoints of a step go to
    std::array<autodiff::place_set, Size + 1> fresh{};     // those of them whose adjoints it is the first to write
    std::array<autodiff::place_set, Size + 1> complete{};  // blocks whose gradient is complete when it has been pulled
    std::array<std::size_t, Size + 1> last_use{};          // of a slot, by any step
    autodiff::place_set active{}, lines{}, unused{};       // slots, slots, blocks whose gradient is 0

    constexpr bool is_pulled(std::size_t slot) const { return pulls[slot]; }
    /// The slots that steps before s write and steps from s on read: what a pipeline that is cut there sends.
    constexpr autodiff::place_set live_at(std::size_t s) const {
        autodiff::place_set live;
        for (std::size_t i = 0; i < s && i < Size; ++i)
            if (last_use[i] >= s && last_use[i] <= Size) live.add(i);
        return live;
    }
    /// The slots that steps of a range write or read, or that cross it: what must be in memory where it is run.
    constexpr autodiff::place_set touched(step_range range) const {
        autodiff::place_set all;
        if (range.begin >= range.end) return all;
        all = live_at(range.begin) | live_at(range.end);
        for (std::size_t s = range.begin; s < range.end; ++s) {
            all = all | reads[s].slots();
            if (s < Size) all.add(s);
        }
        return all;
    }
    /// The blocks of parameters that they read.
    constexpr autodiff::place_set blocks_of(step_range range) const {
        autodiff::place_set all;
        for (std::size_t s = range.begin; s < range.end; ++s) all = all | reads[s].parameters;
        return all;
    }
};

template <class Result, class... Step> constexpr auto plan_of() {
    constexpr std::size_t n = sizeof...(Step);
    program_plan<n> p;
    p.reads = {autodiff::reads_of<Step>..., autodiff::reads_of<Result>};
    const std::array<bool, n + 1> active{Step::active..., Result::active};
    const std::array<bool, n + 1> line{(Step::form == autodiff::shape::row || Step::form == autodiff::shape::number)...,
                                       false};
    for (std::size_t s = 0; s < n; ++s) {
        if (active[s]) p.active.add(s);
        if (line[s]) p.lines.add(s);
    }
    p.last_use.fill(p.never);
    for (std::size_t s = 0; s <= n; ++s)
        for (std::size_t i = 0; i < s; ++i)
            if (p.reads[s].slots().has(i)) p.last_use[i] = s;

    // back from the result: only a total has a derivative, and only what reaches it is pulled
    p.pulls[n] = active[n] && Result::form == autodiff::shape::total;
    for (std::size_t s = n + 1; s-- > 0;) {
        if (!p.pulls[s]) continue;
        for (std::size_t i = 0; i < s; ++i)
            if (p.reads[s].slots().has(i) && p.active.has(i)) {
                if (!p.pulls[i] && !p.lines.has(i)) p.fresh[s].add(i);
                p.pulls[i] = true;
                if (!p.lines.has(i)) p.flowing[s].add(i);
            }
    }
    for (std::size_t b = 0; b < autodiff::place_set::most; ++b) {
        std::size_t first = p.never, any = p.never;
        for (std::size_t s = n + 1; s-- > 0;)
            if (p.reads[s].parameters.has(b)) {
                any = s;
                if (p.pulls[s]) first = s;
            }
        if (first <= n)
            p.complete[first].add(b);
        else if (any <= n)
            p.unused.add(b);
    }
    return p;
}

}  // namespace gamut::backend::detail
