// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/core/random.hpp>
#include <gamut/learn/detail/rows.hpp>
#include <gamut/learn/detail/shards.hpp>

namespace gamut::learn::detail {

/// Which pairs of rows there are: row i with (i + offset) mod n for each offset, or `drawn` partners of its own class and as many of
/// others for each row, by counted draws.
struct pair_options {
    std::vector<std::size_t> offsets{};
    std::size_t drawn = 2;
    std::uint64_t seed = 0;
};

/// All rows and classes, on every rank, and the pairs that begin at the rows of this rank's shards.
class row_pairs {
public:
    struct pair {
        std::size_t a, b;
        bool similar;
        double weight;
    };

    /// Collective: one all-reduce of rows (columns + 2) numbers.
    template <communicator::Communicator C, class Dataset>
    row_pairs(const shards<C>& by, const Dataset& rows, const pair_options& which)
        : p_(rows.columns()),
          first_(by.count()),
          last_(by.count()) {
        const std::size_t n = rows.rows(), each = p_ + 2;
        std::vector<double> all(n * each);
        communicator::agree(by.ranks(), [&] {
            for (std::size_t i = 0; i < rows.local_rows(); ++i) {
                double* const to = all.data() + (rows.first_row + i) * each;
                copy_row(rows.x, i, to);
                to[p_] = static_cast<double>(rows.y[i]);
                to[p_ + 1] = static_cast<double>(rows.weight(i));
            }
        });
        everywhere(by.ranks(), std::span<double>(all));
        x_.resize(n * p_);
        for (std::size_t i = 0; i < n; ++i) std::copy_n(all.data() + i * each, p_, x_.data() + i * p_);
        const auto label = [&](std::size_t i) { return all[i * each + p_]; };
        const auto weight = [&](std::size_t i) { return all[i * each + p_ + 1]; };
        const auto add = [&](std::size_t i, std::size_t j) {
            const double w = weight(i) * weight(j);
            if (i != j && w > 0) pairs_.push_back({i, j, label(i) == label(j), w});
        };
        std::vector<std::vector<std::size_t>> of_class;
        for (std::size_t i = 0; i < n; ++i) {
            const auto k = static_cast<std::size_t>(label(i));
            if (of_class.size() <= k) of_class.resize(k + 1);
            of_class[k].push_back(i);
        }
        const core::random draws{.seed = which.seed, .stream = 7};
        for (std::size_t shard = by.mine().begin; shard < by.mine().end; ++shard) {
            first_[shard] = pairs_.size();
            const data::range local = by.local_rows(shard);
            for (std::size_t i = by.first_row() + local.begin; i < by.first_row() + local.end; ++i) {
                for (const std::size_t t : which.offsets) add(i, (i + t) % n);
                if (!which.offsets.empty()) continue;
                const auto& own = of_class[static_cast<std::size_t>(label(i))];
                for (std::size_t d = 0; d < which.drawn; ++d) {
                    add(i, own[draws.below(2 * (i * which.drawn + d), own.size())]);
                    if (own.size() == n) continue;
                    std::size_t other = draws.below(2 * (i * which.drawn + d) + 1, n - own.size());
                    for (const std::size_t o : own) {  // ascending: counts rows of other classes
                        if (o > other) break;
                        ++other;
                    }
                    add(i, other);
                }
            }
            last_[shard] = pairs_.size();
        }
    }

    std::size_t columns() const { return p_; }
    std::size_t count() const { return pairs_.size(); }
    const pair& operator[](std::size_t k) const { return pairs_[k]; }
    data::range of_shard(std::size_t shard) const { return {first_[shard], last_[shard]}; }
    /// out = x_a - x_b
    void difference(std::size_t k, double* out) const {
        const double* const a = x_.data() + pairs_[k].a * p_;
        const double* const b = x_.data() + pairs_[k].b * p_;
        for (std::size_t j = 0; j < p_; ++j) out[j] = a[j] - b[j];
    }

private:
    std::size_t p_;
    std::vector<double> x_;
    std::vector<pair> pairs_;
    std::vector<std::size_t> first_, last_;
};

}  // namespace gamut::learn::detail
