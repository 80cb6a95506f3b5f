// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>

/// Numbers of 16 bits, by operations on bits that a compiler can make vectors of.
namespace gamut::compressor::detail {

inline float narrow(float x) { return x; }

/// c ? a : b without a branch: a compiler does not make vectors of a loop in which an addition depends on a condition.
template <std::integral I> constexpr I blend(bool c, I a, I b) {
    const auto mask = static_cast<I>(-static_cast<I>(c));
    return (a & mask) | (b & ~mask);
}

/// A float that rounds to 16 bits as x itself would: of x the leading 24 bits, the last of them set if any bit behind it is
/// (Boldo and Melquiond, Emulation of a FMA and correctly rounded sums, IEEE Trans. Computers 57, 2008); where floats have fewer
/// bits, x rounded to the multiples of 2^-133 that bfloat has there.
inline float narrow(double x) {
    constexpr std::uint64_t behind = 0x1fffffff;
    const auto bits = std::bit_cast<std::uint64_t>(x);
    const std::uint64_t sign = bits >> 63 << 63, magnitude = bits ^ sign;
    const std::uint64_t odd = (magnitude & ~behind) | (((magnitude & behind) + behind) & (behind + 1));
    const auto size = std::bit_cast<double>(magnitude);
    const auto small = std::bit_cast<std::uint64_t>((size + 0x1.8p-81) - 0x1.8p-81);
    return static_cast<float>(std::bit_cast<double>(blend(size < 0x1p-126, small, odd) | sign));
}

inline constexpr std::int32_t infinite = 0x7f800000;

/// IEEE 754 binary16, to nearest, ties to even.
inline std::uint16_t to_half(float x) {
    constexpr std::int32_t too_large = (127 + 16) << 23, normal = (127 - 14) << 23, move = (127 - 15) << 23,
                           magic = (127 - 15 + 23 - 10 + 1) << 23;
    const auto bits = std::bit_cast<std::int32_t>(x);
    const std::int32_t magnitude = bits & 0x7fffffff,
                       sign = (bits >> 16) & 0x8000;  // signed: plain SSE2 compares these
    // subnormal: the addition rounds, and leaves the result in the low bits
    const std::int32_t small =
        std::bit_cast<std::int32_t>(std::bit_cast<float>(magnitude) + std::bit_cast<float>(magic)) - magic;
    const std::int32_t medium = (magnitude - move + 0xfff + ((magnitude >> 13) & 1)) >> 13;
    const std::int32_t large = blend(magnitude > infinite, 0x7e00, 0x7c00);
    return static_cast<std::uint16_t>(sign |
                                      blend(magnitude >= too_large, large, blend(magnitude < normal, small, medium)));
}

inline float from_half(std::uint16_t half) {
    constexpr std::int32_t magic = (127 - 14) << 23, highest = 0x1f << 23;
    const std::int32_t shifted = (half & 0x7fff) << 13, moved = shifted + ((127 - 15) << 23);
    const std::int32_t exponent = shifted & highest;
    const auto small =
        std::bit_cast<std::int32_t>(std::bit_cast<float>(moved + (1 << 23)) - std::bit_cast<float>(magic));
    const std::int32_t large = moved + ((128 - 16) << 23);
    const std::int32_t size = blend(exponent == 0, small, blend(exponent == highest, large, moved));
    return std::bit_cast<float>(static_cast<std::uint32_t>(size) | static_cast<std::uint32_t>(half & 0x8000) << 16);
}

/// The upper half of a float, to nearest, ties to even.
inline std::uint16_t to_bfloat(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    const std::uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16, quiet = bits >> 16 | 0x40;
    return static_cast<std::uint16_t>(static_cast<std::int32_t>(bits & 0x7fffffff) > infinite ? quiet : rounded);
}

inline float from_bfloat(std::uint16_t upper) { return std::bit_cast<float>(std::uint32_t{upper} << 16); }

}  // namespace gamut::compressor::detail
