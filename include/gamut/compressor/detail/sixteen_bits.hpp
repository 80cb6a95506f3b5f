// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <gamut/compressor/detail/message.hpp>
#include <gamut/compressor/detail/rounding.hpp>

/// Messages of two bytes a number.
namespace gamut::compressor::detail {

inline constexpr std::size_t chunk = 1024;  // numbers that stay in the first-level cache

template <std::uint16_t (*Round)(float), class T>
void write_sixteen_bits(std::span<const T> x, std::vector<std::uint8_t>& out) {
    out.reserve(out.size() + 2 * x.size());
    std::uint16_t words[chunk];
    for (std::size_t begin = 0; begin < x.size(); begin += chunk) {
        const std::size_t count = std::min(chunk, x.size() - begin);
        const T* const from = x.data() + begin;
        for (std::size_t i = 0; i < count; ++i) words[i] = Round(narrow(from[i]));
        append(out, words, count);
    }
}

template <float (*Widen)(std::uint16_t), class T>
void read_sixteen_bits(std::string_view name, std::span<const std::uint8_t> payload, std::span<T> out) {
    check_length(name, payload, out.size(), 2 * out.size());
    std::uint16_t words[chunk];
    for (std::size_t begin = 0; begin < out.size(); begin += chunk) {
        const std::size_t count = std::min(chunk, out.size() - begin);
        take(payload.data() + 2 * begin, words, count);
        T* const to = out.data() + begin;
        for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<T>(Widen(words[i]));
    }
}

}  // namespace gamut::compressor::detail
