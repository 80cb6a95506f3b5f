// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <gamut/backend/sparse.hpp>
#include <gamut/learn/detail/rows.hpp>
#include <gamut/learn/detail/shards.hpp>

namespace gamut::learn::detail {

/// The entries of this rank's shards, each shard's by columns and those of a column by rows, cut where every `width`-th column begins.
class entries_by_column {
public:
    struct entry {
        std::size_t row = 0, column = 0;  // row: counted from this rank's first
        double value = 0;
    };

    entries_by_column() = default;
    template <communicator::Communicator C, class Dataset>
    entries_by_column(const shards<C>& by, const Dataset& rows, std::size_t width)
        : first_shard_(by.mine().begin),
          parts_((rows.columns() + width - 1) / width),
          bounds_(by.mine().size() * (parts_ + 1)),
          entries_(backend::entries_of(rows.x, 0, rows.local_rows())) {
        const std::size_t p = rows.columns();
        by.each([&](std::size_t shard, data::range local, std::size_t) {
            std::vector<std::size_t> next(p + 1);  // of each column, the place of its next entry
            for (std::size_t i = local.begin; i < local.end; ++i)
                visit_row(rows.x, i, [&](std::size_t j, double) { ++next[j + 1]; });
            next[0] = backend::entries_of(rows.x, 0, local.begin);
            for (std::size_t j = 0; j < p; ++j) next[j + 1] += next[j];
            for (std::size_t part = 0; part <= parts_; ++part)
                bounds_[(shard - first_shard_) * (parts_ + 1) + part] = next[std::min(p, part * width)];
            for (std::size_t i = local.begin; i < local.end; ++i)
                visit_row(rows.x, i, [&](std::size_t j, double value) { entries_[next[j]++] = {i, j, value}; });
        });
    }

    /// visit(entry) for those of a shard in columns [part width, (part + 1) width).
    template <class F> void visit(std::size_t shard, std::size_t part, F&& visit) const {
        const std::size_t* const bounds = bounds_.data() + (shard - first_shard_) * (parts_ + 1) + part;
        for (std::size_t e = bounds[0]; e < bounds[1]; ++e) visit(entries_[e]);
    }

private:
    std::size_t first_shard_ = 0, parts_ = 0;
    std::vector<std::size_t> bounds_;
    std::vector<entry> entries_;
};

}  // namespace gamut::learn::detail
