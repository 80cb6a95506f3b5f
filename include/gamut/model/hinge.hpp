// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/model/concept.hpp>

namespace gamut::model {

/// Two classes, y = 0 or 1, s = 2 y - 1 = -1 or +1: mean over rows of max(0, 1 - s z), z = x'w, the loss of support vector
/// machines: rows beyond the margin s z >= 1 cost nothing and change nothing. Predicts z, whose sign is the class.
/// Not smooth: solver::dual is made for it. With penalty::l2{1 / (n C)} it is liblinear's -s 3, 1/(n C) times its objective.
///
/// Dual: alpha = s beta, 0 <= beta <= 1, conjugate(alpha) = -beta. Rows with beta > 0 are the support vectors.
struct hinge {
    static constexpr const char* name = "hinge";
    static constexpr bool classification = true;
    static constexpr std::size_t most_classes = 2;
    static constexpr bool nonnegative = true;
    static constexpr bool nonsmooth = true;
    static constexpr double threshold = 0;

    constexpr auto loss(auto w, auto X, auto y) const { return mean(max(1 - (2 * y - 1) * (X * w), 0)); }
    constexpr auto predict(auto w, auto X) const { return X * w; }

    template <class T> constexpr T conjugate(T alpha, T y) const { return (T(1) - (y + y)) * alpha; }
    /// beta = clip(beta + (1 - s z) / q, 0, 1)
    template <class T> constexpr T dual_step(T alpha, T y, T z, T q) const {
        const T s = (y + y) - T(1), beta = s * alpha, slope = T(1) - s * z;
        const T wanted = q * beta + slope;  // q times the new beta
        return wanted > T(0) ? wanted < q ? s * (wanted / q) : s : slope == T(0) ? alpha : T(0);
    }
    static constexpr double dual_bend = 0;
    template <class T> constexpr T dual_slope(T, T y, T z) const { return (y + y) - T(1) - z; }
    template <class T> constexpr T dual_least(T y) const { return y - T(1); }
    template <class T> constexpr T dual_most(T y) const { return y; }
};

}  // namespace gamut::model
