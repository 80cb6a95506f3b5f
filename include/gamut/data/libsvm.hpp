// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <gamut/backend/sparse.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/data/detail/choose_rows.hpp>
#include <gamut/data/detail/libsvm_rows.hpp>
#include <gamut/data/detail/line_index.hpp>
#include <gamut/data/detail/memory.hpp>
#include <gamut/data/detail/names.hpp>
#include <gamut/fwd.hpp>

namespace gamut::data {

/// A text file with a row per line, `label index:value index:value ...`; what isn't named is 0. Indices start at 1 and
/// come in any order, each once. Labels are numbers. Comments (#), blank lines, qid:n, CR LF, a byte-order mark and a
/// missing last line end are fine; anything else is a data_error with file:line:column.
/// Every rank reads its share of the file twice, to count lines and to parse; a third time if the file turns out to
/// have so many columns (half a million) that there are fewer shards.
template <class T> struct libsvm {
    static_assert(std::floating_point<T>, "libsvm: needs float or double");

    using value_type = T;
    using matrix_type = backend::sparse_matrix<T>;

    std::string path = {};
    std::size_t features = 0;                        // columns; 0: the largest index in the file
    bool zero_based = false;                         // indices start at 0
    std::size_t index_limit = std::size_t(1) << 26;  // larger ones are taken for mistakes, unless `features` is given
    std::size_t line_limit = std::size_t(64) << 20;  // bytes
    std::size_t memory_limit = 0;                    // bytes per rank; 0: 80 % of what the process may use

    template <communicator::Communicator C>
    [[gnu::cold]] dataset<matrix_type> load(const C& ranks, const request& wanted = {}) const;

private:
    static constexpr std::size_t most_columns = std::numeric_limits<std::int32_t>::max();

    [[gnu::cold]] void validate(const request& wanted) const {
        const std::size_t given = std::max(features, index_limit);
        if (given > most_columns) {
            throw core::option_error(core::text("libsvm: .", given == features ? "features = " : "index_limit = ",
                                                given, " (indices have 31 bits) use at most ", most_columns));
        }
        if (features && !wanted.features.empty() && features != wanted.features.size()) {
            throw core::option_error(core::text("libsvm: .features = ", features, " (the model has ",
                                                wanted.features.size(), ") leave it at 0"));
        }
    }

    [[gnu::cold]] detail::libsvm_indices indices(const request& wanted) const {
        const std::size_t first = zero_based ? 0 : 1;
        if (!wanted.features.empty()) {
            return {first, wanted.features.size(), core::text("the model has ", wanted.features.size(), " features"),
                    "drop the entry, or fit the model to data that have this feature"};
        }
        if (features) return {first, features, core::text(".features is ", features), "set .features higher, or to 0"};
        return {first, index_limit + 1 - first, core::text("the limit is ", index_limit, " unless .features is given"),
                "set .features, or a higher .index_limit"};
    }
};

// out of the class: gamut::compiled has it
template <class T>
template <communicator::Communicator C>
dataset<backend::sparse_matrix<T>> libsvm<T>::load(const C& ranks, const request& wanted) const {
    communicator::agree(ranks, [&] { validate(wanted); });
    const auto file = detail::open_together(ranks, path);
    const detail::line_index lines(ranks, *file, file->text_begin(), 1, {.comment = '#'});
    const auto why_none = file->size() == 0 ? "the file is empty" : "it has blank lines and comments only";
    const kept_rows kept = detail::choose_rows(ranks, wanted, lines.rows(), path, why_none);
    const auto rank = static_cast<std::size_t>(ranks.rank()), size = static_cast<std::size_t>(ranks.size());

    const detail::memory_budget memory(memory_limit, ranks.local_size());
    dataset<matrix_type> result;
    std::size_t columns = features ? features : wanted.features.size();
    result.partition = data::partition(kept.count(), columns, wanted.blocks);
    for (;;) {
        const range mine = result.partition.rows_of(rank, size);
        detail::libsvm_rows<T> rows(path, wanted, indices(wanted), memory);
        communicator::agree(ranks, [&] {
            lines.for_each_row(kept.cover(mine), line_limit,
                               [&](std::size_t row, std::string_view line, std::size_t number) {
                                   rows.read(line, number, kept(row));
                               });
        });
        rows.problems.report(ranks);

        std::int64_t seen[] = {static_cast<std::int64_t>(rows.columns), rows.has_values};
        ranks.all_reduce(std::span<std::int64_t>(seen), communicator::operation::maximum);
        if (columns == 0) columns = static_cast<std::size_t>(seen[0]);
        if (columns == 0) file->fail("no features", "all rows are empty", "set .features, or check the file");
        const data::partition with_columns(kept.count(), columns, wanted.blocks);
        const bool moved = with_columns.blocks != result.partition.blocks;
        result.partition = with_columns;
        if (moved) continue;

        result.classes = detail::finish_labels(ranks, rows.labels, wanted, kept.source_rows(), rows.y);
        communicator::agree(ranks, [&] {
            memory.require_columns(columns, path);
            if (seen[1]) rows.spell_out_values();
            rows.x.columns = columns;
            result.features = wanted.features.empty() ? detail::generated_names(columns) : wanted.features;
        });
        result.x = std::move(rows.x);
        result.y = std::move(rows.y);
        result.first_row = mine.begin;
        result.label = "label";
        result.source = path;
        return result;
    }
}

}  // namespace gamut::data
