// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/model/concept.hpp>

namespace gamut::model {

/// Least squares: mean over rows of 1/2 (x'w - y)^2, weighted by the sample weights.
/// Dual: conjugate(alpha) = alpha^2 / 2 - y alpha.
struct linear {
    static constexpr const char* name = "linear";
    constexpr auto loss(auto w, auto X, auto y) const { return mean(0.5 * square(X * w - y)); }
    constexpr auto predict(auto w, auto X) const { return X * w; }

    static constexpr bool nonnegative = true;
    static constexpr double largest_curvature = 1;  // of the loss of a row in x'w

    template <class T> constexpr T conjugate(T alpha, T y) const { return alpha * (T(0.5) * alpha - y); }
    template <class T> constexpr T dual_step(T alpha, T y, T z, T q) const { return (y - z + q * alpha) / (T(1) + q); }
};

}  // namespace gamut::model
