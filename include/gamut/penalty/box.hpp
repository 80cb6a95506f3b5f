// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <limits>

#include <gamut/penalty/concept.hpp>

namespace gamut::penalty {

/// lower <= w <= upper: 0 inside, infinite outside. box{.lower = 0} keeps weights from being negative.
struct box {
    double lower = -std::numeric_limits<double>::infinity();
    double upper = std::numeric_limits<double>::infinity();

    template <class T> constexpr T value(T w) const {
        const T outside = std::numeric_limits<T>::infinity();
        return w < static_cast<T>(lower) || w > static_cast<T>(upper) ? outside : w - w;
    }
    template <class T> constexpr T prox(T v, T) const {
        return detail::clip(v, static_cast<T>(lower), static_cast<T>(upper));
    }
    void validate(layout) const { detail::check_bounds("penalty::box", lower, upper); }
};

}  // namespace gamut::penalty
