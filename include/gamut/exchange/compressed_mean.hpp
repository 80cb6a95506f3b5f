// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/all_gather.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/compressor/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/exchange/first_node.hpp>

namespace gamut::exchange {

/// What a rank remembers from one compressed mean to the next: all 0 and empty at first.
template <class Compressor, class T> struct mean_memory {
    std::vector<compressor::memory_of<Compressor, T>> nodes{};  ///< one each, if messages travel
    compressor::memory_of<Compressor, T> shared{};              ///< if sums do
};

namespace detail {

/// Messages of all nodes to all ranks, in the order of the nodes.
struct letters {
    std::vector<std::uint8_t> bytes;
    std::vector<std::size_t> lengths;  ///< of each node's
};

template <communicator::PairwiseCommunicator C>
letters to_everybody(const C& ranks, std::size_t nodes, const letters& mine) {
    const int size = ranks.size();
    const auto count = static_cast<std::size_t>(size);
    const std::size_t most = (nodes + count - 1) / count;
    std::vector<std::int64_t> own(most), everybodys(most * count);
    std::copy(mine.lengths.begin(), mine.lengths.end(), own.begin());
    ranks.gather(std::span<const std::int64_t>(own), std::span<std::int64_t>(everybodys));

    letters all;
    std::vector<std::size_t> bytes(count);
    std::size_t total = 0;
    for (int rank = 0; rank < size; ++rank) {
        const auto r = static_cast<std::size_t>(rank);
        for (std::size_t k = 0; k < first_node(nodes, rank + 1, size) - first_node(nodes, rank, size); ++k) {
            all.lengths.push_back(static_cast<std::size_t>(everybodys[r * most + k]));
            bytes[r] += all.lengths.back();
        }
        total += bytes[r];
    }
    all.bytes.resize(total);
    communicator::all_gather(ranks, std::span<const std::uint8_t>(mine.bytes), std::span<std::uint8_t>(all.bytes),
                             std::span<const std::size_t>(bytes));
    return all;
}

}  // namespace detail

/// The mean over the nodes of what a compressor makes of their vectors, on all ranks, with the same bits for any number of ranks.
///   out = 1/nodes sum over i of y_i,     y_i = decode(encode(x_i))
///     round    0, 1, 2, ...: which meeting it is, the same on all ranks
///     nodes    how many vectors there are on all ranks together; rank r has those from first_node(nodes, r, size) on
///     mine     the vectors of this rank's nodes, row-major, out.size() numbers each
///     memory   this rank's, from the meeting before
/// A summable compressor costs the sums that it says and no message; their order does not matter if the communicator's sums are
/// core::exact. Of others every rank gets every node's message, one from each rank, and adds them up in the order of the
/// nodes, in double: nodes times the length of a message, and a gather of their lengths. Everything else is one all-reduce of 4
/// bytes, by which all ranks throw if one of them has sizes or options that do not fit.
template <class T, communicator::PairwiseCommunicator C, class Compressor>
void compressed_mean(const C& ranks, const Compressor& with, std::uint64_t round, std::size_t nodes,
                     std::span<const T> mine, mean_memory<Compressor, T>& memory, std::span<T> out) {
    static_assert(compressor::Compressor<Compressor, T>,
                  "compressed_mean: needs a compressor; see gamut/compressor/concept.hpp");
    static_assert(!Compressor::needs_error_feedback,
                  "compressed_mean: a biased compressor (top_k, sign, low_rank) loses what it does not send; wrap it: "
                  "compressor::error_feedback{...}");
    const std::size_t n = out.size(), begin = first_node(nodes, ranks.rank(), ranks.size()),
                      own = first_node(nodes, ranks.rank() + 1, ranks.size()) - begin;
    detail::letters letters;
    communicator::agree(ranks, [&] {
        if (nodes == 0) throw core::option_error("compressed_mean: 0 nodes (there is no mean of none) have at least 1");
        if (mine.size() != own * n)
            throw core::shape_error(core::text("compressed_mean: ", mine.size(), " numbers (", own,
                                               " nodes of this rank have ", n, " each) sizes must agree"));
        compressor::validate(with);
        if constexpr (!Compressor::summable) {
            memory.nodes.resize(own);
            compressor::bytes message;
            for (std::size_t k = 0; k < own; ++k) {
                compressor::encode<T>(with, {.round = round, .node = begin + k}, mine.subspan(k * n, n),
                                      memory.nodes[k], message);
                letters.bytes.insert(letters.bytes.end(), message.begin(), message.end());
                letters.lengths.push_back(message.size());
            }
        }
    });
    if constexpr (Compressor::summable) {
        with.mean(round, mine, n, nodes, memory.shared, out, std::span<T>(),
                  [&](std::span<const double> partials, std::size_t count, std::span<double> totals) {
                      communicator::sum(ranks, partials, count, totals);
                  });
    } else {
        const detail::letters all = detail::to_everybody(ranks, nodes, letters);
        std::vector<double> total(n);
        std::vector<T> y(n);
        std::size_t at = 0;
        for (const std::size_t length : all.lengths) {
            compressor::decode<T>(with, std::span(all.bytes).subspan(at, length), std::span<T>(y));
            at += length;
            for (std::size_t j = 0; j < n; ++j) total[j] += static_cast<double>(y[j]);
        }
        for (std::size_t j = 0; j < n; ++j) out[j] = static_cast<T>(total[j] / static_cast<double>(nodes));
    }
}

}  // namespace gamut::exchange
