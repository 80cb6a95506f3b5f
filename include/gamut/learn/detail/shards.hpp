// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <span>
#include <vector>

#include <gamut/backend/parallel.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/data/shard.hpp>

namespace gamut::learn::detail {

/// Numbers that one rank has each, and the others have 0 for, on all ranks: a sum without rounding. -0 becomes 0, as it would by
/// adding another rank's 0, so that bits are the same on one rank. Collective: one all-reduce.
template <communicator::Communicator C> void everywhere(const C& ranks, std::span<double> values) {
    ranks.all_reduce(values, communicator::operation::sum);
    for (double& value : values) value += 0.0;
}

/// The shards of a rank: who sums, and in what order.
template <communicator::Communicator C> class shards {
public:
    shards(const C& ranks, const data::partition& partition, int threads)
        : ranks_(ranks),
          partition_(partition),
          mine_(partition.shards_of(static_cast<std::size_t>(ranks.rank()), static_cast<std::size_t>(ranks.size()))),
          first_row_(partition.shard_begin(mine_.begin)),
          threads_(std::min<std::size_t>(static_cast<std::size_t>(std::max(threads, 1)),
                                         std::max<std::size_t>(1, mine_.size()))) {}

    const C& ranks() const { return ranks_; }
    const data::partition& partition() const { return partition_; }
    data::range mine() const { return mine_; }
    std::size_t count() const { return partition_.shards; }
    std::size_t threads() const { return threads_; }
    std::size_t first_row() const { return first_row_; }
    /// The rows of a shard of this rank, counted from this rank's first.
    data::range local_rows(std::size_t shard) const {
        const data::range rows = partition_.shard_rows(shard);
        return {rows.begin - first_row_, rows.end - first_row_};
    }
    /// The shard of a row, whosever it is.
    std::size_t shard_of(std::size_t row) const {
        std::size_t low = 0, high = partition_.shards;
        while (high - low > 1) {
            const std::size_t middle = low + (high - low) / 2;
            (partition_.shard_begin(middle) <= row ? low : high) = middle;
        }
        return low;
    }
    bool owns(std::size_t shard) const { return mine_.begin <= shard && shard < mine_.end; }

    /// f(shard, local rows, thread) for this rank's shards, on its threads. Does not communicate.
    template <class F> void each(F&& f) const {
        backend::parallel_for(mine_.begin, mine_.end, threads_,
                              [&](std::size_t shard, std::size_t thread) { f(shard, local_rows(shard), thread); });
    }

    /// totals: on all ranks the exact sum over all shards of what add(shard, local rows, thread, partial) adds to its
    /// totals.size() numbers, which begin at 0. Collective: one exact sum. Not from within `add`: the partials' memory is kept.
    template <class F> void sum(std::span<double> totals, F&& add) const {
        std::exception_ptr failure;
        const std::size_t size = mine_.size() * totals.size();
        try {
            if (partials_.size() < size) partials_.resize(size);
            each([&](std::size_t shard, data::range rows, std::size_t thread) {
                double* const partial = partials_.data() + (shard - mine_.begin) * totals.size();
                std::fill_n(partial, totals.size(), 0.0);
                add(shard, rows, thread, partial);
            });
        } catch (...) {
            failure = std::current_exception();
        }
        communicator::sum(ranks_, std::span<const double>(partials_).first(failure ? 0 : size), mine_.size(), totals,
                          failure);
    }

    /// all: on all ranks, shard after shard, the width numbers that fill(shard, local rows, thread, out) writes for each.
    /// Collective: agree, and one all-reduce.
    template <class F> std::vector<double> gather(std::size_t width, F&& fill) const {
        std::vector<double> all;
        communicator::agree(ranks_, [&] {
            all.resize(count() * width);
            each([&](std::size_t shard, data::range rows, std::size_t thread) {
                fill(shard, rows, thread, all.data() + shard * width);
            });
        });
        everywhere(ranks_, std::span<double>(all));
        return all;
    }

private:
    const C& ranks_;
    data::partition partition_;
    data::range mine_;
    std::size_t first_row_, threads_;
    mutable std::vector<double> partials_;  // of sum: pages once touched stay
};

}  // namespace gamut::learn::detail
