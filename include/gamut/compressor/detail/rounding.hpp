// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <bit>
#include <cstdint>

/// Numbers of 16 bits, by operations on bits that a compiler can make vectors of.
namespace gamut::compressor::detail {

inline float narrow(float x) { return x; }

/// The float next to x towards 0 with an odd last bit, unless x is a float: rounding that once more, to fewer bits, gives what
/// rounding x itself would. Boldo and Melquiond, Emulation of a FMA and correctly rounded sums, IEEE Trans. Computers 57 (2008).
inline float narrow(double x) {
    const auto nearest = static_cast<float>(x);
    const auto back = static_cast<double>(nearest);
    const double magnitude = x < 0 ? -x : x, rounded = back < 0 ? -back : back;
    const auto bits = std::bit_cast<std::uint32_t>(nearest);
    const std::uint32_t truncated = bits - (rounded > magnitude ? 1u : 0u);
    const std::uint32_t inexact = (back < x || back > x) ? 1u : 0u;
    return std::bit_cast<float>(truncated | inexact);
}

inline constexpr std::uint32_t infinite = 0x7f800000;

/// IEEE 754 binary16, to nearest, ties to even.
inline std::uint16_t to_half(float x) {
    constexpr std::uint32_t too_large = (127 + 16) << 23, normal = (127 - 14) << 23,
                            magic = (127 - 15 + 23 - 10 + 1) << 23;
    const auto bits = std::bit_cast<std::uint32_t>(x);
    const std::uint32_t sign = bits >> 31 << 15, magnitude = bits & 0x7fffffff;
    // subnormal: the addition rounds, and leaves the result in the low bits
    const std::uint32_t small = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude < normal ? magnitude : 0) +
                                                             std::bit_cast<float>(magic)) -
                                magic;
    const std::uint32_t medium = (magnitude - ((127 - 15) << 23) + 0xfff + (magnitude >> 13 & 1)) >> 13;
    const std::uint32_t large = magnitude > infinite ? 0x7e00u : 0x7c00u;
    return static_cast<std::uint16_t>(sign | (magnitude >= too_large ? large : magnitude < normal ? small : medium));
}

inline float from_half(std::uint16_t half) {
    constexpr std::uint32_t magic = (127 - 14) << 23;
    const std::uint32_t sign = std::uint32_t{half} >> 15 << 31, shifted = std::uint32_t{half} << 17 >> 4;
    const std::uint32_t exponent = shifted & (0x1fu << 23), moved = shifted + ((127 - 15) << 23);
    const std::uint32_t small =
        std::bit_cast<std::uint32_t>(std::bit_cast<float>(moved + (1u << 23)) - std::bit_cast<float>(magic));
    const std::uint32_t large = moved + ((128 - 16) << 23);
    return std::bit_cast<float>(sign | (exponent == 0 ? small : exponent == (0x1fu << 23) ? large : moved));
}

/// The upper half of a float, to nearest, ties to even.
inline std::uint16_t to_bfloat(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    const std::uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16, quiet = bits >> 16 | 0x40;
    return static_cast<std::uint16_t>((bits & 0x7fffffff) > infinite ? quiet : rounded);
}

inline float from_bfloat(std::uint16_t upper) { return std::bit_cast<float>(std::uint32_t{upper} << 16); }

}  // namespace gamut::compressor::detail
