// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <utility>
#include <vector>

#ifndef R123_USE_SSE
#    define R123_USE_SSE 0  // Philox needs none, and it would include every intrinsic the compiler knows
#endif
#include <Random123/philox.h>

#include <gamut/core/error.hpp>

namespace gamut::core {

/// Counter-based random numbers, Philox4x32-10: the draw (seed, stream, index) is the same wherever, whenever and in
/// whatever order it is made. Give each purpose its own stream. No state; about 10 ns a draw.
/// Salmon, Moraes, Dror, Shaw, Parallel random numbers: as easy as 1, 2, 3, SC 2011.
struct random {
    std::uint64_t seed = 0;
    std::uint64_t stream = 0;

    /// 64 uniform bits.
    std::uint64_t bits(std::uint64_t index) const { return words(seed, index)[0]; }

    /// 128 uniform bits, for the price of bits(index), which are the first half.
    std::array<std::uint64_t, 2> more_bits(std::uint64_t index) const { return words(seed, index); }

    /// Uniform on the multiples of 2^-53 in [0, 1).
    double uniform(std::uint64_t index) const { return static_cast<double>(bits(index) >> 11) * 0x1p-53; }

    /// Standard normal (Box and Muller). Its last bits are those of the C library's log and cos.
    double normal(std::uint64_t index) const {
        const auto [first, second] = words(seed, index);
        const double u = static_cast<double>((first >> 11) + 1) * 0x1p-53;  // (0, 1]
        const double v = static_cast<double>(second >> 11) * 0x1p-53;
        return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
    }

    /// Uniform on 0..n-1 without bias; throws option_error for n = 0.
    /// Lemire, Fast random integer generation in an interval, ACM TOMACS 29 (2019).
    std::uint64_t below(std::uint64_t index, std::uint64_t n) const {
        if (n == 0) throw option_error("random: a number below 0 (there is none) n must be at least 1");
        const std::uint64_t biased = (0 - n) % n;  // 2^64 mod n low halves would give some results once too often
        for (std::uint64_t key = seed;; key += 0x9e3779b97f4a7c15u) {
            for (const std::uint64_t word : words(key, index)) {
                const wide product = static_cast<wide>(word) * n;
                if (static_cast<std::uint64_t>(product) >= biased) return static_cast<std::uint64_t>(product >> 64);
            }
        }
    }

private:
    __extension__ typedef unsigned __int128 wide;  // nvcc knows this spelling only

    std::array<std::uint64_t, 2> words(std::uint64_t key, std::uint64_t index) const {
        const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
        const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
        const r123::Philox4x32::ctr_type counter = {{low(index), high(index), low(stream), high(stream)}};
        const r123::Philox4x32::key_type keys = {{low(key), high(key)}};
        const auto out = r123::Philox4x32{}(counter, keys);
        return {out[0] | std::uint64_t{out[1]} << 32, out[2] | std::uint64_t{out[3]} << 32};
    }
};

/// 0..n-1 in random order, every order equally likely (Fisher and Yates). Uses the draws 1..n-1 of the stream.
inline std::vector<std::size_t> permutation(const random& source, std::size_t n) {
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[source.below(i - 1, i)]);
    return order;
}

}  // namespace gamut::core
