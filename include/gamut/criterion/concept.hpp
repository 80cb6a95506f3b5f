// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>

/// A criterion says how good a fit is for its size, from the rows it was fitted to: the smallest is chosen. It is a function of
/// what stands below.
namespace gamut::criterion {

/// What a criterion knows about a fit.
struct information {
    double deviance = 0;            ///< -2 log-likelihood, up to a constant
    double degrees_of_freedom = 0;  ///< weights that were estimated, the intercept included
    double rows = 0;                ///< the sum of the sample weights
    std::size_t candidates = 0;     ///< weights (rows, groups: what kappa counts) there were to choose from
    std::size_t chosen = 0;         ///< of those, not 0
};

template <class F>
concept Criterion = requires(const F& f, const information& fit) {
    { f(fit) } -> std::convertible_to<double>;
};

}  // namespace gamut::criterion
