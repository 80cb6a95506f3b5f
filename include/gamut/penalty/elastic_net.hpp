// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/penalty/concept.hpp>

namespace gamut::penalty {

/// l1 |w| + l2/2 w^2: zeros as with the lasso, shared out over correlated features as with ridge.
/// (glmnet's lambda and alpha are l1 = lambda alpha, l2 = lambda (1 - alpha).)   Zou and Hastie 2005.
struct elastic_net {
    double l1 = 1, l2 = 1;

    template <class T> constexpr T value(T w) const {
        return static_cast<T>(l1) * (w < T(0) ? -w : w) + T(0.5) * static_cast<T>(l2) * w * w;
    }
    /// the soft threshold of v, over 1 + step l2
    template <class T> constexpr T prox(T v, T step) const {
        return detail::shrink(v, step * static_cast<T>(l1)) / (T(1) + step * static_cast<T>(l2));
    }
    void validate(layout) const {
        detail::check_strength("penalty::elastic_net", "l1", l1);
        detail::check_strength("penalty::elastic_net", "l2", l2);
    }
};

}  // namespace gamut::penalty
