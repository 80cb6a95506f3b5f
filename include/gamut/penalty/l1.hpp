// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/penalty/concept.hpp>

namespace gamut::penalty {

/// Lasso: strength * |w|. Its corner at 0 sets weights to exactly 0.
struct l1 {
    double strength = 1;

    template <class T> constexpr T value(T w) const { return static_cast<T>(strength) * (w < T(0) ? -w : w); }
    /// sign(v) max(|v| - step strength, 0), the soft threshold
    template <class T> constexpr T prox(T v, T step) const {
        return detail::shrink(v, step * static_cast<T>(strength));
    }
    void validate(layout) const { detail::check_strength("penalty::l1", "strength", strength); }
};

}  // namespace gamut::penalty
