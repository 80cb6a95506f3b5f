// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/core/random.hpp>
#include <gamut/learn/detail/code_pass.hpp>
#include <gamut/learn/detail/rows.hpp>
#include <gamut/learn/detail/shards.hpp>

namespace gamut::learn::detail {

/// All rows in an order drawn for this epoch, some at a time.
class row_batches {
public:
    row_batches(const core::random& draws, std::size_t rows, std::size_t batch)
        : order_(core::permutation(draws, rows)),
          count_(rows / batch + (rows % batch != 0)) {}

    std::size_t count() const { return count_; }
    /// The rows of batch b, of all ranks.
    std::span<const std::size_t> operator[](std::size_t b) const {
        const std::size_t begin = order_.size() * b / count_, end = order_.size() * (b + 1) / count_;
        return std::span(order_).subspan(begin, end - begin);
    }

private:
    std::vector<std::size_t> order_;
    std::size_t count_;
};

/// code_pass over some rows. Collective: one exact sum of k (columns + k) + 1 numbers.
template <communicator::Communicator C, class Dataset, class Update>
code_sums code_batch(const shards<C>& by, const Dataset& rows, std::span<const std::size_t> batch,
                     const std::vector<double>& basis, std::size_t k, std::vector<double>& codes, Update&& update) {
    constexpr std::size_t block = 128;
    const std::size_t p = rows.columns();
    std::vector<std::vector<std::size_t>> of_shard(by.mine().size());
    for (const std::size_t row : batch) {
        const std::size_t shard = by.shard_of(row);
        if (by.owns(shard)) of_shard[shard - by.mine().begin].push_back(row - by.first_row());
    }
    std::vector<double> totals(k * (p + k) + 1);
    by.sum(totals, [&](std::size_t shard, data::range, std::size_t, double* partial) {
        const std::vector<std::size_t>& mine = of_shard[shard - by.mine().begin];
        std::vector<double> x, z(std::min(block, mine.size()) * k), weighted(z.size()), own(z.size()), room;
        for (std::size_t begin = 0; begin < mine.size(); begin += block) {
            const std::size_t count = std::min(block, mine.size() - begin);
            if (is_sparse(rows.x)) {
                for (std::size_t r = 0; r < count; ++r)
                    multiply(rows.x, mine[begin + r], mine[begin + r] + 1, basis.data(), k, z.data() + r * k, room);
            } else {
                x.resize(count * p);
                for (std::size_t r = 0; r < count; ++r) copy_row(rows.x, mine[begin + r], x.data() + r * p);
                backend::host<double>::gemm(false, false, count, k, p, 1.0, x.data(), p, basis.data(), k, 0.0, z.data(),
                                            k);
            }
            for (std::size_t r = 0; r < count; ++r) {
                const std::size_t i = mine[begin + r];
                const auto w = static_cast<double>(rows.weight(i));
                double* const code = codes.data() + i * k;
                partial[k * (p + k)] += w * update(i, z.data() + r * k, code);
                for (std::size_t l = 0; l < k; ++l) {
                    own[r * k + l] = code[l];
                    weighted[r * k + l] = w * code[l];
                }
            }
            if (is_sparse(rows.x)) {
                for (std::size_t r = 0; r < count; ++r)
                    add_transposed(rows.x, mine[begin + r], mine[begin + r] + 1, weighted.data() + r * k, k, partial,
                                   room);
            } else {
                backend::host<double>::gemm(true, false, p, k, count, 1.0, x.data(), p, weighted.data(), k, 1.0,
                                            partial, k);
            }
            backend::host<double>::gemm(true, false, k, k, count, 1.0, weighted.data(), k, own.data(), k, 1.0,
                                        partial + k * p, k);
        }
    });
    return sums_of(totals, p, k);
}

}  // namespace gamut::learn::detail
