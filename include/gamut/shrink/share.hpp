// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/observe.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/fitted_network.hpp>
#include <gamut/shrink/clusters.hpp>
#include <gamut/shrink/detail/training.hpp>
#include <gamut/shrink/number_means.hpp>
#include <gamut/shrink/tensor.hpp>

namespace gamut::shrink {

/// How the numbers that weights share are found; see number_means.hpp.
enum class centres { optimal, linear };

struct sharing {
    std::uint32_t bits = 4;  ///< 2^bits numbers a tensor, at most
    shrink::centres centres = shrink::centres::optimal;

    void validate() const {
        if (bits < 1 || bits > 8)
            throw core::option_error(
                core::text("share: bits is ", bits, " (a weight's number in the code book takes from 1 to 8) try 4"));
    }
};

namespace detail {
/// Every weight as a float, 0 without a sign.
inline void round_to_float(std::vector<double>& weights) {
    for (std::size_t k = 0; k < weights.size(); ++k) {
        const float rounded = static_cast<float>(weights[k]);
        if (!(rounded <= std::numeric_limits<float>::max() && rounded >= -std::numeric_limits<float>::max()))
            throw core::data_error(core::text("share: weight ", k, " is ", weights[k],
                                              " (it is kept as a float, up to 3.4e38) fit the network again"));
        weights[k] = rounded == 0 ? 0.0 : static_cast<double>(rounded);
    }
}
}  // namespace detail

/// The network with at most 2^bits different weights a tensor, besides those that are 0, which stay so:
///   minimise over a code book c   sum over weights that are alive of  (w - nearest c)^2,     tensor by tensor
///     const auto shared = shrink::share(small, {.bits = 4});
/// All its numbers are floats afterwards, biases too; a network that is shared already stays as it is, to the bit.
/// No data, no messages; the objective of the result is not known (NaN). Throws option_error, or data_error for weights that are no floats.
/// Han, Mao, Dally, Deep compression, ICLR 2016.
template <class Model, class T, class C>
fitted_network<Model, T, C> share(fitted_network<Model, T, C> fit, const sharing& how = {}) {
    how.validate();
    check_finite(fit.weights);
    detail::round_to_float(fit.weights);
    for (const tensor& t : tensors_of(fit)) {
        const std::span<double> own(fit.weights.data() + t.offset, t.size());
        std::vector<double> alive;
        for (const double w : own)
            if (w != 0) alive.push_back(w);
        const std::size_t most = std::size_t(1) << how.bits;
        std::vector<double> book =
            how.centres == centres::optimal ? optimal_means(alive, most) : linear_means(alive, most);
        detail::round_to_float(book);
        for (double& w : own)
            if (w != 0) w = book[nearest_of(book, w)];
    }
    fit.objective = std::numeric_limits<double>::quiet_NaN();
    return fit;
}

/// The same, and its shared numbers trained on, one for all of a cluster: weights stay in theirs, and lost ones lost.
/// One run of the estimator's solver, with the rate of the weights (see clusters.hpp); `source` has the rows that `fit` was fitted to.
/// Collective; errors as prune's.
template <class Estimator, data::DataSource S, class Model, class T, class C, core::Observer... O>
auto share(const Estimator& e, const S& source, const fitted_network<Model, T, C>& fit, const sharing& how = {},
           O&&... observers) {
    return detail::with_problem(e, source, [&](const auto& problem, const std::vector<tensor>& tensors) {
        detail::check_fit(problem, fit);
        std::vector<double> start;
        communicator::agree(e.communicator, [&] { start = share(fit, how).weights; });
        auto found = detail::run_held(e, problem, clusters_of(start, tensors), start, observers...);
        auto trained = e.describe(problem, std::move(found));
        if (trained.status != core::status::diverged) detail::round_to_float(trained.weights);
        return trained;
    });
}

/// Without file.hpp: says so.
template <class Fit> void save(const Fit&, const std::string&, const sharing& = {}) {
    static_assert(sizeof(Fit) == 0, "shrink::save: include <gamut/shrink/file.hpp>, and give it a fitted network");
}

}  // namespace gamut::shrink
