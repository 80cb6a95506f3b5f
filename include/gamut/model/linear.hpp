// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/model/concept.hpp>

namespace gamut::model {

/// Least squares: mean over rows of 1/2 (x'w - y)^2, weighted by the sample weights.
struct linear {
    static constexpr const char* name = "linear";
    constexpr auto loss(auto w, auto X, auto y) const { return mean(0.5 * square(X * w - y)); }
    constexpr auto predict(auto w, auto X) const { return X * w; }

    static constexpr bool nonnegative = true;
    static constexpr double largest_curvature = 1;  // of the loss of a row in x'w
};

}  // namespace gamut::model
