// SPDX-License-Identifier: BSL-1.0
// What sums of partial sums must be when they are scattered, or go on in the background; a part of conformance.hpp.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <gamut/communicator/background_gather.hpp>
#include <gamut/communicator/background_sum.hpp>
#include <gamut/communicator/background_sum_scatter.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/communicator/sum_scatter.hpp>
#include <gamut/core/error.hpp>

#include "derived.hpp"

namespace conformance {

/// counts[rank] partial sums of n numbers that differ from rank to rank and from partial sum to partial sum.
template <class C> std::vector<double> partials_of(const C& c, std::size_t count, std::size_t n) {
    std::vector<double> values;
    for (std::size_t i = 0; i < count * n; ++i)
        values.push_back(number_of(c.rank(), i) * (i % 3 == 0 ? 1e-9 : 1.0) - (i % 2 == 0 ? 0.2 : 0.0));
    return values;
}

/// Three rounds of `expected`, this rank's share of an array of n numbers, beside an array of none; a rank waits in another order than
/// its neighbours.
template <class C, class Verdict>
void shares_in_the_background(const C& c, std::size_t n, const std::vector<double>& partials,
                              const std::vector<std::size_t>& counts, const std::vector<double>& expected,
                              Verdict& result) {
    gamut::communicator::background_sum_scatter<C> sums(c, std::vector<std::size_t>{0, n}, counts);
    for (int round = 0; round < 3; ++round) {
        std::vector<double> share(expected.size()), none;
        sums.start(1, partials);
        sums.start(0, none);
        if (c.rank() % 2 == 0) sums.wait(0, none);
        sums.wait(1, share);
        if (c.rank() % 2 != 0) sums.wait(0, none);
        result.check(share == expected, "a share of a background sum has the bits of sum_scatter");
    }
    bool refused = false;
    try {
        sums.start(1, std::vector<double>(partials.size() + 1));
    } catch (const gamut::core::shape_error&) {
        refused = true;
    }
    result.check(refused, "partial sums that a background sum_scatter does not expect are refused");
}

template <class C, class Verdict> void partial_sums_of(const C& c, Verdict& result) {
    namespace communicator = gamut::communicator;
    constexpr bool exact = std::same_as<typename C::sums, gamut::core::exact>;
    const auto ranks = static_cast<std::size_t>(c.size()), rank = static_cast<std::size_t>(c.rank());
    for (const std::size_t most : {1, 2, 5}) {  // the last by exponents
        std::vector<std::size_t> counts;
        for (std::size_t r = 0; r < ranks; ++r) counts.push_back((r + most) % (most + 1));
        counts[0] = most;
        for (const std::size_t n : {1, 7, 40}) {
            const std::vector<double> partials = partials_of(c, counts[rank], n);
            const communicator::shares cut{n, ranks};
            std::vector<double> whole(n), share(cut.size(rank));
            const communicator::counting<C> counted{c};
            communicator::sum_scatter(counted, std::span<const double>(partials), n,
                                      std::span<const std::size_t>(counts), std::span<double>(share));
            const std::size_t away = n - share.size(), others = share.size() * (ranks - 1);
            std::size_t bytes = 8 * away;
            if (exact) bytes = most <= 2 ? 8 * away * counts[rank] : 12 * away + 4 * others;
            result.check(counted.bytes() == bytes, "sum_scatter sends what it says");
            counted.reset();
            shares_in_the_background(counted, n, partials, counts, share, result);
            result.check(counted.bytes() == 3 * bytes + 16 * counted.messages(),
                         "a background sum_scatter sends what sum_scatter does, and headers");
            if constexpr (exact) {
                communicator::sum(c, std::span<const double>(partials), counts[rank], std::span<double>(whole));
                result.check(std::equal(share.begin(), share.end(),
                                        whole.begin() + static_cast<std::ptrdiff_t>(cut.begin(rank))),
                             "a share of an exact sum has the bits of the sum");
                communicator::background_sum<C, double> sums(c, std::vector<std::size_t>{3, n}, counts);
                for (int round = 0; round < 2; ++round) {
                    std::vector<double> total(n);
                    sums.start(1, partials);
                    sums.wait(1, total);
                    result.check(total == whole, "a background sum of partial sums has the bits of the exact sum");
                }
            }
        }
    }
    bool refused = false;
    try {
        std::vector<double> mine(3);
        communicator::sum_scatter(c, std::span<const double>(mine), 7, std::vector<std::size_t>(ranks, 1),
                                  std::span<double>(mine));
    } catch (const gamut::core::shape_error&) {
        refused = true;
    }
    result.check(refused, "sizes that do not fit are refused");

    const communicator::counting<C> counted{c};
    communicator::background_gather<communicator::counting<C>, float> all(counted, 2);
    std::size_t sent = 0;
    bool right = true;
    for (std::size_t round = 0; round < 3; ++round) {
        const auto values = [&](std::size_t r, std::size_t b) {
            return std::vector<float>((r + round) % 3, static_cast<float>(100 * r + 10 * round + b));
        };
        for (std::size_t b = 0; b < 2; ++b) {
            sent += (ranks - 1) * (8 + 4 * values(rank, b).size());
            all.start(b, values(rank, b));
        }
        for (std::size_t k = 0; k < 2; ++k) {
            const std::size_t b = rank % 2 == 0 ? k : 1 - k;  // in another order here and there
            const auto found = all.wait(b);
            for (std::size_t r = 0; r < ranks; ++r) right = right && found[r] == values(r, b);
        }
    }
    result.check(right, "a background gather is what all ranks started with, round by round");
    result.check(counted.bytes() == sent, "a background gather sends 8 bytes more than its numbers");
    c.barrier();
}

}  // namespace conformance
