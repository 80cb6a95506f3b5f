// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/core/observe.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/fitted_network.hpp>
#include <gamut/shrink/detail/training.hpp>
#include <gamut/shrink/mask.hpp>
#include <gamut/shrink/rounding.hpp>
#include <gamut/shrink/tensor.hpp>

namespace gamut::shrink {

/// The network with its weights that multiply on few levels, as quantisation says:
///     const auto coarse = shrink::quantise(fit, {.bits = 4, .per = shrink::per::column});
/// No data, no messages; the objective of the result is not known (NaN). Means over rows (batch_norm) stay those of the fit.
/// Throws option_error, or data_error for weights that are not finite.
template <class Model, class T, class C>
fitted_network<Model, T, C> quantise(fitted_network<Model, T, C> fit, const quantisation& how = {}) {
    how.validate();
    check_finite(fit.weights);
    std::vector<T> w(fit.weights.begin(), fit.weights.end());
    rounding{how, tensors_of(fit), {}}.place(std::span(w));
    fit.weights.assign(w.begin(), w.end());
    fit.objective = std::numeric_limits<double>::quiet_NaN();
    return fit;
}

/// The same, and trained on: the loss is that of weights on their levels, at every step, and its gradient there moves the weights that
/// are rounded ("straight-through"). Weights that are 0 stay 0. The levels are those of the weights at hand.
/// One run of the estimator's solver; `source` has the rows that `fit` was fitted to. Collective; errors as prune's.
/// Bengio, Leonard, Courville, Estimating or propagating gradients through stochastic neurons, 2013; Courbariaux et al. 2015.
template <class Estimator, data::DataSource S, class Model, class T, class C, core::Observer... O>
auto quantise(const Estimator& e, const S& source, const fitted_network<Model, T, C>& fit, const quantisation& how = {},
              O&&... observers) {
    return detail::with_problem(e, source, [&](const auto& problem, const std::vector<tensor>& tensors) {
        communicator::agree(e.communicator, [&] { how.validate(); });
        detail::check_fit(problem, fit);
        const rounding rule{how, tensors, mask_of(std::span<const double>(fit.weights), tensors)};
        return e.describe(problem, detail::run_held(e, problem, rule, fit.weights, observers...));
    });
}

}  // namespace gamut::shrink
