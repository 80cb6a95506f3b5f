// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

/// Eight numbers that compute together, in vectors of the machine's size: one of 64 bytes, or two halves of eight, down to
/// the size asked for. The order of every sum is fixed by the eight and not by the machine.
///
/// exp, log and log1p are branch-free polynomials, accurate to 1.5 ulp; they must not be compiled with -ffast-math.
namespace gamut::backend {

#if defined(__GNUC__) && !defined(__clang__)
#    pragma GCC diagnostic push
#    pragma GCC diagnostic ignored "-Wpsabi"
#endif
#define GAMUT_INLINE [[gnu::always_inline]] inline

namespace detail {
// Spelled out: g++ 12 forgets the alignment of a vector type that depends on a template parameter.
template <class T, std::size_t Width> struct vectors;
#define GAMUT_VECTORS(T, integer, natural, width)                                                                      \
    template <> struct vectors<T, width> {                                                                             \
        typedef T numbers __attribute__((vector_size(width * sizeof(T))));                                             \
        typedef integer integers __attribute__((vector_size(width * sizeof(T))));                                      \
        typedef natural naturals __attribute__((vector_size(width * sizeof(T))));                                      \
    };
GAMUT_VECTORS(double, std::int64_t, std::uint64_t, 2)
GAMUT_VECTORS(double, std::int64_t, std::uint64_t, 4)
GAMUT_VECTORS(double, std::int64_t, std::uint64_t, 8)
GAMUT_VECTORS(float, std::int32_t, std::uint32_t, 4)
GAMUT_VECTORS(float, std::int32_t, std::uint32_t, 8)
#undef GAMUT_VECTORS

/// How numbers are stored as bits.
template <class T> struct format;
template <> struct format<double> {
    using natural = std::uint64_t;
    static constexpr int fraction = 52;
    static constexpr natural bias = 1023, root_half = 0x3fe6a09e667f3bcd,
                             integer = 0x4330000000000000;  // sqrt(1/2), 2^52
};
template <> struct format<float> {
    using natural = std::uint32_t;
    static constexpr int fraction = 23;
    static constexpr natural bias = 127, root_half = 0x3f3504f3, integer = 0x4b000000;  // sqrt(1/2), 2^23
};
}  // namespace detail

/// Width numbers in vectors of at most Bytes bytes: two halves, or one vector.
template <class T, std::size_t Bytes = 16, std::size_t Width = 8, bool Whole = (Width * sizeof(T) <= Bytes)>
struct pack {
    using value_type = T;
    static constexpr std::size_t width = Width;
    using half = pack<T, Bytes, Width / 2>;
    struct mask {
        typename half::mask low, high;
    };

    half low, high;

    pack() = default;
    GAMUT_INLINE constexpr pack(const half& l, const half& h) : low(l), high(h) {}
    template <class S>
    requires std::is_arithmetic_v<S> GAMUT_INLINE constexpr pack(S x) : low(x), high(x) {}

    GAMUT_INLINE static pack load(const T* p) { return {half::load(p), half::load(p + half::width)}; }
    GAMUT_INLINE void store(T* p) const {
        low.store(p);
        high.store(p + half::width);
    }
    /// p[0], p[stride], p[2 stride], ...
    GAMUT_INLINE static pack gather(const T* p, std::size_t stride) {
        return {half::gather(p, stride), half::gather(p + half::width * stride, stride)};
    }
    GAMUT_INLINE void scatter(T* p, std::size_t stride) const {
        low.scatter(p, stride);
        high.scatter(p + half::width * stride, stride);
    }
    /// p[index[0]], p[index[1]], ...
    GAMUT_INLINE static pack gather_at(const T* p, const std::int32_t* index) {
        return {half::gather_at(p, index), half::gather_at(p, index + half::width)};
    }
    /// No index twice.
    GAMUT_INLINE void scatter_at(T* p, const std::int32_t* index) const {
        low.scatter_at(p, index);
        high.scatter_at(p, index + half::width);
    }

    GAMUT_INLINE friend pack operator+(const pack& a, const pack& b) { return {a.low + b.low, a.high + b.high}; }
    GAMUT_INLINE friend pack operator-(const pack& a, const pack& b) { return {a.low - b.low, a.high - b.high}; }
    GAMUT_INLINE friend pack operator*(const pack& a, const pack& b) { return {a.low * b.low, a.high * b.high}; }
    GAMUT_INLINE friend pack operator/(const pack& a, const pack& b) { return {a.low / b.low, a.high / b.high}; }
    GAMUT_INLINE friend pack operator-(const pack& a) { return {-a.low, -a.high}; }
    GAMUT_INLINE pack& operator+=(const pack& b) {
        low += b.low;
        high += b.high;
        return *this;
    }
    GAMUT_INLINE friend mask operator<(const pack& a, const pack& b) { return {a.low < b.low, a.high < b.high}; }
    GAMUT_INLINE friend mask operator<=(const pack& a, const pack& b) { return {a.low <= b.low, a.high <= b.high}; }
    GAMUT_INLINE friend mask operator>(const pack& a, const pack& b) { return {a.low > b.low, a.high > b.high}; }
    GAMUT_INLINE friend mask operator>=(const pack& a, const pack& b) { return {a.low >= b.low, a.high >= b.high}; }
    GAMUT_INLINE friend mask operator==(const pack& a, const pack& b) { return {a.low == b.low, a.high == b.high}; }
    GAMUT_INLINE friend pack select(const mask& m, const pack& a, const pack& b) {
        return {select(m.low, a.low, b.low), select(m.high, a.high, b.high)};
    }
    GAMUT_INLINE friend pack sqrt(const pack& x) { return {sqrt(x.low), sqrt(x.high)}; }

    /// The sum of the numbers, pairwise: ((0+4)+(2+6)) + ((1+5)+(3+7)).
    GAMUT_INLINE T total() const { return (low + high).total(); }

    GAMUT_INLINE static pack power(const pack& shifted) {
        return {half::power(shifted.low), half::power(shifted.high)};
    }
    GAMUT_INLINE pack exponent() const { return {low.exponent(), high.exponent()}; }
    GAMUT_INLINE pack fraction(const pack& e) const { return {low.fraction(e.low), high.fraction(e.high)}; }
};

template <class T, std::size_t Bytes, std::size_t Width> struct pack<T, Bytes, Width, true> {
    using value_type = T;
    static constexpr std::size_t width = Width;
    using vector = typename detail::vectors<T, Width>::numbers;
    using integers = typename detail::vectors<T, Width>::integers;
    using naturals = typename detail::vectors<T, Width>::naturals;
    struct mask {
        integers m;
    };

    vector v;

    pack() = default;
    GAMUT_INLINE constexpr explicit pack(const vector& x) : v(x) {}
    template <class S>
    requires std::is_arithmetic_v<S> GAMUT_INLINE constexpr pack(S x)
        : v(static_cast<T>(x) - vector{}) {}  // + would turn -0 into 0

    GAMUT_INLINE static pack load(const T* p) {
        pack x;
        __builtin_memcpy(&x.v, p, sizeof(vector));
        return x;
    }
    GAMUT_INLINE void store(T* p) const { __builtin_memcpy(p, &v, sizeof(vector)); }
    GAMUT_INLINE static pack gather(const T* p, std::size_t s) {
        if constexpr (Width == 8)
            return pack(vector{p[0], p[s], p[2 * s], p[3 * s], p[4 * s], p[5 * s], p[6 * s], p[7 * s]});
        else if constexpr (Width == 4)
            return pack(vector{p[0], p[s], p[2 * s], p[3 * s]});
        else
            return pack(vector{p[0], p[s]});
    }
    GAMUT_INLINE void scatter(T* p, std::size_t s) const {
        for (std::size_t i = 0; i < Width; ++i) p[i * s] = v[i];
    }
    GAMUT_INLINE static pack gather_at(const T* p, const std::int32_t* index) {
        static_assert(Width == 2 || Width == 4 || Width == 8);
        const indices at(index);
        if constexpr (Width == 8)
            return pack(vector{p[at[0]], p[at[1]], p[at[2]], p[at[3]], p[at[4]], p[at[5]], p[at[6]], p[at[7]]});
        else if constexpr (Width == 4)
            return pack(vector{p[at[0]], p[at[1]], p[at[2]], p[at[3]]});
        else
            return pack(vector{p[at[0]], p[at[1]]});
    }
    GAMUT_INLINE void scatter_at(T* p, const std::int32_t* index) const {
        const indices at(index);
        for (std::size_t i = 0; i < Width; ++i) p[at[i]] = v[i];
    }

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
    GAMUT_INLINE friend pack sqrt(const pack& x) {
        pack y;
        for (std::size_t i = 0; i < Width; ++i) {
            if constexpr (sizeof(T) == 8)
                y.v[i] = __builtin_sqrt(x.v[i]);
            else
                y.v[i] = __builtin_sqrtf(x.v[i]);
        }
        return y;
    }

    GAMUT_INLINE T total() const {
        if constexpr (Width == 8)
            return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
        else if constexpr (Width == 4)
            return (v[0] + v[2]) + (v[1] + v[3]);
        else
            return v[0] + v[1];
    }

    /// 2^(n - 1) from `shifted` = n + 3/2 2^fraction, whose low bits are those of n.
    GAMUT_INLINE static pack power(const pack& shifted) {
        using format = detail::format<T>;
        return of_bits((bits(shifted) + (format::bias - 1)) << format::fraction);
    }
    /// The n of x = 2^n m with sqrt(1/2) <= m < sqrt(2), x positive and normal; then `fraction` gives m.
    GAMUT_INLINE pack exponent() const {
        using format = detail::format<T>;
        const naturals n = (bits(*this) - format::root_half + (format::bias << format::fraction)) >> format::fraction;
        return of_bits(n | format::integer) -
               pack(T(typename format::natural(1) << format::fraction) + T(format::bias));
    }
    GAMUT_INLINE pack fraction(const pack& e) const {
        using format = detail::format<T>;
        const pack shifted = e + pack(T(typename format::natural(1) << format::fraction) + T(format::bias));
        return of_bits(bits(*this) - ((bits(shifted) - format::bias) << format::fraction));
    }

private:
    /// Numbers of at least 0, read two at a time: where each is used once, reading them is a third of all reading.
    struct indices {
        std::uint64_t pairs[Width / 2];
        GAMUT_INLINE explicit indices(const std::int32_t* index) { __builtin_memcpy(pairs, index, sizeof pairs); }
        GAMUT_INLINE std::size_t operator[](std::size_t i) const {
            constexpr bool low_first = std::endian::native == std::endian::little;
            return (i % 2 == 0) == low_first ? static_cast<std::uint32_t>(pairs[i / 2]) : pairs[i / 2] >> 32;
        }
    };
    GAMUT_INLINE static naturals bits(const pack& x) {
        naturals n;
        __builtin_memcpy(&n, &x.v, sizeof n);
        return n;
    }
    GAMUT_INLINE static pack of_bits(const naturals& n) {
        pack x;
        __builtin_memcpy(&x.v, &n, sizeof n);
        return x;
    }
};

namespace detail {

template <class T> struct exponential_constants;
template <> struct exponential_constants<double> {
    static constexpr double low = -707.7, high = 709.8, shifter = 0x1.8p52;
    static constexpr double ln2_high = 0x1.62e42fefa0000p-1, ln2_low = 0x1.cf79abc9e3b3ap-40;
    static constexpr double polynomial[] = {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800,
                                            1.0 / 362880,     1.0 / 40320,     1.0 / 5040,     1.0 / 720,
                                            1.0 / 120,        1.0 / 24,        1.0 / 6,        1.0 / 2};
};
template <> struct exponential_constants<float> {
    static constexpr float low = -86.6f, high = 88.8f, shifter = 0x1.8p23f;
    static constexpr float ln2_high = 0x1.62e400p-1f, ln2_low = 0x1.7f7d1cp-20f;
    static constexpr float polynomial[] = {1.0f / 5040, 1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 1.0f / 2};
};

template <class T> struct logarithm_constants;
template <> struct logarithm_constants<double> {  // FDLIBM, e_log.c
    static constexpr double polynomial[] = {
        1.479819860511658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01, 2.222219843214978396e-01,
        2.857142874366239149e-01, 3.999999999940941908e-01, 6.666666666666735130e-01};
};
template <> struct logarithm_constants<float> {
    static constexpr float polynomial[] = {0.24279078841f, 0.28498786688f, 0.40000972152f, 0.66666662693f};
};

/// The highest power first.
template <std::size_t I, class P, class T, std::size_t N>
GAMUT_INLINE void add_powers(const T (&coefficients)[N], const P& x, P& y) {
    if constexpr (I < N) {
        y = y * x + P(coefficients[I]);
        add_powers<I + 1>(coefficients, x, y);
    }
}
template <class P, class T, std::size_t N> GAMUT_INLINE P polynomial(const T (&coefficients)[N], const P& x) {
    P y(coefficients[0]);
    add_powers<1>(coefficients, x, y);
    return y;
}

}  // namespace detail

/// exp x = 2^n exp r, x = n ln 2 + r, |r| <= ln 2 / 2. Results below 4.5e-308 (float: 2.5e-38) become 0.
template <class T, std::size_t Bytes, std::size_t Width, bool Whole>
GAMUT_INLINE pack<T, Bytes, Width, Whole> exp(const pack<T, Bytes, Width, Whole>& x) {
    using P = pack<T, Bytes, Width, Whole>;
    using constants = detail::exponential_constants<T>;
    const P above = select(x < P(constants::low), P(constants::low), x);
    const P inside = select(above > P(constants::high), P(constants::high), above);
    const P shifted = inside * P(1.44269504088896340736) + P(constants::shifter);
    const P n = shifted - P(constants::shifter);
    const P r = (inside - n * P(constants::ln2_high)) - n * P(constants::ln2_low);
    const P y = (detail::polynomial(constants::polynomial, r) * (r * r) + r) + P(1);
    return select(x < P(constants::low), P(0), (y * P::power(shifted)) * P(2));  // 2^1024 alone would overflow
}

/// log x = n ln 2 + log m; log m = 2 (s + s^3/3 + s^5/5 + ...), s = (m - 1) / (m + 1).
/// Subnormal numbers count as the smallest normal one; log 0 = -infinity; NaN below 0.
template <class T, std::size_t Bytes, std::size_t Width, bool Whole>
GAMUT_INLINE pack<T, Bytes, Width, Whole> log(const pack<T, Bytes, Width, Whole>& x) {
    using P = pack<T, Bytes, Width, Whole>;
    using constants = detail::exponential_constants<T>;
    using limits = std::numeric_limits<T>;
    const P positive = select(x < P(limits::min()), P(limits::min()), x);
    const P n = positive.exponent();
    const P f = positive.fraction(n) - P(1);
    const P s = f / (P(2) + f);
    const P q =
        detail::polynomial(detail::logarithm_constants<T>::polynomial, s * s) * (s * s);  // log(1 + f) = 2 s + s q
    const P half_square = P(0.5) * f * f;                                                 // 2 s = f - s f
    const P value =
        n * P(constants::ln2_high) + (f - (half_square - (s * (half_square + q) + n * P(constants::ln2_low))));
    const P finite = select(x > P(limits::max()), x, value);
    const P nonzero = select(x == P(0), P(-limits::infinity()), finite);
    return select(x >= P(0), nonzero, P(limits::quiet_NaN()));
}

/// log(1 + x) = log w + (x - (w - 1)) / w with w = 1 + x rounded.
template <class T, std::size_t Bytes, std::size_t Width, bool Whole>
GAMUT_INLINE pack<T, Bytes, Width, Whole> log1p(const pack<T, Bytes, Width, Whole>& x) {
    using P = pack<T, Bytes, Width, Whole>;
    const P w = P(1) + x;
    const P lost = x - (w - P(1));
    const P y = log(w) + lost / w;
    return select(w > P(0), select(w > P(std::numeric_limits<T>::max()), x, y), log(w));
}

#if defined(__GNUC__) && !defined(__clang__)
#    pragma GCC diagnostic pop
#endif

}  // namespace gamut::backend
