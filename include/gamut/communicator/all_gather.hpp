// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>

namespace gamut::communicator {

/// all = what rank 0 has, what rank 1 has, ...: uneven parts, of counts[r] numbers each, on every rank.
/// Costs ranks - 1 messages, and mine.size() (ranks - 1) numbers sent. Throws shape_error when sizes do not fit. Collective.
template <PairwiseCommunicator C, Element T>
void all_gather(const C& c, std::span<const T> mine, std::span<T> all, std::span<const std::size_t> counts) {
    const auto ranks = static_cast<std::size_t>(c.size()), rank = static_cast<std::size_t>(c.rank());
    std::size_t total = 0;
    for (const std::size_t count : counts) total += count;
    if (counts.size() != ranks || total != all.size() || counts[rank] != mine.size())
        throw core::shape_error(core::text("all_gather: ", mine.size(), " numbers for a result of ", all.size(), " (",
                                           counts.size(), " counts for ", ranks, " ranks, ", total,
                                           " in all) counts must say what each rank brings"));
    std::vector<parcel<const T>> out;
    std::vector<parcel<T>> in;
    std::size_t begin = 0;
    for (std::size_t r = 0; r < ranks; begin += counts[r], ++r) {
        if (r == rank) {
            std::copy(mine.begin(), mine.end(), all.begin() + static_cast<std::ptrdiff_t>(begin));
            continue;
        }
        if (!mine.empty()) out.push_back({static_cast<int>(r), mine});
        if (counts[r] > 0) in.push_back({static_cast<int>(r), all.subspan(begin, counts[r])});
    }
    c.exchange(std::span<const parcel<const T>>(out), std::span<const parcel<T>>(in));
}

/// The same where no rank knows what the others bring: one gather of a count more.
template <PairwiseCommunicator C, Element T> std::vector<T> all_gather(const C& c, std::span<const T> mine) {
    const auto brought = static_cast<std::int64_t>(mine.size());
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(c.size()));
    c.gather(std::span<const std::int64_t>(&brought, 1), std::span<std::int64_t>(sizes));
    std::vector<std::size_t> counts;
    std::size_t total = 0;
    for (const std::int64_t size : sizes) {
        counts.push_back(static_cast<std::size_t>(size));
        total += counts.back();
    }
    std::vector<T> all(total);
    all_gather(c, mine, std::span<T>(all), std::span<const std::size_t>(counts));
    return all;
}

}  // namespace gamut::communicator
