// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>

#include <gamut/model/concept.hpp>

namespace gamut::model {

/// Counts y >= 0 with mean exp(z), z = x'w: mean over rows of exp(z) - y z, the Poisson deviance up to a constant and a
/// factor 2. Predicts exp(z). Labels below 0 are refused; they need not be whole numbers.
///
/// Dual: alpha = y - mu, mu >= 0, conjugate(alpha) = mu log mu - mu.
struct poisson {
    static constexpr const char* name = "poisson";
    static constexpr bool convex = true;
    static constexpr double least_label = 0;

    constexpr auto loss(auto w, auto X, auto y) const {
        auto z = X * w;
        return mean(exp(z) - y * z);
    }
    constexpr auto predict(auto w, auto X) const { return exp(X * w); }

    template <class T> constexpr T conjugate(T alpha, T y) const {
        const T mu = y - alpha;
        return mu > T(0) ? mu * (std::log(mu) - T(1)) : mu - mu;
    }
    /// mu = exp u with u + q exp u = z + q mu: Newton's method on a convex, increasing function, from a bound from above or
    /// from where it was.
    template <class T> constexpr T dual_step(T alpha, T y, T z, T q) const {
        const T mu = y - alpha, c = z + q * mu;
        const T most = q > T(0) && c > T(1) ? std::fmin(c, std::fmax(T(0), std::log(c / q))) : c;
        T u = mu > T(0) ? std::fmin(std::log(mu), most) : most;
        constexpr T enough = sizeof(T) == 8 ? T(1e-6) : T(5e-4);  // the error is half its square
        for (int k = 0; k < 50; ++k) {
            const T e = std::exp(u), step = (u + q * e - c) / (T(1) + q * e);
            if (!(std::fabs(step) > enough)) return y - e * (T(1) - step * (T(1) - T(0.5) * step));
            u = std::fmin(u - step, most);
        }
        return y - std::exp(u);
    }
};

}  // namespace gamut::model
