// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

#include <gamut/backend/pack.hpp>

/// More functions of eight numbers: expm1 and tanh by exp and log, within 3 ulp; sin, cos, erf and pow number by number, as the C
/// library has them.
namespace gamut::backend {

#if defined(__GNUC__) && !defined(__clang__)
#    pragma GCC diagnostic push
#    pragma GCC diagnostic ignored "-Wpsabi"
#endif

/// (u - 1) x / log u with u = exp x rounded: what rounding did to u cancels. Kahan; Higham 2002, section 1.14.1.
template <class T, std::size_t Bytes, std::size_t Width, bool Whole>
GAMUT_INLINE pack<T, Bytes, Width, Whole> expm1(const pack<T, Bytes, Width, Whole>& x) {
    using P = pack<T, Bytes, Width, Whole>;
    const P u = exp(x), v = u - P(1);
    const auto tiny = u == P(1), least = v == P(-1), large = u > P(1e16);
    const P inside = select(tiny, P(2), select(least, P(2), select(large, P(2), u)));
    const P between = v * x / log(inside);
    return select(tiny, x, select(least, P(-1), select(large, v, between)));
}

/// -m / (2 + m) with the sign of x, m = exp(-2 |x|) - 1.
template <class T, std::size_t Bytes, std::size_t Width, bool Whole>
GAMUT_INLINE pack<T, Bytes, Width, Whole> tanh(const pack<T, Bytes, Width, Whole>& x) {
    using P = pack<T, Bytes, Width, Whole>;
    const P size = select(x < P(0), -x, x), m = expm1(-(size + size)), t = -m / (P(2) + m);
    return select(x < P(0), -t, t);
}

namespace detail {
template <class P, class F> GAMUT_INLINE P one_by_one(const P& x, const F& f) {
    typename P::value_type v[P::width];
    x.store(v);
    for (std::size_t i = 0; i < P::width; ++i) v[i] = f(v[i], i);
    return P::load(v);
}
}  // namespace detail

template <class T, std::size_t Bytes, std::size_t Width, bool Whole>
GAMUT_INLINE pack<T, Bytes, Width, Whole> sin(const pack<T, Bytes, Width, Whole>& x) {
    return detail::one_by_one(x, [](T v, std::size_t) { return std::sin(v); });
}
template <class T, std::size_t Bytes, std::size_t Width, bool Whole>
GAMUT_INLINE pack<T, Bytes, Width, Whole> cos(const pack<T, Bytes, Width, Whole>& x) {
    return detail::one_by_one(x, [](T v, std::size_t) { return std::cos(v); });
}
template <class T, std::size_t Bytes, std::size_t Width, bool Whole>
GAMUT_INLINE pack<T, Bytes, Width, Whole> erf(const pack<T, Bytes, Width, Whole>& x) {
    return detail::one_by_one(x, [](T v, std::size_t) { return std::erf(v); });
}
template <class T, std::size_t Bytes, std::size_t Width, bool Whole>
GAMUT_INLINE pack<T, Bytes, Width, Whole> pow(const pack<T, Bytes, Width, Whole>& x,
                                              const pack<T, Bytes, Width, Whole>& y) {
    T exponents[Width];
    y.store(exponents);
    return detail::one_by_one(x, [&](T v, std::size_t i) { return std::pow(v, exponents[i]); });
}

#if defined(__GNUC__) && !defined(__clang__)
#    pragma GCC diagnostic pop
#endif

}  // namespace gamut::backend
