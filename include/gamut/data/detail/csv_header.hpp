// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <gamut/data/detail/csv_cell.hpp>
#include <gamut/data/detail/line_index.hpp>
#include <gamut/data/detail/line_reader.hpp>
#include <gamut/data/detail/memory.hpp>
#include <gamut/data/detail/number.hpp>

namespace gamut::data::detail {

using csv_line = std::vector<std::string>;  // its cells

/// A text takes many times the memory of a cell that is a byte long. Throws out_of_memory when a line has too many.
inline void require_cells(std::string_view line, char separator, const memory_budget& memory, const std::string& path) {
    memory.require_columns(static_cast<std::size_t>(std::count(line.begin(), line.end(), separator)) + 1, path);
}

/// The rows behind the first line, a thousand or 64 KiB of them, but one at least where there is one.
[[gnu::cold]] inline std::vector<csv_line> sample_rows(line_reader& lines, const row_syntax& syntax,
                                                       const memory_budget& memory, const std::string& path) {
    constexpr std::size_t most_rows = 1000, most_bytes = std::size_t(1) << 16;
    std::vector<csv_line> sample;
    std::size_t bytes = 0;
    for (std::string_view line; sample.size() < most_rows && bytes < most_bytes && lines.next(line);) {
        if (!syntax.is_row(line)) continue;
        bytes += line.size();
        require_cells(line, syntax.separator, memory, path);
        csv_line cells_of_line;
        for (csv_cells cells(line, syntax.separator); cells.next();) cells_of_line.emplace_back(cells.text);
        sample.push_back(std::move(cells_of_line));
    }
    return sample;
}

enum class first_line { names, row, unclear };

/// What the first line of a file is, told from it and from the rows behind it.
class header_guess {
public:
    /// `features`: which columns are; `label`: the column that is, if labels are wanted.
    header_guess(const csv_line& first, const std::vector<bool>& features, std::optional<std::size_t> label,
                 const std::vector<csv_line>& sample)
        : line(first),
          is_feature(features),
          label_column(label),
          rows(sample) {}

    /// Names, if a cell of a feature is neither a number nor missing, or that of a number to be predicted. Where all that
    /// is text is the name of a class, numbers may still be names (0, 1, 2 as pandas writes them): see below.
    [[gnu::cold]] first_line operator()(bool classification) const {
        for (std::size_t c = 0; c < line.size(); ++c)
            if (is_feature[c] && is_text(line[c])) return first_line::names;
        if (!label_column || !is_text(line[*label_column])) return numbered() ? first_line::unclear : first_line::row;
        if (!classification) return first_line::names;
        return with_text_label();
    }

private:
    static bool is_text(std::string_view cell) {
        double value;
        return !is_missing(cell) && !is_number(cell, value);
    }
    static bool is_whole_number(std::string_view cell) {
        return !cell.empty() && cell.size() <= 9 && cell.find_first_not_of("0123456789") == cell.npos &&
               (cell.size() == 1 || cell[0] != '0');
    }

    /// The label of the first line is text. It is a class if it comes again. If it does not, though others do, and the
    /// features are different whole numbers, then it may be a name among names: certainly where these count 0, 1, 2 ...
    /// or 1, 2, 3 ... and the columns hold fractions, or are many, or the other labels are numbers.
    [[gnu::cold]] first_line with_text_label() const {
        const std::string& label = line[*label_column];
        std::unordered_set<std::string_view> others;
        std::size_t labels = 0, numbers = 0;
        for (const csv_line& row : rows) {
            if (row.size() <= *label_column) continue;
            const std::string& other = row[*label_column];
            if (other == label) return first_line::row;
            double value;
            others.insert(other);
            numbers += is_number(other, value);
            ++labels;
        }
        std::unordered_set<std::string_view> names;
        std::size_t counted_from_0 = 0, counted_from_1 = 0;
        for (std::size_t c = 0; c < line.size(); ++c) {
            if (!is_feature[c] || line[c].empty()) continue;
            if (!is_whole_number(line[c]) || !names.insert(line[c]).second) return first_line::row;
            counted_from_0 += line[c] == std::to_string(names.size() - 1);
            counted_from_1 += line[c] == std::to_string(names.size());
        }
        const std::size_t count = names.size();
        const bool counts = count > 0 && (counted_from_0 == count || counted_from_1 == count);
        const bool all_numbers = labels > 0 && numbers == labels;
        if (counts && (count >= 4 || all_numbers || has_fractions())) return first_line::names;
        return others.size() == labels && !all_numbers ? first_line::row : first_line::unclear;
    }

    /// The first line is 0, 1, 2 ... to its end, and there are fractions below it.
    [[gnu::cold]] bool numbered() const {
        if (line.size() < 3) return false;
        for (std::size_t c = 0; c < line.size(); ++c)
            if (line[c] != std::to_string(c)) return false;
        return has_fractions();
    }

    [[gnu::cold]] bool has_fractions() const {
        return std::any_of(rows.begin(), rows.end(), [&](const csv_line& row) {
            for (std::size_t c = 0; c < std::min(row.size(), line.size()); ++c) {
                double value;
                if (is_feature[c] && row[c].find('.') != std::string::npos && is_number(row[c], value)) return true;
            }
            return false;
        });
    }

    const csv_line& line;
    const std::vector<bool>& is_feature;
    std::optional<std::size_t> label_column;
    const std::vector<csv_line>& rows;
};

}  // namespace gamut::data::detail
