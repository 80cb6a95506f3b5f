// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>
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

    /// Collective: an exact sum of columns numbers, and from every rank three messages to every other: what that needs.
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
        if constexpr (communicator::PairwiseCommunicator<C>)
            exchange(by, rows, first, take);
        else
            throw core::option_error("factorisation: alternating solutions on ranks without exchange (entries go where "
                                     "their columns are) use descent::components");
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
    /// Rank r solves for the columns first[r] <= j < first[r + 1]: take(row, j, value) for what this rank needs, in the order of rows.
    template <communicator::PairwiseCommunicator C, class Dataset, class Take>
    static void exchange(const shards<C>& by, const Dataset& rows, const std::vector<std::size_t>& first, Take&& take) {
        const C& ranks = by.ranks();
        const std::size_t size = first.size() - 1;
        struct part {
            std::vector<std::int32_t> lengths, columns;  // of rows; counted from the first of the rank that needs them
            std::vector<double> values;
        };
        std::vector<part> out(size), in(size);
        std::vector<std::int64_t> counts(size), all(size * size);
        communicator::agree(ranks, [&] {
            std::vector<std::size_t> owner(rows.columns());
            for (std::size_t r = 0; r < size; ++r)
                for (std::size_t j = first[r]; j < first[r + 1]; ++j) owner[j] = r;
            for (part& one : out) one.lengths.resize(rows.local_rows());
            for (std::size_t i = 0; i < rows.local_rows(); ++i)
                visit_row(rows.x, i, [&](std::size_t j, double value) {
                    part& one = out[owner[j]];
                    ++one.lengths[i];
                    one.columns.push_back(static_cast<std::int32_t>(j - first[owner[j]]));
                    one.values.push_back(value);
                });
            for (std::size_t r = 0; r < size; ++r) counts[r] = static_cast<std::int64_t>(out[r].values.size());
        });
        ranks.gather(std::span<const std::int64_t>(counts), std::span<std::int64_t>(all));
        const auto me = static_cast<std::size_t>(ranks.rank());
        std::vector<communicator::parcel<const std::int32_t>> places_out;
        std::vector<communicator::parcel<std::int32_t>> places_in;
        std::vector<communicator::parcel<const double>> values_out;
        std::vector<communicator::parcel<double>> values_in;
        communicator::agree(ranks, [&] {
            for (std::size_t r = 0; r < size; ++r) {
                const int rank = static_cast<int>(r);
                const auto count = static_cast<std::size_t>(all[r * size + me]);
                in[r].lengths.resize(by.partition().rows_of(r, size).size());
                in[r].columns.resize(count);
                in[r].values.resize(count);
                places_out.push_back({rank, out[r].lengths});
                places_out.push_back({rank, out[r].columns});
                values_out.push_back({rank, out[r].values});
                places_in.push_back({rank, in[r].lengths});
                places_in.push_back({rank, in[r].columns});
                values_in.push_back({rank, in[r].values});
            }
        });
        ranks.exchange(std::span<const communicator::parcel<const std::int32_t>>(places_out),
                       std::span<const communicator::parcel<std::int32_t>>(places_in));
        ranks.exchange(std::span<const communicator::parcel<const double>>(values_out),
                       std::span<const communicator::parcel<double>>(values_in));
        std::size_t row = 0;
        for (const part& one : in) {
            std::size_t e = 0;
            for (const std::int32_t length : one.lengths) {
                for (std::int32_t k = 0; k < length; ++k, ++e)
                    take(row, first[me] + static_cast<std::size_t>(one.columns[e]), one.values[e]);
                ++row;
            }
        }
    }

    data::range mine_{};
    std::vector<double> counts_;
    std::vector<std::size_t> offsets_;
    std::vector<entry> entries_;
};

}  // namespace gamut::learn::detail
