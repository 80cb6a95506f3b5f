// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <gamut/compressor/concept.hpp>
#include <gamut/compressor/detail/sixteen_bits.hpp>

namespace gamut::compressor {

/// IEEE 754 binary16: 11 significant bits from 6e-5 to 65,504, fewer down to 6e-8; rounded to nearest, ties to even, once (also
/// from double). 2 bytes a number. What is larger becomes infinite, what is smaller 0; NaN stays NaN.
struct half {
    static constexpr std::string_view name = "half";
    static constexpr bool unbiased = false, contracts = true, needs_error_feedback = false, summable = false;
    static constexpr bool fixed_length = true;

    template <class T> void write(turn, std::span<const T> x, bytes& out) const {
        detail::write_sixteen_bits<detail::to_half>(x, out);
    }
    template <class T> void read(std::span<const std::uint8_t> payload, std::span<T> out) const {
        detail::read_sixteen_bits<detail::from_half>(name, payload, out);
    }
};

}  // namespace gamut::compressor
