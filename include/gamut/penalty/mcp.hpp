// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>

#include <gamut/penalty/concept.hpp>

namespace gamut::penalty {

/// Minimax concave penalty: zeros as with the lasso, but large weights are not shrunk. With s the strength,
///   value(w) = s |w| - w^2 / (2 gamma)   for |w| <= gamma s,   gamma s^2 / 2 beyond.
/// Not convex: what solvers find is a point where no single weight can be improved.   Zhang 2010.
struct mcp {
    double strength = 1;
    double gamma = 3;  ///< above 1 for standardised columns; towards infinity: the lasso

    template <class T> constexpr T value(T w) const {
        const T s = static_cast<T>(strength), g = static_cast<T>(gamma), size = w < T(0) ? -w : w;
        return size > g * s ? T(0.5) * g * s * s + (w - w) : s * size - size * size / (T(2) * g);
    }
    /// step < gamma: soft(v, step s) / (1 - step / gamma) within gamma s, v beyond; else v where |v| > s sqrt(gamma step).
    template <class T> T prox(T v, T step) const {
        const T s = static_cast<T>(strength), g = static_cast<T>(gamma), size = v < T(0) ? -v : v;
        if (step < g) return size > g * s ? v : detail::shrink(v, step * s) / (T(1) - step / g);
        return size > s * std::sqrt(g * step) ? v : v - v;
    }
    void validate(layout) const {
        detail::check_strength("penalty::mcp", "strength", strength);
        if (!(gamma > 0 && gamma <= std::numeric_limits<double>::max()))
            throw core::option_error(
                core::text("penalty::mcp: gamma is ", gamma, " (it must be finite and above 0) try 3"));
    }
};

}  // namespace gamut::penalty
