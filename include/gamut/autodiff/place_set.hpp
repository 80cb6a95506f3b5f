// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace gamut::autodiff {

/// A set of numbers below 256: the slots, or the blocks of parameters, that a part of a program reads.
struct place_set {
    static constexpr std::size_t most = 256;
    std::uint64_t words[4] = {};

    static constexpr place_set of(std::size_t i) {
        place_set s;
        s.add(i);
        return s;
    }
    constexpr bool has(std::size_t i) const { return (words[i / 64] >> i % 64 & 1) != 0; }
    constexpr void add(std::size_t i) { words[i / 64] |= std::uint64_t(1) << i % 64; }
    constexpr bool empty() const { return (words[0] | words[1] | words[2] | words[3]) == 0; }
    constexpr std::size_t size() const { return below(most); }
    /// How many of them are below i.
    constexpr std::size_t below(std::size_t i) const {
        std::size_t n = 0;
        for (std::size_t w = 0; w < 4; ++w) {
            std::uint64_t word = words[w];
            if (i < 64 * w + 64) word = i <= 64 * w ? 0 : word & ((std::uint64_t(1) << (i - 64 * w)) - 1);
            for (; word != 0; word &= word - 1) ++n;
        }
        return n;
    }
    /// Element n, the least being 0.
    constexpr std::size_t at(std::size_t n) const {
        for (std::size_t i = 0; i < most; ++i)
            if (has(i) && n-- == 0) return i;
        return most;
    }

    friend constexpr place_set operator|(const place_set& a, const place_set& b) {
        place_set s;
        for (std::size_t w = 0; w < 4; ++w) s.words[w] = a.words[w] | b.words[w];
        return s;
    }
    friend constexpr bool operator==(const place_set&, const place_set&) = default;
};

}  // namespace gamut::autodiff
