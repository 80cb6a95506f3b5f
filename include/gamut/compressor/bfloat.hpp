// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <gamut/compressor/concept.hpp>
#include <gamut/compressor/detail/sixteen_bits.hpp>

namespace gamut::compressor {

/// The upper half of a float: its whole range with 8 significant bits; rounded to nearest, ties to even, once (also from
/// double). 2 bytes a number. What is beyond a float's range becomes infinite; NaN stays NaN.
/// Wang and Kanwar, BFloat16: the secret to high performance on cloud TPUs, 2019.
struct bfloat {
    static constexpr std::string_view name = "bfloat";
    static constexpr bool unbiased = false, contracts = true, needs_error_feedback = false, summable = false;
    static constexpr bool fixed_length = true;

    template <class T> void write(turn, std::span<const T> x, bytes& out) const {
        detail::write_sixteen_bits<detail::to_bfloat>(x, out);
    }
    template <class T> void read(std::span<const std::uint8_t> payload, std::span<T> out) const {
        detail::read_sixteen_bits<detail::from_bfloat>(name, payload, out);
    }
};

}  // namespace gamut::compressor
