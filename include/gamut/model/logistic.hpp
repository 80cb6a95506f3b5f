// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/model/concept.hpp>

namespace gamut::model {

/// Two classes, y = 0 or 1: mean over rows of log(1 + exp(z)) - y z, z = x'w, which is -log of the probability that
/// sigmoid(z) gives the row's class. Predicts the probability of the second class.
struct logistic {
    static constexpr const char* name = "logistic";
    static constexpr bool classification = true;
    static constexpr std::size_t most_classes = 2;

    constexpr auto loss(auto w, auto X, auto y) const {
        auto z = X * w;
        return mean(softplus(z) - y * z);
    }
    constexpr auto predict(auto w, auto X) const { return sigmoid(X * w); }

    static constexpr bool nonnegative = true;
    static constexpr double largest_curvature = 0.25;
};

}  // namespace gamut::model
