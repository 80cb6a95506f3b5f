// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <gamut/communicator/all_gather.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/reduce_scatter.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/exact_sum.hpp>

namespace gamut::communicator {

namespace detail {

/// All partial sums of a share go to the rank that it belongs to, which adds them up.
template <PairwiseCommunicator C>
void sum_where_it_belongs(const C& c, std::span<const double> partials, const shares& cut,
                          std::span<const std::size_t> counts, std::span<double> mine) {
    const auto ranks = static_cast<std::size_t>(c.size()), rank = static_cast<std::size_t>(c.rank());
    std::vector<std::vector<double>> leaving(ranks);
    std::size_t total = 0;
    for (const std::size_t count : counts) total += count;
    std::vector<double> arriving(total * mine.size());
    std::vector<parcel<const double>> out;
    std::vector<parcel<double>> in;
    double* place = arriving.data();
    for (std::size_t r = 0; r < ranks; place += counts[r] * mine.size(), ++r) {
        std::vector<double>& own = leaving[r];
        for (std::size_t i = 0; i < counts[rank]; ++i) {
            const auto part = partials.subspan(i * cut.numbers + cut.begin(r), cut.size(r));
            own.insert(own.end(), part.begin(), part.end());
        }
        if (r == rank) {
            std::copy(own.begin(), own.end(), place);
            continue;
        }
        if (!own.empty()) out.push_back({static_cast<int>(r), own});
        if (counts[r] * mine.size() > 0) in.push_back({static_cast<int>(r), {place, counts[r] * mine.size()}});
    }
    c.exchange(std::span<const parcel<const double>>(out), std::span<const parcel<double>>(in));
    core::sum_exactly(arriving, total, mine);
}

/// The exponents are agreed on, then the multiples are added up.
template <PairwiseCommunicator C>
void sum_by_exponents(const C& c, std::span<const double> partials, const shares& cut, std::size_t count,
                      std::span<double> mine) {
    const auto rank = static_cast<std::size_t>(c.rank());
    std::vector<std::int32_t> exponents(cut.numbers), agreed(mine.size());
    core::exponents(partials, count, exponents);
    reduce_scatter(c, std::span<const std::int32_t>(exponents), std::span(agreed), operation::maximum);
    std::vector<std::size_t> sizes;
    for (std::size_t r = 0; r < cut.ranks; ++r) sizes.push_back(cut.size(r));
    all_gather(c, std::span<const std::int32_t>(agreed), std::span(exponents), std::span<const std::size_t>(sizes));
    std::vector<std::int64_t> multiples(cut.numbers), sums(mine.size());
    core::quantize(partials, count, exponents, multiples);
    reduce_scatter(c, std::span<const std::int64_t>(multiples), std::span(sums), operation::sum);
    core::restore(sums, std::span(exponents).subspan(cut.begin(rank), mine.size()), mine);
}

}  // namespace detail

/// This rank's share of what communicator::sum says: the sum over all ranks of their partial sums, with the same bits.
///   partials   counts[rank] x n, row-major; counts[r] is what rank r brings, n and counts being the same on all ranks
///   mine       shares{n, ranks}.size(rank) numbers, those from shares{n, ranks}.begin(rank) on
/// Sent by a rank, in units of n (ranks - 1) / ranks numbers of 8 bytes, the least that there is: with core::fast 1, and the numbers
/// are added in the order of ranks. With core::exact counts[rank], and who owns an entry adds up its partials; or 2, exponents to
/// and fro and then multiples, where a rank brings more than two. Throws shape_error where sizes do not fit. Collective.
template <PairwiseCommunicator C>
void sum_scatter(const C& c, std::span<const double> partials, std::size_t n, std::span<const std::size_t> counts,
                 std::span<double> mine) {
    const auto ranks = static_cast<std::size_t>(c.size()), rank = static_cast<std::size_t>(c.rank());
    const shares cut{n, ranks};
    std::size_t total = 0, most = 0;
    for (const std::size_t count : counts) total += count, most = std::max(most, count);
    if (counts.size() != ranks || partials.size() != counts[rank] * n || mine.size() != cut.size(rank))
        throw core::shape_error(core::text("sum_scatter: ", partials.size(), " numbers, of whose sum this rank gets ",
                                           mine.size(), " (partial sums of ", n, " numbers, ", counts.size(),
                                           " counts for ", ranks, " ranks) sizes must agree"));
    if constexpr (std::same_as<typename C::sums, core::fast>) {
        std::vector<double> sum(n);
        for (std::size_t i = 0; i < counts[rank]; ++i)
            for (std::size_t j = 0; j < n; ++j) sum[j] += partials[i * n + j];
        reduce_scatter(c, std::span<const double>(sum), mine, operation::sum);
    } else {
        if (total > static_cast<std::size_t>(core::exact_sum::most_partials))
            throw core::shape_error(core::text("sum_scatter: ", total, " partial sums per entry (",
                                               core::exact_sum::most_partials, " fit exactly) use fewer blocks"));
        if (most <= 2)
            detail::sum_where_it_belongs(c, partials, cut, counts, mine);
        else
            detail::sum_by_exponents(c, partials, cut, counts[rank], mine);
    }
}

}  // namespace gamut::communicator
