// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

/// Eight numbers that compute together. The compiler lowers them to whatever vectors the target has (2 x SSE to 1 x AVX-512),
/// so the order of every sum, and with it every bit, is fixed by the width here and not by the machine's.
///
/// exp and log are branch-free polynomials, 1.0 and 1.5 ulp at most in double, and must not be compiled with -ffast-math.
namespace gamut::backend {

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"
#endif
#define GAMUT_INLINE [[gnu::always_inline]] inline

namespace detail {
// spelled out, because g++ 12 forgets the alignment of a vector type that depends on a template parameter
template <class T>
struct vectors;
template <>
struct vectors<double> {
    using integer = std::int64_t;
    typedef double lanes __attribute__((vector_size(64)));
    typedef std::int64_t integers __attribute__((vector_size(64)));
};
template <>
struct vectors<float> {
    using integer = std::int32_t;
    typedef float lanes __attribute__((vector_size(32)));
    typedef std::int32_t integers __attribute__((vector_size(32)));
};
}  // namespace detail

template <class T>
struct alignas(8 * sizeof(T)) pack {
    static constexpr std::size_t width = 8;
    using integer = typename detail::vectors<T>::integer;
    using lanes = typename detail::vectors<T>::lanes;
    using integers = typename detail::vectors<T>::integers;

    lanes v;

    struct mask {
        integers m;
    };

    pack() = default;
    GAMUT_INLINE explicit pack(const lanes& x) : v(x) {}
    template <class S>
        requires std::is_arithmetic_v<S>
    GAMUT_INLINE pack(S x) : v(lanes{} + static_cast<T>(x)) {}

    GAMUT_INLINE static pack load(const T* p) {
        pack x;
        __builtin_memcpy(&x.v, p, sizeof(lanes));
        return x;
    }
    GAMUT_INLINE void store(T* p) const { __builtin_memcpy(p, &v, sizeof(lanes)); }

    GAMUT_INLINE friend pack operator+(const pack& a, const pack& b) { return pack(a.v + b.v); }
    GAMUT_INLINE friend pack operator-(const pack& a, const pack& b) { return pack(a.v - b.v); }
    GAMUT_INLINE friend pack operator*(const pack& a, const pack& b) { return pack(a.v * b.v); }
    GAMUT_INLINE friend pack operator/(const pack& a, const pack& b) { return pack(a.v / b.v); }
    GAMUT_INLINE friend pack operator-(const pack& a) { return pack(-a.v); }
    GAMUT_INLINE pack& operator+=(const pack& b) {
        v += b.v;
        return *this;
    }
    GAMUT_INLINE friend mask operator<(const pack& a, const pack& b) { return {a.v < b.v}; }
    GAMUT_INLINE friend mask operator<=(const pack& a, const pack& b) { return {a.v <= b.v}; }
    GAMUT_INLINE friend mask operator>(const pack& a, const pack& b) { return {a.v > b.v}; }
    GAMUT_INLINE friend mask operator>=(const pack& a, const pack& b) { return {a.v >= b.v}; }
    GAMUT_INLINE friend mask operator==(const pack& a, const pack& b) { return {a.v == b.v}; }
    GAMUT_INLINE friend pack select(const mask& m, const pack& a, const pack& b) { return pack(m.m ? a.v : b.v); }

    /// The sum of the lanes, pairwise: ((0+4)+(2+6)) + ((1+5)+(3+7)).
    GAMUT_INLINE T total() const {
        const T a0 = v[0] + v[4], a1 = v[1] + v[5], a2 = v[2] + v[6], a3 = v[3] + v[7];
        return (a0 + a2) + (a1 + a3);
    }
};

namespace detail {

template <class T>
struct exponential_range;
template <>
struct exponential_range<double> {
    static constexpr double low = -708.39, high = 709.78, shifter = 0x1.8p52;
    static constexpr double ln2_high = 0x1.62e42fefa0000p-1, ln2_low = 0x1.cf79abc9e3b3ap-40;
    static constexpr int mantissa_bits = 52, bias = 1023;
};
template <>
struct exponential_range<float> {
    static constexpr float low = -87.33f, high = 88.72f, shifter = 0x1.8p23f;
    static constexpr float ln2_high = 0x1.62e400p-1f, ln2_low = 0x1.7f7d1cp-20f;
    static constexpr int mantissa_bits = 23, bias = 127;
};

}  // namespace detail

/// exp by x = n ln 2 + r, |r| <= ln 2 / 2, a Taylor polynomial in r and a shift of the exponent. Results below the smallest
/// normal number become 0, above the largest infinity.
template <class T>
GAMUT_INLINE pack<T> exp(const pack<T>& x) {
    using P = pack<T>;
    using range = detail::exponential_range<T>;
    using integers = typename P::integers;
    // the nearest integer to x / ln 2 lands in the low bits of `shifted`
    const P inside = select(x < P(range::low), P(range::low), select(x > P(range::high), P(range::high), x));
    const P shifted = inside * P(1.44269504088896340736) + P(range::shifter);
    const P n = shifted - P(range::shifter);
    const P r = (inside - n * P(range::ln2_high)) - n * P(range::ln2_low);
    P q;
    if constexpr (sizeof(T) == 8) {
        q = P(1.0 / 6227020800.0);
        q = q * r + P(1.0 / 479001600.0);
        q = q * r + P(1.0 / 39916800.0);
        q = q * r + P(1.0 / 3628800.0);
        q = q * r + P(1.0 / 362880.0);
        q = q * r + P(1.0 / 40320.0);
        q = q * r + P(1.0 / 5040.0);
        q = q * r + P(1.0 / 720.0);
        q = q * r + P(1.0 / 120.0);
        q = q * r + P(1.0 / 24.0);
    } else {
        q = P(1.0 / 5040.0);
        q = q * r + P(1.0 / 720.0);
        q = q * r + P(1.0 / 120.0);
        q = q * r + P(1.0 / 24.0);
    }
    q = q * r + P(1.0 / 6.0);
    q = q * r + P(0.5);
    const P poly = (q * (r * r) + r) + P(1);
    // multiply by 2^n in two steps, so that n = 1024 does not overflow on the way
    integers bits, shift_bits;
    __builtin_memcpy(&shift_bits, &shifted.v, sizeof(bits));
    const T shifter = range::shifter;
    typename P::integer shifter_bits;
    __builtin_memcpy(&shifter_bits, &shifter, sizeof(T));
    const integers count = shift_bits - shifter_bits;
    const integers half = count >> 1;
    typename P::lanes first, second;
    bits = (half + range::bias) << range::mantissa_bits;
    __builtin_memcpy(&first, &bits, sizeof(bits));
    bits = (count - half + range::bias) << range::mantissa_bits;
    __builtin_memcpy(&second, &bits, sizeof(bits));
    const P y((poly.v * first) * second);
    const P limited = select(x < P(range::low), P(0), select(x > P(range::high), P(std::numeric_limits<T>::infinity()), y));
    return select(x == x, limited, x);
}

/// log by x = 2^n m, sqrt(1/2) <= m < sqrt(2), s = (m - 1) / (m + 1), log m = 2 (s + s^3/3 + s^5/5 + ...).
/// Subnormal numbers count as the smallest normal one; log 0 = -infinity; NaN below 0.
template <class T>
GAMUT_INLINE pack<T> log(const pack<T>& x) {
    using P = pack<T>;
    using range = detail::exponential_range<T>;
    using integers = typename P::integers;
    using limits = std::numeric_limits<T>;
    const P positive = select(x < P(limits::min()), P(limits::min()), x);
    integers bits;
    __builtin_memcpy(&bits, &positive.v, sizeof(bits));
    const T root_half = static_cast<T>(0.70710678118654752440);
    typename P::integer root_bits;
    __builtin_memcpy(&root_bits, &root_half, sizeof(T));
    const typename P::integer one = typename P::integer(1) << range::mantissa_bits;
    // exponent such that the rest lies in [sqrt(1/2), sqrt(2))
    const integers n = (bits - root_bits) >> range::mantissa_bits;
    const integers rest = bits - n * one;
    P m;
    __builtin_memcpy(&m.v, &rest, sizeof(rest));
    const P exponent(__builtin_convertvector(n, typename P::lanes));
    const P f = m - P(1);
    const P s = f / (P(2) + f);
    const P z = s * s;
    P q;
    if constexpr (sizeof(T) == 8) {
        q = P(2.0 / 21);
        q = q * z + P(2.0 / 19);
        q = q * z + P(2.0 / 17);
        q = q * z + P(2.0 / 15);
        q = q * z + P(2.0 / 13);
        q = q * z + P(2.0 / 11);
        q = q * z + P(2.0 / 9);
    } else {
        q = P(2.0 / 9);
    }
    q = q * z + P(2.0 / 7);
    q = q * z + P(2.0 / 5);
    q = q * z + P(2.0 / 3);
    q = q * z;  // log(1 + f) = 2 s + s q, and 2 s = f - s f
    const P half_square = P(0.5) * f * f;
    const P value = exponent * P(range::ln2_high) + (f - (half_square - (s * (half_square + q) + exponent * P(range::ln2_low))));
    const P finite = select(x > P(limits::max()), P(limits::infinity()), value);
    const P nonzero = select(x == P(0), P(-limits::infinity()), finite);
    return select(x >= P(0), nonzero, P(limits::quiet_NaN()));
}

/// log(1 + x): log w + (x - (w - 1)) / w with w = 1 + x rounded.
template <class T>
GAMUT_INLINE pack<T> log1p(const pack<T>& x) {
    const pack<T> w = pack<T>(1) + x;
    const pack<T> correction = (x - (w - pack<T>(1))) / w;
    const pack<T> y = log(w) + correction;
    return select(w > pack<T>(std::numeric_limits<T>::max()), x, y);
}

template <class T>
GAMUT_INLINE pack<T> sqrt(const pack<T>& x) {
    pack<T> y;
    for (std::size_t i = 0; i < pack<T>::width; ++i) y.v[i] = __builtin_sqrt(x.v[i]);
    return y;
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

}  // namespace gamut::backend
