// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/data/shard.hpp>
#include <gamut/learn/detail/rows.hpp>
#include <gamut/learn/detail/shards.hpp>

namespace gamut::learn::detail {

/// The columns dealt to ranks in runs of about as many entries; a rank has all entries of its columns, those of a column in the order of
/// rows, whosever they are. Which rank has a column changes no bit of what is computed for it alone.
class column_entries {
public:
    struct entry {
        std::size_t row = 0;  // of all
        double value = 0;
    };

    column_entries() = default;

    /// Collective: an exact sum of columns numbers, and from every rank a broadcast of its rows' lengths and of its entries.
    template <communicator::Communicator C, class Dataset>
    column_entries(const shards<C>& by, const Dataset& rows) : counts_(rows.columns()) {
        const std::size_t p = rows.columns();
        const C& ranks = by.ranks();
        const auto size = static_cast<std::size_t>(ranks.size()), me = static_cast<std::size_t>(ranks.rank());
        by.sum(counts_, [&](std::size_t, data::range local, std::size_t, double* partial) {
            for (std::size_t i = local.begin; i < local.end; ++i)
                visit_row(rows.x, i, [&](std::size_t j, double) { partial[j] += 1; });
        });
        double all = 0, before = 0;
        for (const double count : counts_) all += count + 1;
        std::vector<std::size_t> first(size + 1, p);
        for (std::size_t j = 0, r = 0; j < p; before += counts_[j++] + 1)
            for (; r < size && before * static_cast<double>(size) >= all * static_cast<double>(r); ++r) first[r] = j;
        mine_ = {first[me], first[me + 1]};

        std::vector<std::size_t> next;  // of each column, the place of its next entry
        communicator::agree(ranks, [&] {
            offsets_.assign(mine_.size() + 1, 0);
            for (std::size_t j = mine_.begin; j < mine_.end; ++j)
                offsets_[j - mine_.begin + 1] = offsets_[j - mine_.begin] + static_cast<std::size_t>(counts_[j]);
            next = offsets_;
            entries_.resize(offsets_.back());
        });
        const auto take = [&](std::size_t row, std::size_t j, double value) {
            if (mine_.begin <= j && j < mine_.end) entries_[next[j - mine_.begin]++] = {row, value};
        };
        if (size == 1) {
            for (std::size_t i = 0; i < rows.local_rows(); ++i)
                visit_row(rows.x, i, [&](std::size_t j, double value) { take(i, j, value); });
            return;
        }
        for (std::size_t r = 0; r < size; ++r) {
            std::vector<std::int64_t> places{0, 0}, lengths;  // rank r's columns, and entries per row
            std::vector<double> values;
            communicator::agree(ranks, [&] {
                if (r != me) return;
                places.clear();
                for (std::size_t i = 0; i < rows.local_rows(); ++i) {
                    const std::size_t begun = places.size();
                    visit_row(rows.x, i, [&](std::size_t j, double value) {
                        places.push_back(static_cast<std::int64_t>(j));
                        values.push_back(value);
                    });
                    lengths.push_back(static_cast<std::int64_t>(places.size() - begun));
                }
            });
            const int root = static_cast<int>(r);
            std::int64_t head[] = {static_cast<std::int64_t>(lengths.size()), static_cast<std::int64_t>(values.size()),
                                   static_cast<std::int64_t>(rows.first_row)};
            ranks.broadcast(std::span<std::int64_t>(head), root);
            communicator::agree(ranks, [&] {
                lengths.resize(static_cast<std::size_t>(head[0]));
                places.resize(static_cast<std::size_t>(head[1]));
                values.resize(static_cast<std::size_t>(head[1]));
            });
            ranks.broadcast(std::span<std::int64_t>(lengths), root);
            ranks.broadcast(std::span<std::int64_t>(places), root);
            ranks.broadcast(std::span<double>(values), root);
            std::size_t e = 0, row = static_cast<std::size_t>(head[2]);
            for (const std::int64_t length : lengths) {
                for (std::int64_t k = 0; k < length; ++k, ++e)
                    take(row, static_cast<std::size_t>(places[e]), values[e]);
                ++row;
            }
        }
    }

    /// The columns of this rank.
    data::range mine() const { return mine_; }
    /// How often each of all columns is given.
    const std::vector<double>& counts() const { return counts_; }
    /// Of a column of this rank.
    std::span<const entry> of(std::size_t column) const {
        const std::size_t* const at = offsets_.data() + (column - mine_.begin);
        return std::span(entries_).subspan(at[0], at[1] - at[0]);
    }

private:
    data::range mine_{};
    std::vector<double> counts_;
    std::vector<std::size_t> offsets_;
    std::vector<entry> entries_;
};

}  // namespace gamut::learn::detail
