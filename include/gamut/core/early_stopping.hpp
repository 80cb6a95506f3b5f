// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <type_traits>

#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>

namespace gamut::core {

/// How bad an iteration is: a number, smaller is better, NaN: not known. It is called on every rank, in the same order, and may
/// communicate; the number must be the same on all of them.
template <class S>
concept Score = requires(S& score, const record& now) {
    { score(now) } -> std::convertible_to<double>;
};

/// The score that needs nothing else: the objective.
struct objective_score {
    double operator()(const record& now) const { return now.objective; }
};

/// Observer: stops when the score has not become smaller by more than `least_gain` for `patience` scores in a row.
///     core::early_stopping{.patience = 5, .score = [&](const core::record& now) { return loss_on(others, now.weights()); }}
/// gamut::validation is this for an estimator and other rows. Prechelt, Early stopping, but when? 1998.
template <class S = objective_score> struct early_stopping {
    static_assert(Score<S>, "early_stopping: score must be callable with a const core::record& and return a number");

    std::size_t patience = 10;
    double least_gain = 0;
    std::size_t every = 1;  ///< iterations between scores
    S score{};

    double best = std::numeric_limits<double>::infinity();
    std::size_t best_iteration = 0, without_gain = 0;

    bool operator()(const record& now) {
        if (every == 0) throw option_error("early_stopping: every is 0 (some iterations must be scored) try 1");
        if (!(least_gain >= 0))
            throw option_error(text("early_stopping: least_gain is ", least_gain, " (it must be 0 or more) try 0"));
        if (now.iteration % every != 0) return false;
        const double found = score(now);
        if (std::isnan(found)) return false;
        const bool gained = found < best - least_gain;
        if (gained) {
            best = found;
            best_iteration = now.iteration;
        }
        without_gain = gained ? 0 : without_gain + 1;
        return without_gain >= patience;
    }
};

}  // namespace gamut::core
