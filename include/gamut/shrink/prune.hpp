// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/observe.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/fitted_network.hpp>
#include <gamut/shrink/detail/training.hpp>
#include <gamut/shrink/magnitude.hpp>
#include <gamut/shrink/mask.hpp>
#include <gamut/shrink/sparsity.hpp>

namespace gamut::shrink {

/// How far a network is pruned, and in how many rounds. Each takes the same share of what is left, down to `keep` of all
/// weights that multiply: 20 % a round for {.keep = 0.134, .rounds = 9}. In one round: one-shot.
struct pruning {
    double keep = 0.5;
    std::size_t rounds = 1;
    shrink::scope scope = shrink::scope::global;

    void validate() const {
        detail::check_keep("prune", keep);
        if (rounds < 1) throw core::option_error("prune: rounds is 0 (one is needed) try 1");
    }
    /// The share that is alive after a round, where `before` is now.
    double keep_after(std::size_t round, double before) const {
        if (round == rounds || keep >= before) return keep;
        return before * std::pow(keep / before, static_cast<double>(round) / static_cast<double>(rounds));
    }
};

/// Takes the smallest weights, and trains the others again, round by round:
///     const auto small = shrink::prune(estimator, source, fit, {.keep = 0.13, .rounds = 9}, core::progress{});
///     shrink::sparsity_of(small).share();
/// `source` has the rows that `fit` was fitted to. What a fit has lost before (weights that are 0) stays lost. Each round runs the
/// estimator's solver from the weights at hand, so its rate and its epochs are those of the retraining; observers see every round.
/// The result is a fitted_network whose lost weights are 0 exactly; it says how the last round ended, and what all took.
/// An observer or a time limit that ends a round ends it all. The same bits on any number of ranks and threads.
/// Collective. Throws option_error, shape_error or data_error, the same on all ranks.
/// Han, Pool, Tran, Dally, Learning both weights and connections, NeurIPS 2015.
template <class Estimator, data::DataSource S, class Model, class T, class C, core::Observer... O>
auto prune(const Estimator& e, const S& source, const fitted_network<Model, T, C>& fit, const pruning& how = {},
           O&&... observers) {
    return detail::with_problem(e, source, [&](const auto& problem, const std::vector<tensor>& tensors) {
        communicator::agree(e.communicator, [&] { how.validate(); });
        detail::check_fit(problem, fit);
        std::vector<double> w = fit.weights;
        mask alive = mask_of(std::span<const double>(w), tensors);
        const double before = static_cast<double>(alive.count(tensors)) / static_cast<double>(size_of(tensors));
        detail::costs costs;
        for (std::size_t round = 1;; ++round) {
            alive = magnitude{how.keep_after(round, before), how.scope}(w, tensors, std::move(alive));
            auto found = detail::run_held(e, problem, alive, w, observers...);
            costs.add_to(found);
            if (round == how.rounds || detail::is_over(found)) return e.describe(problem, std::move(found));
            w = detail::numbers_of(found.weights);
        }
    });
}

}  // namespace gamut::shrink
