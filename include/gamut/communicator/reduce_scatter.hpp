// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/detail/contribution.hpp>
#include <gamut/core/error.hpp>

namespace gamut::communicator {

/// How n numbers are dealt to ranks: rank r has those from begin(r) to begin(r + 1), and the first n mod ranks have one more.
struct shares {
    std::size_t numbers = 0, ranks = 1;

    std::size_t begin(std::size_t rank) const { return numbers / ranks * rank + std::min(rank, numbers % ranks); }
    std::size_t size(std::size_t rank) const { return begin(rank + 1) - begin(rank); }
};

/// mine[j] = combination over all ranks q, in their order, of values_q[begin(r) + j]: rank r gets its share of the sum (the maximum),
/// cut as `shares` or as `counts` (one per rank, the same on all) say. In rank order: the same bits whatever the communicator.
/// Costs ranks - 1 messages, and n (ranks - 1) / ranks numbers sent by each rank, which is the least there is.
/// Throws shape_error when sizes do not fit. Collective.
template <PairwiseCommunicator C, Element T>
void reduce_scatter(const C& c, std::span<const T> values, std::span<T> mine, operation combine,
                    std::span<const std::size_t> counts = {}) {
    const auto ranks = static_cast<std::size_t>(c.size()), rank = static_cast<std::size_t>(c.rank());
    const shares even{values.size(), ranks};
    std::vector<std::size_t> begin(ranks + 1, 0);
    if (!counts.empty() && counts.size() != ranks)
        throw core::shape_error(core::text("reduce_scatter: ", counts.size(), " counts (there are ", ranks, " ranks)"));
    for (std::size_t r = 0; r < ranks; ++r) begin[r + 1] = begin[r] + (counts.empty() ? even.size(r) : counts[r]);
    if (begin[ranks] != values.size() || mine.size() != begin[rank + 1] - begin[rank])
        throw core::shape_error(core::text("reduce_scatter: ", values.size(), " numbers, of which this rank gets ",
                                           mine.size(), " (the ranks' shares are ", begin[ranks], " in all, and ",
                                           begin[rank + 1] - begin[rank], " here)"));
    std::vector<T> parts(mine.size() * ranks);
    std::vector<parcel<const T>> out;
    std::vector<parcel<T>> in;
    const auto own = values.subspan(begin[rank], mine.size());
    std::copy(own.begin(), own.end(), parts.begin() + static_cast<std::ptrdiff_t>(rank * mine.size()));
    for (std::size_t step = 1; step < ranks; ++step) {  // everybody begins with another one
        const std::size_t to = (rank + step) % ranks, from = (rank + ranks - step) % ranks;
        if (begin[to + 1] > begin[to])
            out.push_back({static_cast<int>(to), values.subspan(begin[to], begin[to + 1] - begin[to])});
        if (!mine.empty())
            in.push_back({static_cast<int>(from), std::span<T>(parts).subspan(from * mine.size(), mine.size())});
    }
    c.exchange(std::span<const parcel<const T>>(out), std::span<const parcel<T>>(in));
    std::copy(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(mine.size()), mine.begin());
    for (std::size_t r = 1; r < ranks; ++r)
        detail::combine_into(mine.data(), parts.data() + r * mine.size(), mine.size(), combine);
}

}  // namespace gamut::communicator
