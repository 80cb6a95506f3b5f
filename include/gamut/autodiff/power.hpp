// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>

#include <gamut/autodiff/arithmetic.hpp>
#include <gamut/autodiff/concept.hpp>
#include <gamut/autodiff/functions.hpp>
#include <gamut/autodiff/node.hpp>

namespace gamut::autodiff {

/// a^b, number by number. d/da = b a^(b-1), d/db = a^b log a, taken as 0 where a is not above 0: a negative a has a power only if b is
/// a whole number, which does not vary.
struct exponentiation {
    static constexpr shape form(shape a, shape b) {
        return a == shape::total || b == shape::total ? shape::invalid : combine(a, b);
    }
    template <class V> static constexpr V value(const V& a, const V& b) {
        if constexpr (is_dual<V>) {
            const auto f = value(a.value, b.value);
            return {f, left(a.value, b.value, f, a.tangent) + right(a.value, b.value, f, b.tangent)};
        } else {
            using std::pow;
            return pow(a, b);
        }
    }
    template <class V> static constexpr V left(const V& a, const V& b, const V&, const V& adjoint) {
        return adjoint * (b * value(a, b - V(1)));
    }
    template <class V> static constexpr V right(const V& a, const V&, const V& f, const V& adjoint) {
        const auto positive = a > V(0);
        return adjoint * select(positive, f * apply<logarithm>(select(positive, a, V(1))), V(0));
    }
};

/// a^b, either of which may be a number.
template <class A, class B>
requires Operands<A, B>
constexpr auto pow(const A& a, const B& b) { return detail::make_binary<exponentiation>(a, b); }

}  // namespace gamut::autodiff
