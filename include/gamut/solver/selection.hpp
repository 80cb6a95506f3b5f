// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/core/random.hpp>
#include <gamut/core/sum_tree.hpp>
#include <gamut/fwd.hpp>

/// Which coordinates move together in a round of solver::parallel_coordinate.
///     together                       at most so many
///     draw(last, numbers, columns)   who may: distinct columns. last: how far each would move, or moved when it last did;
///                                    numbers: a stream of draws for this round. `last` comes back as it was.
///     correlation                    if there is one: nobody moves with somebody whose |correlation| with it is not below that
/// Any such struct is one.
namespace gamut::solver::selection {

/// `count` different columns, all sets of them equally likely, appended to `columns`. Uses draws 0 ... count - 1.   Floyd 1987.
inline void draw_uniformly(std::size_t of, std::size_t count, const core::random& numbers,
                           std::vector<std::size_t>& columns) {
    const std::size_t before = columns.size();
    for (std::size_t i = of - std::min(count, of); i < of; ++i) {
        const auto j = static_cast<std::size_t>(numbers.below(i + count - of, i + 1));
        const auto drawn = columns.begin() + static_cast<std::ptrdiff_t>(before);
        columns.push_back(std::find(drawn, columns.end(), j) == columns.end() ? j : i);
    }
}

/// `together` columns, each as likely as any other: Shotgun. Correlated columns that move together overshoot; it diverges when there
/// are more of them than about p over the largest eigenvalue of the columns' correlations.
/// Bradley, Kyrola, Bickson and Guestrin, Parallel coordinate descent for L1-regularized loss minimization, ICML 2011.
struct random {
    std::size_t together = 32;

    void validate() const {
        if (together == 0) throw core::option_error("selection::random: together is 0 (somebody must move) try 32");
    }
    void draw(core::sum_tree& last, const core::random& numbers, std::vector<std::size_t>& columns) const {
        draw_uniformly(last.size(), std::min(together, last.size()), numbers, columns);
    }
};

/// Candidates are drawn with probabilities proportional to their last change, a share `explore` of them uniformly (the paper's
/// + eta, without a scale of its own). Of those that would move, those that would move furthest come first, and who correlates with
/// somebody chosen before is dropped. Those that are chosen go a common share of their ways, mostly all of it: the best that
/// is safe, which their correlations say, so the objective never rises.
/// Lee, Kim, Zheng, Ho, Gibson and Xing, On model parallelization and scheduling strategies for distributed machine learning,
/// NIPS 2014 (STRADS).
struct scheduled {
    std::size_t together = 32;
    std::size_t candidates = 0;  ///< 0: twice as many as may move together
    double correlation =
        0.1;  ///< |x~_j'Omega x~_k| / (|x~_j| |x~_k|) from which two must not move together; above 1: they may
    double explore = 0.1;  ///< share of the candidates that is drawn uniformly

    void validate() const {
        if (together == 0) throw core::option_error("selection::scheduled: together is 0 (somebody must move) try 32");
        if (candidates != 0 && candidates < together)
            throw core::option_error(core::text("selection::scheduled: candidates is ", candidates, " (", together,
                                                " are to move together) try 0, for twice as many"));
        if (!(correlation > 0))
            throw core::option_error(
                core::text("selection::scheduled: correlation is ", correlation, " (it must be above 0) try 0.1"));
        if (!(explore > 0 && explore <= 1))
            throw core::option_error(
                core::text("selection::scheduled: explore is ", explore,
                           " (it must be above 0, at most 1, or some columns are never seen again) "
                           "try 0.1"));
    }
    void draw(core::sum_tree& last, const core::random& numbers, std::vector<std::size_t>& columns) const {
        const std::size_t wanted = std::min(candidates == 0 ? 2 * together : candidates, last.size());
        const std::size_t uniform =
            std::min(wanted, static_cast<std::size_t>(explore * static_cast<double>(wanted)) + 1);
        draw_uniformly(last.size(), uniform, numbers, columns);
        std::vector<double> kept;
        const std::size_t before = columns.size() - uniform;
        for (std::size_t k = before; k < columns.size(); ++k) {
            kept.push_back(last[columns[k]]);
            last.set(columns[k], 0);
        }
        for (std::size_t k = uniform; k < wanted && last.total() > 0; ++k) {
            const std::size_t j = last.find(numbers.uniform(k) * last.total());
            columns.push_back(j);
            kept.push_back(last[j]);
            last.set(j, 0);
        }
        for (std::size_t k = 0; k < kept.size(); ++k) last.set(columns[before + k], kept[k]);
    }
};

}  // namespace gamut::solver::selection

namespace gamut::solver {

template <class S>
concept Selection = requires(const S& s, core::sum_tree& last, const core::random& numbers,
                             std::vector<std::size_t>& columns) {
    { s.together } -> std::convertible_to<std::size_t>;
    s.validate();
    s.draw(last, numbers, columns);
};

/// A selection that keeps correlated columns apart.
template <class S>
concept KeepsApart = Selection<S> && requires(const S& s) {
    { s.correlation } -> std::convertible_to<double>;
};

static_assert(Selection<selection::random> && !KeepsApart<selection::random> && KeepsApart<selection::scheduled>);

}  // namespace gamut::solver
