// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

namespace gamut::compressor::detail {

template <class T> using natural_of = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

/// Ordered like |x|, infinities and then NaN last.
template <class T> natural_of<T> magnitude(T x) {
    return std::bit_cast<natural_of<T>>(x) & ~(natural_of<T>(1) << (8 * sizeof(T) - 1));
}

/// take(i), in ascending order, for the k places with the largest |x_i|; of equal ones the first. 1 <= k <= x.size().
/// Three passes, of which the second sorts a few: the first counts how often the leading 11 bits of a magnitude occur.
template <class T, class Take> void largest(std::span<const T> x, std::size_t k, Take&& take) {
    using natural = natural_of<T>;
    constexpr unsigned shift = 8 * sizeof(T) - 12;
    std::vector<std::size_t> often(2048);
    for (const T entry : x) ++often[magnitude(entry) >> shift];
    std::size_t above = 0, bucket = 2047;  // numbers in the buckets above the one that the k-th largest is in
    while (above + often[bucket] < k) above += often[bucket--];

    std::vector<natural> inside;
    inside.reserve(often[bucket]);
    for (const T entry : x)
        if (const natural m = magnitude(entry); m >> shift == bucket) inside.push_back(m);
    const auto kth = inside.begin() + static_cast<std::ptrdiff_t>(k - above - 1);
    std::nth_element(inside.begin(), kth, inside.end(), [](natural a, natural b) { return a > b; });
    const natural least = *kth;
    std::size_t equal = k - above;
    for (auto i = inside.begin(); i != kth; ++i)
        if (*i > least) --equal;

    for (std::size_t i = 0; i < x.size(); ++i) {
        const natural m = magnitude(x[i]);
        if (m < least) continue;
        if (m == least) {
            if (equal == 0) continue;
            --equal;
        }
        take(i);
    }
}

}  // namespace gamut::compressor::detail
