// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>

#include <gamut/model/concept.hpp>

namespace gamut::model {

/// Two classes, y = 0 or 1: mean over rows of log(1 + exp(z)) - y z, z = x'w, which is -log of the probability that
/// sigmoid(z) gives the row's class. Predicts the probability of the second class.
///
/// Dual, with s = 2 y - 1: alpha = s beta, 0 <= beta <= 1, conjugate(alpha) = beta log beta + (1 - beta) log(1 - beta).
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

    template <class T> constexpr T conjugate(T alpha, T y) const {
        const T beta = ((y + y) - T(1)) * alpha, other = T(1) - beta;
        return (beta > T(0) ? beta * std::log(beta) : T(0)) + (other > T(0) ? other * std::log1p(-beta) : T(0));
    }
    /// beta = sigmoid(u) with u + q sigmoid(u) = q beta - s z =: c: Newton's method, kept within c - q <= u <= c. The last step
    /// is a series to the second order, so where nothing moves any more it costs an exponential.
    template <class T> constexpr T dual_step(T alpha, T y, T z, T q) const {
        const T s = (y + y) - T(1), before = s * alpha, c = q * before - s * z;
        T low = c - q, high = c, beta = before;
        T u = -s * z;  // where it is if alpha is the best already; between low and high
        constexpr T enough = sizeof(T) == 8 ? T(1e-3) : T(1e-2);  // the error is about its cube
        for (int k = 0; k < 50; ++k) {
            const T e = std::exp(-std::fabs(u)), below = T(1) + e, square = below * below, other = T(1) / below;
            beta = u < T(0) ? e * other : other;
            // 1 / (1 + q slope), by a division that needn't wait for the first
            const T slope = e * other * other, excess = u + q * beta - c, inverse = square / (square + q * e),
                    step = excess * inverse;
            if (!(std::fabs(step) > enough)) {
                const T half_bend = slope * (T(0.5) - beta), all = step + q * half_bend * inverse * step * step;
                return s * (beta + all * (half_bend * all - slope));
            }
            (excess > T(0) ? high : low) = u;
            u -= step;
            if (!(u > low && u < high)) u = T(0.5) * (low + high);
        }
        return s * beta;
    }
};

}  // namespace gamut::model
