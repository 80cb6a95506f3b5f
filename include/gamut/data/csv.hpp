// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gamut/backend/matrix.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/data/detail/choose_rows.hpp>
#include <gamut/data/detail/csv_layout.hpp>
#include <gamut/data/detail/csv_rows.hpp>
#include <gamut/data/detail/line_index.hpp>
#include <gamut/data/detail/memory.hpp>
#include <gamut/fwd.hpp>

namespace gamut::data {

/// A text file with a row per line and cells between separators. Features are numbers; the label is a number, or for
/// classification any text. A cell may stand in quotes (a quote within is doubled) but ends on its line; blanks around
/// cells, blank lines, CR LF, a byte-order mark and a missing last line end are fine. A missing value (empty, NA, nan, null,
/// none, ?, .), text in a feature's column, or a row of another length is a data_error with file:line:column.
/// Columns are referred to by name, or by number: "#0" is the first, "#-1" the last.
/// With a fitted model's features in the request, columns are found by their names in the header, and others ignored.
/// Every rank reads its share of the file twice, to count lines and to parse.
template <class T> struct csv {
    static_assert(std::floating_point<T>, "csv: needs float or double");

    using value_type = T;
    using matrix_type = backend::dense_matrix<T>;

    std::string path = {};
    std::string label = {};  // empty: the last column that has no other use
    data::header header = data::header::automatic;
    char separator = ',';
    std::vector<std::string> ignore = {};            // columns to leave out
    std::string weights = {};                        // column that says how often each row counts; empty: once
    std::string offset = {};                         // column that is added to the prediction (before the model's link)
    std::size_t line_limit = std::size_t(64) << 20;  // bytes
    std::size_t memory_limit = 0;                    // bytes per rank; 0: 80 % of what the process may use

    template <communicator::Communicator C>
    [[gnu::cold]] dataset<matrix_type> load(const C& ranks, const request& wanted = {}) const;

private:
    [[gnu::cold]] void validate() const {
        constexpr std::string_view of_numbers = "0123456789+-.\"\r\n";
        if (of_numbers.find(separator) != of_numbers.npos || separator == '\0' ||
            (separator >= 'a' && separator <= 'z') || (separator >= 'A' && separator <= 'Z')) {
            throw core::option_error(core::text("csv: .separator = ", detail::in_quotes({&separator, 1}),
                                                " (it may occur within a cell) use ',' or ';' or '\\t' or '|'"));
        }
    }
};

// out of the class: gamut::compiled has it
template <class T>
template <communicator::Communicator C>
[[gnu::cold]] dataset<backend::dense_matrix<T>> csv<T>::load(const C& ranks, const request& wanted) const {
    communicator::agree(ranks, [&] { validate(); });
    const auto file = detail::open_together(ranks, path);
    const detail::row_syntax syntax{.separator = separator};
    detail::csv_layout layout;
    const detail::memory_budget memory(memory_limit, ranks.local_size());
    communicator::agree(ranks, [&] {
        layout =
            detail::csv_layout(*file, syntax, line_limit, memory, {header, label, weights, offset, ignore}, wanted);
    });
    const detail::line_index lines(ranks, *file, layout.begin, layout.first_line, syntax);
    const auto why_none = layout.has_header ? "only a header line" : "the file is empty or blank";
    const kept_rows kept = detail::choose_rows(ranks, wanted, lines.rows(), path, why_none);

    dataset<matrix_type> result;
    result.partition = data::partition(kept.count(), layout.features.size(), wanted.blocks);
    const range mine =
        result.partition.rows_of(static_cast<std::size_t>(ranks.rank()), static_cast<std::size_t>(ranks.size()));
    std::optional<detail::csv_rows<T>> rows;
    communicator::agree(ranks, [&] {
        const range covered = kept.cover(mine);
        rows.emplace(path, wanted, layout, separator, mine.size(), lines.bytes_of(covered), memory);
        lines.for_each_row(covered, line_limit, [&](std::size_t row, std::string_view line, std::size_t number) {
            rows->read(line, number, kept(row));
        });
    });
    rows->problems.report(ranks);
    if (layout.has_weights) detail::require_weight(ranks, rows->weights, path);
    result.classes = detail::finish_labels(ranks, rows->labels, wanted, kept.source_rows(), rows->y);
    result.x = std::move(rows->x);
    result.y = std::move(rows->y);
    result.weights = std::move(rows->weights);
    result.offsets = std::move(rows->offsets);
    result.has_offsets = layout.has_offsets;
    result.first_row = mine.begin;
    result.features = std::move(layout.features);
    result.label = std::move(layout.label_name);
    result.source = path;
    return result;
}

}  // namespace gamut::data
