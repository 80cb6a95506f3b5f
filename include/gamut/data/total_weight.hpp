// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/data/dataset.hpp>
#include <gamut/data/standardize.hpp>

namespace gamut::data {

/// The sum of the sample weights over all ranks, the same bits on any number of them; the number of rows where there are none.
/// Collective. Throws data_error if it is no number to divide by.
template <communicator::Communicator C, class Matrix>
[[gnu::cold]] double total_weight(const C& ranks, const dataset<Matrix>& rows) {
    // somebody may have no rows, and so no weights, while others have some
    std::int32_t weighted = rows.weights.empty() ? 0 : 1;
    ranks.all_reduce(std::span<std::int32_t>(&weighted, 1), communicator::operation::maximum);
    if (weighted == 0) return static_cast<double>(rows.rows());
    const range shards =
        rows.partition.shards_of(static_cast<std::size_t>(ranks.rank()), static_cast<std::size_t>(ranks.size()));
    std::vector<double> partials;
    for (std::size_t s = shards.begin; s < shards.end; ++s) {
        double sum = 0;
        if (!rows.weights.empty())
            for (std::size_t i = rows.partition.shard_begin(s); i < rows.partition.shard_begin(s + 1); ++i)
                sum += static_cast<double>(rows.weights[i - rows.first_row]);
        partials.push_back(sum);
    }
    double total = 0;
    communicator::sum(ranks, partials, partials.size(), std::span<double>(&total, 1));
    if (rows.rows() > 0) check_sum_of_weights<typename Matrix::value_type>(total, rows.source);
    return total;
}

}  // namespace gamut::data
