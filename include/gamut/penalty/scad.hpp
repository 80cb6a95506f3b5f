// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>

#include <gamut/penalty/concept.hpp>

namespace gamut::penalty {

/// Smoothly clipped absolute deviation: the lasso near 0, constant for large weights, which are not shrunk. With s the strength,
///   value(w) = s |w|                                              for |w| <= s
///              (2 gamma s |w| - w^2 - s^2) / (2 (gamma - 1))      for s < |w| <= gamma s
///              s^2 (gamma + 1) / 2                                beyond
/// Not convex: what solvers find is a point where no single weight can be improved.   Fan and Li 2001.
struct scad {
    double strength = 1;
    double gamma = 3.7;  ///< above 2

    template <class T> constexpr T value(T w) const {
        const T s = static_cast<T>(strength), g = static_cast<T>(gamma), size = w < T(0) ? -w : w;
        if (size > g * s) return T(0.5) * s * s * (g + T(1)) + (w - w);
        if (size > s) return (T(2) * g * s * size - size * size - s * s) / (T(2) * (g - T(1)));
        return s * size;
    }
    /// step < gamma - 1: soft(v, step s) for |v| <= (1 + step) s, ((gamma - 1) v -+ step gamma s) / (gamma - 1 - step) up to
    /// gamma s, v beyond. A longer step: the better of the first, within s, and v.
    template <class T> constexpr T prox(T v, T step) const {
        const T s = static_cast<T>(strength), g = static_cast<T>(gamma), size = v < T(0) ? -v : v;
        const T soft = detail::shrink(v, step * s);
        if (step < g - T(1)) {
            if (size > g * s) return v;
            if (size > (T(1) + step) * s)
                return detail::shrink(v, step * g * s / (g - T(1))) / (T(1) - step / (g - T(1)));
            return soft;
        }
        const T near = detail::clip(soft, -s, s), far = size > g * s ? v : v < T(0) ? -g * s : g * s;
        const auto cost = [&](T z) { return value(z) + (z - v) * (z - v) / (T(2) * step); };
        return cost(far) < cost(near) ? far : near;
    }
    void validate(layout) const {
        detail::check_strength("penalty::scad", "strength", strength);
        if (!(gamma > 2 && gamma <= std::numeric_limits<double>::max()))
            throw core::option_error(
                core::text("penalty::scad: gamma is ", gamma, " (it must be finite and above 2) try 3.7"));
    }
};

}  // namespace gamut::penalty
