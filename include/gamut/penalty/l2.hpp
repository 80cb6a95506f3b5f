// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/penalty/concept.hpp>

namespace gamut::penalty {

/// Ridge: strength/2 * w^2. Smooth; it keeps all weights and makes them small.
struct l2 {
    double strength = 1;

    template <class T> constexpr T value(T w) const { return T(0.5) * static_cast<T>(strength) * w * w; }
    /// v / (1 + step strength)
    template <class T> constexpr T prox(T v, T step) const { return v / (T(1) + step * static_cast<T>(strength)); }
    template <class T> constexpr T derivative(T w) const { return static_cast<T>(strength) * w; }
    template <class T> constexpr T second_derivative(T) const { return static_cast<T>(strength); }
    void validate(layout) const { detail::check_strength("penalty::l2", "strength", strength); }
};

}  // namespace gamut::penalty
