// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/model/concept.hpp>

namespace gamut::model {

/// k classes, one column of weights each: mean over rows of log sum_k exp(z_k) - z_y, z = W'x. All columns are free, so
/// without a penalty W is determined up to a vector added to every column. Predicts the k probabilities.
struct softmax {
    static constexpr const char* name = "softmax";
    static constexpr bool classification = true;

    constexpr std::size_t outputs(std::size_t classes) const { return classes; }

    constexpr auto loss(auto w, auto X, auto y) const {
        auto z = X * w;
        return mean(log_sum_exp(z) - pick(z, y));
    }
    constexpr auto predict(auto w, auto X) const {
        auto z = X * w;
        return exp(z - log_sum_exp(z));
    }

    static constexpr bool nonnegative = true;
    static constexpr double largest_curvature = 0.5;
};

}  // namespace gamut::model
