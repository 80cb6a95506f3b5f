// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gamut/backend/matrix.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/data/detail/csv_layout.hpp>
#include <gamut/data/detail/labels.hpp>
#include <gamut/data/detail/memory.hpp>
#include <gamut/data/detail/number.hpp>
#include <gamut/data/detail/problems.hpp>
#include <gamut/data/detail/why_no_number.hpp>

namespace gamut::data::detail {

/// Rows of a CSV file, collected one by one.
template <class T> class csv_rows {
public:
    /// `count` rows are to be kept, from `bytes` bytes of the file. A valid row needs a byte per cell and one behind it, so
    /// when the bytes can't suffice the matrix isn't allocated: the rows are read for their errors only.
    csv_rows(const std::string& source_path, const request& of, const csv_layout& columns, char between,
             std::size_t count, std::size_t bytes, const memory_budget& memory)
        : labels(source_path, of.classes),
          path(source_path),
          wanted(of),
          layout(columns),
          separator(between) {
        std::size_t least = layout.use.size();
        for (const auto purpose : layout.use) least += purpose != csv_layout::ignored;
        stores = count <= bytes / least + 1;
        if (stores) {
            const std::size_t others = std::size_t(wanted.labels) + layout.has_weights + layout.has_offsets;
            memory.require(count * (layout.features.size() + others) * sizeof(T), path);
            x = backend::dense_matrix<T>(count, layout.features.size());
            if (wanted.labels) y.reserve(count);
            if (layout.has_weights) weights.reserve(count);
            if (layout.has_offsets) offsets.reserve(count);
        }
        spare.resize(layout.features.size());
    }

    backend::dense_matrix<T> x;
    std::vector<T> y, weights, offsets;
    label_table labels;
    detail::problems problems;

    void read(std::string_view line, std::size_t number, bool keep) {
        line_number = number;
        T* const row = keep && stores && kept < x.rows ? x.row(kept) : spare.data();
        row_label = 0;
        row_weight = 1;
        row_offset = 0;
        if (!read_row(line, row) || !keep) return;
        ++kept;
        if (wanted.labels) y.push_back(row_label);
        if (layout.has_weights) weights.push_back(row_weight);
        if (layout.has_offsets) offsets.push_back(row_offset);
    }

private:
    template <class... Parts> [[gnu::cold]] bool wrong(std::size_t byte, const Parts&... parts) {
        problems.add(path, ':', line_number, ':', byte, ": ", parts...);
        return false;
    }

    bool read_row(std::string_view line, T* row) {
        csv_cells cells(line, separator);
        const std::size_t columns = layout.use.size();
        for (std::size_t c = 0; c < columns; ++c) {
            if (cells.finished()) {
                return wrong(cells.end_column(), c, c == 1 ? " cell" : " cells", " (", columns,
                             " are needed, as in line ", layout.line_number, ") check the separators");
            }
            const std::int32_t use = layout.use[c];
            if (use >= 0) {
                T value;
                const char* const begin = cells.position();
                const char* const stop = read_number(begin, cells.line_end(), value);
                if (stop != begin && cells.at_cell_end(stop) && std::isfinite(value)) {
                    row[use] = value;
                    cells.resume(stop);
                    continue;
                }
            }
            cells.next();
            if (cells.problem != cell_problem::none) return wrong(cells.column(), describe(cells.problem));
            if (use == csv_layout::ignored) continue;
            if (is_missing(cells.text, use == csv_layout::label && wanted.classification)) {
                return wrong(cells.column(), "missing value ", in_quotes(cells.text), " in column ",
                             in_quotes(layout.names[c]),
                             " (every cell needs one) fill it in, or drop the row or the column");
            }
            if (use == csv_layout::label ? !take_label(cells, c)
                                         : !take_number(cells, c,
                                                        use >= 0                    ? row[use]
                                                        : use == csv_layout::weight ? row_weight
                                                                                    : row_offset)) {
                return false;
            }
        }
        if (!cells.finished()) {
            std::size_t count = columns;
            while (cells.next()) ++count;
            const bool one_more = count == columns + 1;
            return wrong(cells.column(), count, " cells (", columns, " are needed, as in line ", layout.line_number,
                         one_more && cells.text.empty() ? ") take the separator at the end of the line out"
                                                        : ") check the separators and quotes",
                         one_more && !cells.text.empty() && layout.has_header
                             ? ", or name the first column in the header if it has row numbers"
                             : "");
        }
        return true;
    }

    bool take_label(const csv_cells& cells, std::size_t c) {
        if (wanted.classification) {
            const std::size_t id = labels.id(cells.text);
            if (id >= label_table::not_utf8) return wrong(cells.column(), labels.refused_label(id, cells.text));
            row_label = static_cast<T>(id);
            return true;
        }
        if (is_number(cells.text, row_label) && std::isfinite(row_label)) return true;
        const auto what = core::text("label ", in_quotes(cells.text), " in column ", in_quotes(layout.names[c]));
        if (const auto why = why_no_number<T>(cells.text); !why.empty()) return wrong(cells.column(), what, why);
        return wrong(cells.column(), what,
                     " is not a finite number (this is a regression) choose another .label, or a classification model");
    }

    [[gnu::cold]] bool take_number(const csv_cells& cells, std::size_t c, T& value) {
        const bool is_weight = layout.use[c] == csv_layout::weight;
        const std::size_t first = std::min(cells.text.find_first_not_of(' '), cells.text.size());  // in quotes
        const std::string_view text = cells.text.substr(first, cells.text.find_last_not_of(' ') + 1 - first);
        const bool number = is_number(text, value);
        if (number && std::isfinite(value) && (!is_weight || value >= 0)) return true;

        const auto what =
            core::text(is_weight ? "weight " : "", in_quotes(cells.text), " in column ", in_quotes(layout.names[c]));
        if (number && std::isfinite(value))
            return wrong(cells.column(), what, " is negative (a row counts 0 times or more) correct it");
        if (const auto why = why_no_number<T>(text); !why.empty()) return wrong(cells.column(), what, why);
        if (is_weight) return wrong(cells.column(), what, " is not a number (how often a row counts) correct it");
        const char other = other_separator(text);
        if (other != 0)
            return wrong(cells.column(), what, " is not a number (numbers between ", in_quotes({&other, 1}),
                         ") set .separator = ", other == '\t' ? "'\\t'" : in_quotes({&other, 1}));
        return wrong(cells.column(), what,
                     " is not a number (features are numeric) encode it as numbers, or add the column "
                     "to .ignore");
    }

    /// A separator that this cell should have been cut at, because there are numbers before and behind it; or 0.
    char other_separator(std::string_view text) const {
        for (const char other : {';', '\t', '|'}) {
            const auto at = text.find(other);
            if (other == separator || at == text.npos) continue;
            const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
            if (at > 0 && at + 1 < text.size() && is_digit(text[at - 1]) &&
                std::any_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), is_digit))
                return other;
        }
        return 0;
    }

    const std::string path;
    const request& wanted;
    const csv_layout& layout;
    char separator;
    bool stores;
    std::size_t kept = 0, line_number = 0;
    T row_label = 0, row_weight = 1, row_offset = 0;
    std::vector<T> spare;  // for rows that aren't kept
};

}  // namespace gamut::data::detail
