// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <gamut/communicator/single.hpp>
#include <gamut/exchange/compressed_mean.hpp>

#include "../compressor/compressors.hpp"

/// Means over nodes by every compressor that may be used, one after another, with memories.
namespace compressed {

using namespace gamut;

inline const auto compressors = std::make_tuple(
    compressor::none{}, compressor::half{}, compressor::bfloat{}, compressor::int8{}, compressor::quantized{},
    compressor::random_k{.share = 0.3}, compressor::error_feedback<compressor::sign>{},
    compressor::error_feedback{compressor::top_k{.share = 0.1}},
    compressor::error_feedback{compressor::low_rank{.rank = 2}},
    compressor::error_feedback{compressor::random_k{.share = 0.3}},
    compressor::error_feedback<compressor::quantized>{});

template <class T> std::vector<T> numbers(std::size_t n, std::uint64_t round, std::size_t node) {
    return shipped::normals<T>(n, 1000 * round + node);
}

/// The means of some rounds, on this rank.
template <class T, class C, class Compressor>
std::vector<T> means(const C& ranks, const Compressor& c, std::size_t nodes, std::size_t n, std::uint64_t rounds) {
    exchange::mean_memory<Compressor, T> memory;
    std::vector<T> all;
    for (std::uint64_t round = 0; round < rounds; ++round) {
        std::vector<T> mine, out(n, T(-1));
        for (std::size_t node = exchange::first_node(nodes, ranks.rank(), ranks.size());
             node < exchange::first_node(nodes, ranks.rank() + 1, ranks.size()); ++node) {
            const auto x = numbers<T>(n, round, node);
            mine.insert(mine.end(), x.begin(), x.end());
        }
        exchange::compressed_mean<T>(ranks, c, round, nodes, mine, memory, out);
        all.insert(all.end(), out.begin(), out.end());
    }
    return all;
}

/// Throws unless these ranks have the bits of one.
template <class C> void check_bits(const C& ranks) {
    std::apply(
        [&](const auto&... c) {
            const auto check = [&](const auto& one) {
                for (const std::size_t nodes : {1, 3, 8}) {
                    if (means<float>(ranks, one, nodes, 50, 4) !=
                        means<float>(communicator::single<>{}, one, nodes, 50, 4))
                        throw std::runtime_error(std::string(one.name) + ": other bits in float");
                    if (means<double>(ranks, one, nodes, 7, 3) !=
                        means<double>(communicator::single<>{}, one, nodes, 7, 3))
                        throw std::runtime_error(std::string(one.name) + ": other bits in double");
                }
            };
            (check(c), ...);
        },
        compressors);
}

}  // namespace compressed
