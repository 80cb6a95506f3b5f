// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/communicator/single.hpp>
#include <gamut/core/checkpoint.hpp>
#include <gamut/core/error.hpp>
#include <gamut/fitted.hpp>
#include <gamut/fwd.hpp>

namespace gamut {

/// The model that a checkpoint of an estimator's fit stands for, ready to predict; the training data are not needed:
///     auto fit = fit_of<model::logistic>(core::checkpoint::load("run/step-000000000010.checkpoint"));
/// Throws data_error where the checkpoint has no weights, or no names of columns (a run of a problem that no estimator made).
template <class Model, class T, class C>
[[gnu::cold]] fitted<Model, T, C> fit_of(const core::checkpoint& from, const C& ranks, const Model& model) {
    static_assert(!model::is_network<Model>, "fit_of: a network's checkpoint does not have all that a fit needs; score "
                                             "it while it is trained (gamut::validation), or resume and save the fit");
    fitted<Model, T, C> fit{.communicator = ranks};
    fit.model = model;
    fit.features = core::names(from.words("problem.features"));
    fit.classes = from.words("problem.classes");
    fit.label = from.characters("problem.label");
    fit.scaling.means = from.get<double>("problem.means");
    fit.scaling.scales = from.get<double>("problem.scales");
    fit.iterations = from.step;
    std::vector<double> weights;
    if constexpr (std::is_same_v<T, double>) {
        weights = from.get<double>("weights");
    } else {
        const auto given = from.get<T>("weights");
        weights.assign(given.begin(), given.end());
    }
    const auto outputs = from.get<std::uint64_t>("problem.outputs");
    const std::size_t p = fit.features.size();
    const bool fits = outputs.size() == 1 && outputs[0] > 0 && fit.scaling.means.size() == fit.scaling.scales.size() &&
                      (fit.scaling.means.empty() || fit.scaling.means.size() == p) &&
                      weights.size() / outputs[0] >= p && weights.size() / outputs[0] <= p + 1 &&
                      weights.size() % outputs[0] == 0;
    if (!fits)
        throw core::data_error(core::text(from.path(), ": ", weights.size(), " weights for ", p,
                                          " columns (they do not fit together) name another checkpoint"));
    fit.outputs = outputs[0];
    fit.set_weights(std::move(weights));
    return fit;
}

}  // namespace gamut
