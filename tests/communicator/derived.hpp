// SPDX-License-Identifier: BSL-1.0
// What is made of exchanges and letters, against plain arithmetic; a part of what every communicator must do.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include <gamut/communicator/all_gather.hpp>
#include <gamut/communicator/background_sum.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/group.hpp>
#include <gamut/communicator/reduce_scatter.hpp>
#include <gamut/core/error.hpp>

namespace conformance {

/// Number j of a rank; not to be added up exactly, so that the order shows.
inline double number_of(int rank, std::size_t j) {
    return 1.0 / static_cast<double>(3 + rank) + 0.1 * static_cast<double>(j % 13);
}

inline double total_of(int ranks, std::size_t j) {
    double sum = number_of(0, j);
    for (int r = 1; r < ranks; ++r) sum += number_of(r, j);
    return sum;
}

template <class C, class Verdict> void derived_of(const C& c, Verdict& result) {
    namespace communicator = gamut::communicator;
    using communicator::operation;
    const auto ranks = static_cast<std::size_t>(c.size()), rank = static_cast<std::size_t>(c.rank());
    for (const std::size_t n : {0, 1, 2, 7, 1000}) {
        std::vector<double> values(n);
        for (std::size_t j = 0; j < n; ++j) values[j] = number_of(c.rank(), j);
        const communicator::shares cut{n, ranks};
        std::vector<double> mine(cut.size(rank));
        communicator::reduce_scatter(c, std::span<const double>(values), std::span<double>(mine), operation::sum);
        bool right = true;
        for (std::size_t j = 0; j < mine.size(); ++j)
            right = right && mine[j] == total_of(c.size(), cut.begin(rank) + j);
        result.check(right, "reduce_scatter gives each rank its share of the sum, added in rank order");

        std::vector<std::size_t> counts(ranks, 0);
        counts.back() = n;  // all to the last
        std::vector<double> most(rank + 1 == ranks ? n : 0);
        communicator::reduce_scatter(c, std::span<const double>(values), std::span<double>(most), operation::maximum,
                                     counts);
        right = true;
        for (std::size_t j = 0; j < most.size(); ++j) right = right && most[j] == number_of(0, j);
        result.check(right, "reduce_scatter with counts");
    }
    std::vector<float> mine(2 * rank);
    std::iota(mine.begin(), mine.end(), static_cast<float>(100 * rank));
    const auto all = communicator::all_gather(c, std::span<const float>(mine));
    bool right = all.size() == ranks * (ranks - 1);
    for (std::size_t r = 0, at = 0; right && r < ranks; ++r)
        for (std::size_t j = 0; j < 2 * r; ++j, ++at) right = right && all[at] == static_cast<float>(100 * r + j);
    result.check(right, "all_gather of uneven parts");

    const communicator::counting<C> counted{c};
    const std::vector<double> some(3 * ranks, 1.0);
    std::vector<double> share(3), together(3 * ranks);
    const std::vector<std::size_t> thrice(ranks, 3);
    communicator::reduce_scatter(counted, std::span<const double>(some), std::span<double>(share), operation::sum);
    communicator::all_gather(counted, std::span<const double>(share), std::span<double>(together),
                             std::span<const std::size_t>(thrice));
    result.check(counted.messages() == 2 * (ranks - 1) && counted.bytes() == 48 * (ranks - 1),
                 "reduce_scatter and all_gather send to the others only");

    const std::vector<std::size_t> sizes{3, 0, 500, 1};
    communicator::background_sum<C, double> sums(c, sizes);
    for (int round = 0; round < 3; ++round) {
        std::vector<std::vector<double>> values(sizes.size());
        for (std::size_t b = 0; b < sizes.size(); ++b) {
            values[b].resize(sizes[b]);
            for (std::size_t j = 0; j < sizes[b]; ++j)
                values[b][j] = number_of(c.rank(), j + b + static_cast<std::size_t>(round));
            sums.start(b, values[b]);
        }
        for (std::size_t k = sizes.size(); k-- > 0;) {
            const std::size_t b = rank % 2 ? k : sizes.size() - 1 - k;  // in another order here and there
            sums.wait(b, values[b]);
            for (std::size_t j = 0; j < sizes[b]; ++j)
                right = right && values[b][j] == total_of(c.size(), j + b + static_cast<std::size_t>(round));
        }
    }
    result.check(right, "background sums are those of the ranks in order");
    bool refused = false;
    try {
        sums.start(9, std::span<const double>());
    } catch (const gamut::core::shape_error&) {
        refused = true;
    }
    result.check(refused, "an array that a background sum does not have is refused");
}

/// What a group is: the sums, gathers and broadcasts of its members, none of the others'.
template <class C, class Verdict> void groups_of(const C& c, Verdict& result) {
    namespace communicator = gamut::communicator;
    const auto halves = communicator::split(c, c.rank() % 2);
    result.check(halves.rank() == c.rank() / 2 && halves.size() == (c.size() + 1 - c.rank() % 2) / 2,
                 "split by colour");
    std::vector<double> values(11, static_cast<double>(c.rank()));
    halves.all_reduce(std::span<double>(values), communicator::operation::sum);
    double expected = 0;
    for (int r = c.rank() % 2; r < c.size(); r += 2) expected += r;
    result.check(std::all_of(values.begin(), values.end(), [&](double x) { return x == expected; }),
                 "the sum of a group");
    for (const int k : {1, 2, 3, 64}) {
        const auto machine = communicator::machine_of(c, k);
        result.check(machine.size() == std::min(k, c.size() - c.rank() / k * k) && machine.rank() == c.rank() % k,
                     "machines of k ranks");
        std::int32_t first = c.rank();
        machine.broadcast(std::span<std::int32_t>(&first, 1), 0);
        result.check(first == c.rank() / k * k, "a broadcast within a machine");
        machine.barrier();
    }
    bool refused = false;
    try {
        const communicator::group<C> bad(c, {0, 0});
    } catch (const gamut::core::communicator_error&) {
        refused = true;
    }
    result.check(refused, "a group with a rank twice is refused");
}

}  // namespace conformance
