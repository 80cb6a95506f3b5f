// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include <gamut/autodiff/program.hpp>
#include <gamut/backend/program_run.hpp>
#include <gamut/core/error.hpp>

namespace gamut::solver::detail {

/// Whether a step reads the data themselves; what is elementwise reads a copy, which is a step.
template <class Step> inline constexpr bool reads_data = false;
template <class Op, std::size_t G>
inline constexpr bool reads_data<autodiff::structure_step<Op, autodiff::inputs, G>> = true;
template <class Op, std::size_t G>
inline constexpr bool reads_data<autodiff::drawn_move_step<Op, autodiff::inputs, G>> = true;
template <std::size_t B, autodiff::shape F, bool Transposed>
inline constexpr bool reads_data<autodiff::product_step<autodiff::inputs, B, F, Transposed>> = true;
template <std::size_t B, std::size_t G>
inline constexpr bool reads_data<autodiff::convolution_step<autodiff::inputs, B, G>> = true;
template <std::size_t B> inline constexpr bool reads_data<autodiff::lookup_step<autodiff::inputs, B>> = true;
template <std::size_t G> inline constexpr bool reads_data<autodiff::mask_step<autodiff::inputs, G>> = true;
template <class B> inline constexpr bool reads_data<autodiff::concatenation_step<autodiff::inputs, B>> = true;
template <class A> inline constexpr bool reads_data<autodiff::concatenation_step<A, autodiff::inputs>> = true;
template <> inline constexpr bool reads_data<autodiff::concatenation_step<autodiff::inputs, autodiff::inputs>> = true;

/// What the cuts of a program follow from; Run: its program_run.
template <class Run> struct pipeline_steps;
template <class T, class Result, class... Step> struct pipeline_steps<backend::program_run<T, Result, Step...>> {
    static constexpr std::size_t size = sizeof...(Step);
    static constexpr const auto& plan = backend::program_run<T, Result, Step...>::plan;
    static constexpr std::array<bool, size + 1> data{reads_data<Step>..., false};
    static constexpr std::array<autodiff::place_set, size + 1> multiplies{autodiff::detail::block_of_step<Step>...,
                                                                          autodiff::place_set{}};

    /// The blocks of parameters that the steps of a range read.
    static autodiff::place_set blocks_of(backend::step_range range) { return plan.blocks_of(range); }
    /// The places where a stage may begin: a block of parameters has one stage, and what crosses is a table of rows, no mean over them.
    static std::vector<std::size_t> places() {
        std::vector<std::size_t> found;
        for (std::size_t s = 1; s <= size; ++s) {
            const auto before = blocks_of({0, s}), after = blocks_of({s, size + 1}), live = plan.live_at(s);
            bool fits = true;
            for (std::size_t b = 0; b < autodiff::place_set::most; ++b) fits = fits && !(before.has(b) && after.has(b));
            for (std::size_t i = 0; i < size; ++i) fits = fits && !(live.has(i) && plan.lines.has(i));
            if (fits) found.push_back(s);
        }
        return found;
    }
    /// About how many multiplications a row of the data costs each step, forward.
    static std::vector<double> costs(const backend::program_run<T, Result, Step...>& run) {
        std::vector<double> all(size + 1, 0.0);
        const auto numbers = [&](std::size_t i) {
            return static_cast<double>(run.slot(i).per_row * run.slot(i).columns);
        };
        for (std::size_t s = 0; s < size; ++s) {
            all[s] = plan.lines.has(s) ? 1 : numbers(s);
            for (std::size_t b = 0; b < run.blocks().size(); ++b)
                if (multiplies[s].has(b))
                    all[s] = std::max(all[s], static_cast<double>(run.slot(s).per_row * run.blocks()[b].size()));
        }
        for (std::size_t i = 0; i < size; ++i)
            if (plan.reads[size].slots().has(i)) all[size] += plan.lines.has(i) ? 1 : numbers(i);
        return all;
    }
};

/// Where stages 1, 2, ... begin so that the dearest of `stages` is as cheap as can be; the earliest places of those that are alike.
/// costs: of each step; places: ascending.
inline std::vector<std::size_t> balanced_cuts(const std::vector<double>& costs, const std::vector<std::size_t>& places,
                                              std::size_t stages) {
    std::vector<double> before{0};
    for (const double c : costs) before.push_back(before.back() + c);
    std::vector<std::size_t> ends = places;
    ends.push_back(costs.size());
    // best[k][j]: of the steps before ends[j] in k + 1 stages
    std::vector<std::vector<double>> best(stages,
                                          std::vector<double>(ends.size(), std::numeric_limits<double>::infinity()));
    std::vector<std::vector<std::size_t>> from(stages, std::vector<std::size_t>(ends.size()));
    for (std::size_t j = 0; j < ends.size(); ++j) best[0][j] = before[ends[j]];
    for (std::size_t k = 1; k < stages; ++k)
        for (std::size_t j = k; j < ends.size(); ++j)
            for (std::size_t i = k - 1; i < j; ++i) {
                const double dearest = std::max(best[k - 1][i], before[ends[j]] - before[ends[i]]);
                if (dearest < best[k][j]) best[k][j] = dearest, from[k][j] = i;
            }
    std::vector<std::size_t> cuts(stages - 1);
    std::size_t j = ends.size() - 1;
    for (std::size_t k = stages - 1; k > 0; --k) {
        j = from[k][j];
        cuts[k - 1] = ends[j];
    }
    return cuts;
}

/// Cuts that somebody gave. Throws option_error where no stage can begin.
inline void check_cuts(const std::vector<std::size_t>& cuts, const std::vector<std::size_t>& places) {
    for (std::size_t k = 0; k < cuts.size(); ++k) {
        if (std::binary_search(places.begin(), places.end(), cuts[k]) && (k == 0 || cuts[k - 1] < cuts[k])) continue;
        std::string list;
        for (const std::size_t s : places) list += (list.empty() ? "" : ", ") + std::to_string(s);
        throw core::option_error(core::text("pipeline: cuts[", k, "] is ", cuts[k],
                                            " (stages of this network can begin at the steps ", list,
                                            ", in this order) choose among them, or leave cuts empty"));
    }
}

}  // namespace gamut::solver::detail
