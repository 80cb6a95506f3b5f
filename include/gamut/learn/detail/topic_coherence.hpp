// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <gamut/data/shard.hpp>
#include <gamut/learn/detail/shards.hpp>
#include <gamut/learn/detail/topic_mixture.hpp>

namespace gamut::learn::detail {

/// Per topic, of its best words in order:  sum over pairs i < j  log (D(i and j) + 1) / max(1, D(i)),  D: in how many documents.
/// One pass, one exact sum.
template <class C, class Dataset>
std::vector<double> coherence_of(const shards<C>& by, const Dataset& rows,
                                 const std::vector<std::vector<std::size_t>>& best) {
    const std::size_t topics = best.size(), number = best[0].size(), pairs = number * number;
    std::vector<double> together(topics * pairs), found;
    by.sum(together, [&](std::size_t, data::range local, std::size_t, double* partial) {
        std::vector<char> has(rows.columns());
        for (std::size_t i = local.begin; i < local.end; ++i) {
            const auto words = words_of(rows, i);
            for (const auto& e : words) has[e.word] = 1;
            for (std::size_t k = 0; k < topics; ++k)
                for (std::size_t a = 0; a < number; ++a)
                    for (std::size_t b = 0; has[best[k][a]] != 0 && b < number; ++b)
                        partial[k * pairs + a * number + b] += has[best[k][b]];
            for (const auto& e : words) has[e.word] = 0;
        }
    });
    for (std::size_t k = 0; k < topics; ++k) {
        double sum = 0;
        for (std::size_t b = 1; b < number; ++b)
            for (std::size_t a = 0; a < b; ++a)
                sum += std::log((together[k * pairs + a * number + b] + 1) /
                                std::max(1.0, together[k * pairs + a * (number + 1)]));
        found.push_back(sum);
    }
    return found;
}

}  // namespace gamut::learn::detail
