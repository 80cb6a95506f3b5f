// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <gamut/core/error.hpp>
#include <gamut/core/random.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/subset.hpp>

namespace gamut::data {

struct split_options {
    double test_fraction = 0.25;
    std::uint64_t seed = 1;
};

template <class Source> struct train_and_test { subset<Source> train, test; };

namespace detail {

/// A random permutation of 0..n-1 that is computed entry by entry, without a table: a Feistel network of six rounds over
/// the least even number of bits that holds n (at least 8), walked until it lands below n: four steps on average.
class random_order {
public:
    random_order(std::uint64_t seed, std::size_t count) : n(count) {
        half = std::max(4u, (static_cast<unsigned>(std::bit_width(n - 1)) + 1) / 2);
        for (std::uint64_t round = 0; round < rounds; ++round) keys[round] = core::random{seed, stream}.bits(round);
    }

    std::size_t operator()(std::size_t i) const {
        if (n <= 1) return i;
        std::uint64_t place = i;
        do {
            place = step(place);
        } while (place >= n);
        return static_cast<std::size_t>(place);
    }

private:
    static constexpr std::uint64_t rounds = 6, stream = 0x73706c6974;  // "split"

    std::uint64_t step(std::uint64_t value) const {
        const std::uint64_t mask = (std::uint64_t(1) << half) - 1;
        std::uint64_t left = value >> half, right = value & mask;
        for (const std::uint64_t key : keys) {
            std::uint64_t mixed = (right + key) * 0x9e3779b97f4a7c15u;  // the finaliser of SplitMix64
            mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
            mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
            left = std::exchange(right, left ^ ((mixed ^ (mixed >> 31)) & mask));
        }
        return left << half | right;
    }

    std::uint64_t n, keys[rounds];
    unsigned half;
};

}  // namespace detail

/// Cuts a source's rows at random into two sources: round(n * test_fraction) rows to test on, though at least 1, the others
/// to train on. Which rows they are follows from the seed and the number of rows only. Rows keep their order.
///     auto [train, test] = data::split(source, {.test_fraction = 0.25});
/// Throws option_error unless 0 < test_fraction < 1.
template <DataSource Source> train_and_test<Source> split(const Source& source, split_options options = {}) {
    const double fraction = options.test_fraction;
    if (!(fraction > 0 && fraction < 1)) {
        throw core::option_error(
            core::text("split: .test_fraction = ", fraction, " (both parts need rows) choose it above 0 and below 1"));
    }
    const auto part = [=](bool test) {
        return selection{}.then([=](std::size_t rows) {
            const auto rounded = static_cast<std::size_t>(std::llround(static_cast<double>(rows) * fraction));
            const std::size_t tested = rounded > 0 ? rounded : 1;
            return [order = detail::random_order(options.seed, rows), tested, test](std::size_t row) {
                return (order(row) < tested) == test;
            };
        });
    };
    return {{source, part(false)}, {source, part(true)}};
}

}  // namespace gamut::data
