// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/penalty/concept.hpp>

namespace gamut::penalty {

/// No preference: the loss alone.
struct none {
    template <class T> constexpr T value(T) const { return T(0); }
    template <class T> constexpr T prox(T v, T) const { return v; }
    template <class T> constexpr T derivative(T) const { return T(0); }
    template <class T> constexpr T second_derivative(T) const { return T(0); }
};

}  // namespace gamut::penalty
