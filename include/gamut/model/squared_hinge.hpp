// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <limits>

#include <gamut/model/concept.hpp>

namespace gamut::model {

/// Two classes, y = 0 or 1, s = 2 y - 1 = -1 or +1: mean over rows of max(0, 1 - s z)^2, z = x'w. Once differentiable, so
/// every solver takes it; Newton's method jumps where rows enter the margin. Predicts z, whose sign is the class.
/// With penalty::l2{1 / (n C)} it is liblinear's -s 1 and -s 2, 1/(n C) times its objective.
///
/// Dual: alpha = s beta, 0 <= beta, conjugate(alpha) = -beta + beta^2 / 4.
struct squared_hinge {
    static constexpr const char* name = "squared_hinge";
    static constexpr bool classification = true;
    static constexpr std::size_t most_classes = 2;
    static constexpr bool nonnegative = true;
    static constexpr double threshold = 0;

    constexpr auto loss(auto w, auto X, auto y) const { return mean(square(max(1 - (2 * y - 1) * (X * w), 0))); }
    constexpr auto predict(auto w, auto X) const { return X * w; }

    static constexpr double largest_curvature = 2;

    template <class T> constexpr T conjugate(T alpha, T y) const {
        const T beta = ((y + y) - T(1)) * alpha;
        return beta * (T(0.25) * beta - T(1));
    }
    /// beta = max(0, (1 - s z + q beta) / (1/2 + q))
    template <class T> constexpr T dual_step(T alpha, T y, T z, T q) const {
        const T s = (y + y) - T(1), wanted = T(1) - s * z + q * (s * alpha);
        return wanted > T(0) ? s * (wanted / (T(0.5) + q)) : wanted - wanted;  // NaN stays NaN
    }
    static constexpr double dual_bend = 0.5;
    template <class T> constexpr T dual_slope(T alpha, T y, T z) const { return (y + y) - T(1) - T(0.5) * alpha - z; }
    template <class T> constexpr T dual_least(T y) const {
        return y > T(0) ? T(0) : -std::numeric_limits<T>::infinity();
    }
    template <class T> constexpr T dual_most(T y) const { return y > T(0) ? std::numeric_limits<T>::infinity() : T(0); }
};

}  // namespace gamut::model
