// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <gamut/data/concept.hpp>
#include <gamut/data/detail/csv_cell.hpp>
#include <gamut/data/detail/line_index.hpp>
#include <gamut/data/detail/line_reader.hpp>
#include <gamut/data/detail/names.hpp>
#include <gamut/data/detail/number.hpp>

namespace gamut::data {

/// Whether the first line of a file names the columns. Automatic: it does if a cell of a feature is neither a number nor
/// missing, or if a column is referred to by name.
enum class header { automatic, yes, no };

namespace detail {

/// What a user says about the columns of a CSV file; each is a name, or "#3" (from 0), or "#-1" (the last).
struct csv_columns {
    data::header header;
    const std::string& label;
    const std::string& weights;
    const std::string& offset;
    const std::vector<std::string>& ignore;
};

/// What each column of a CSV file is for, told from its first line.
class csv_layout {
public:
    static constexpr std::int32_t ignored = -1, label = -2, weight = -3, offset = -4;

    std::vector<std::int32_t> use;      // per column of the file: one of the above, or the feature's place
    std::vector<std::string> names;     // per column of the file: from the header, or #0, #1, ...
    std::vector<std::string> features;  // in their order in the dataset
    std::string label_name = "label";
    bool has_header = false, has_weights = false, has_offsets = false;
    std::size_t begin = 0, first_line = 1;  // where the rows start
    std::size_t line_number = 1;            // of the line that all this was told from

    csv_layout() = default;
    /// Leaves everything empty for a file without rows. Throws data_error.
    csv_layout(const text_file& file, row_syntax syntax, std::size_t line_limit, const csv_columns& given,
               const request& wanted)
        : begin(file.text_begin()),
          path(file.name()) {
        line_reader lines(file, begin, 1, line_limit);
        std::string_view line;
        do {
            begin = lines.end_offset();
            if (!lines.next(line)) return;
        } while (!syntax.is_row(line));
        first_line = line_number = lines.number();
        read_names(csv_cells(line, syntax.separator));
        has_header = names_columns(given);
        if (has_header) {
            begin = lines.end_offset();
            ++first_line;
        } else {
            for (std::size_t c = 0; c < names.size(); ++c) names[c] = core::text('#', c);
        }
        assign(given, wanted);
        if (features.empty()) complain_of_no_features(line);
    }

private:
    template <class... Parts> [[noreturn]] void fail(std::size_t byte, const Parts&... parts) const {
        throw core::data_error(core::text(path, ':', line_number, ':', byte, ": ", parts...));
    }

    void read_names(csv_cells cells) {
        while (cells.next()) {
            if (cells.problem != cell_problem::none) fail(cells.column(), describe(cells.problem));
            names.emplace_back(cells.text);
            bytes.push_back(cells.column());
        }
    }

    /// "#3", "#-1" as a column, if it is one.
    std::optional<std::size_t> by_number(std::string_view reference) const {
        std::ptrdiff_t number = 0;
        const char* const end = reference.data() + reference.size();
        if (!reference.starts_with('#')) return {};
        const auto [stop, problem] = std::from_chars(reference.data() + 1, end, number);
        const auto columns = static_cast<std::ptrdiff_t>(names.size());
        if (number < 0) number += columns;
        if (problem != std::errc() || stop != end || number < 0 || number >= columns) return {};
        return static_cast<std::size_t>(number);
    }
    std::optional<std::size_t> by_name(std::string_view reference) const {
        const auto name = std::find(names.begin(), names.end(), reference);
        if (!has_header || name == names.end()) return {};
        return static_cast<std::size_t>(name - names.begin());
    }
    std::size_t find(const char* option, const std::string& reference) const {
        if (const auto column = by_name(reference)) return *column;
        if (const auto column = by_number(reference)) return *column;
        if (reference.starts_with('#')) {
            fail(1, option, " = ", in_quotes(reference), " is no column (there are ", names.size(),
                 ") count from #0 to #", names.size() - 1);
        }
        if (!has_header) {
            fail(1, option, " = ", in_quotes(reference),
                 " is no column (the file has no header line) give its number, as "
                 "\"#0\", or set .header = data::header::yes");
        }
        fail(1, option, " = ", in_quotes(reference), " is no column (of the header) ", suggest(reference, names));
    }

    bool names_columns(const csv_columns& given) const {
        if (given.header != header::automatic) return given.header == header::yes;
        std::vector<bool> counts(names.size(), true);
        const auto named = [&](std::string_view reference) {
            if (const auto column = by_number(reference)) counts[*column] = false;
            return !reference.empty() && !reference.starts_with('#');
        };
        bool some_named = named(given.label);
        some_named = named(given.weights) || some_named;
        some_named = named(given.offset) || some_named;
        for (const auto& reference : given.ignore) some_named = named(reference) || some_named;
        if (some_named) return true;
        if (given.label.empty()) {
            const auto last = std::find(counts.rbegin(), counts.rend(), true);
            if (last != counts.rend()) *last = false;
        }
        for (std::size_t c = 0; c < names.size(); ++c) {
            double value;
            if (counts[c] && !is_missing(names[c]) && !is_number(names[c], value)) return true;
        }
        return false;
    }

    void claim(std::size_t column, std::int32_t purpose, const char* option) {
        if (use[column] != 0) {
            fail(bytes[column], "column ", in_quotes(names[column]), " is used twice (as ", option, " and as ",
                 use[column] == weight   ? ".weights"
                 : use[column] == offset ? ".offset"
                                         : ".ignore",
                 ") choose another");
        }
        use[column] = purpose;
    }

    void assign(const csv_columns& given, const request& wanted) {
        use.assign(names.size(), 0);
        for (const auto& reference : given.ignore) use[find(".ignore", reference)] = ignored;
        has_weights = !given.weights.empty();
        if (has_weights) claim(find(".weights", given.weights), weight, ".weights");
        has_offsets = !given.offset.empty();
        if (has_offsets) claim(find(".offset", given.offset), offset, ".offset");
        const auto free = static_cast<std::size_t>(std::count(use.begin(), use.end(), 0));
        if (wanted.labels) {
            const std::size_t column = given.label.empty() ? last_free() : find(".label", given.label);
            claim(column, label, ".label");
            if (has_header) label_name = names[column];
        } else if (!given.label.empty()) {
            const auto column = by_name(given.label) ? by_name(given.label) : by_number(given.label);
            const bool spare = has_header || wanted.features.empty() || free > wanted.features.size();
            if (column && spare) use[*column] = ignored;
        } else if (!has_header && !wanted.features.empty() && free == wanted.features.size() + 1) {
            use[last_free()] = ignored;
        }
        if (wanted.features.empty()) {
            take_features();
        } else if (has_header) {
            match_features_by_name(wanted.features);
        } else {
            take_features();
            if (features.size() != wanted.features.size()) {
                fail(1, features.size(), " feature columns (the model has ", wanted.features.size(),
                     ") give a file with the same columns, or one with a header");
            }
            features = wanted.features;
        }
    }

    std::size_t last_free() const {
        const auto last = std::find(use.rbegin(), use.rend(), 0);
        if (last == use.rend()) fail(1, "no column is left for the label (all are used otherwise) set .label");
        return static_cast<std::size_t>(use.rend() - last) - 1;
    }

    /// All columns that have no other use, in the order of the file.
    void take_features() {
        std::unordered_map<std::string_view, std::size_t> first;
        for (std::size_t c = 0; c < names.size(); ++c) {
            if (use[c] == ignored || !has_header) continue;
            const auto [before, fresh] = first.emplace(names[c], c);
            if (!fresh) {
                fail(bytes[c], "column name ", in_quotes(names[c]), " appears twice (in columns #", before->second,
                     " and #", c, ") rename one, or add it to .ignore by number");
            }
            if (names[c].empty() && use[c] == 0) {
                fail(bytes[c], "column #", c,
                     " has no name (row numbers, as pandas and R write them?) name it, or add \"#", c, "\" to .ignore");
            }
        }
        for (std::size_t c = 0; c < names.size(); ++c) {
            if (use[c] != 0) continue;
            use[c] = static_cast<std::int32_t>(features.size());
            features.push_back(has_header ? names[c] : core::text('x', features.size()));
        }
    }

    /// A fitted model's features, wherever they are in this file; other columns don't matter.
    void match_features_by_name(const std::vector<std::string>& wanted) {
        std::unordered_map<std::string_view, std::size_t> columns;
        for (std::size_t c = names.size(); c-- > 0;) columns[names[c]] = c;
        std::vector<std::int32_t> matched = use;
        for (auto& purpose : matched) purpose = purpose == 0 ? ignored : purpose;
        std::vector<std::string> missing;
        for (std::size_t j = 0; j < wanted.size(); ++j) {
            const auto column = columns.find(wanted[j]);
            if (column == columns.end()) {
                missing.push_back(in_quotes(wanted[j]));
            } else if (use[column->second] != 0) {
                fail(bytes[column->second], "column ", in_quotes(wanted[j]),
                     " is a feature of the model (but here the ",
                     use[column->second] == label ? "label" : "weight, offset or ignored",
                     ") set .label, .weights, .offset and .ignore to others");
            } else {
                matched[column->second] = static_cast<std::int32_t>(j);
            }
        }
        if (!missing.empty()) {
            fail(1, "no column ", listed(missing, 5), " (the model needs ", missing.size() == 1 ? "it" : "them", ") ",
                 suggest(std::string_view(missing[0]).substr(1, missing[0].size() - 2), names));
        }
        use = std::move(matched);
        features = wanted;
    }

    [[noreturn]] void complain_of_no_features(std::string_view line) const {
        std::string advice = "check .label and .ignore";
        if (names.size() == 1) {
            advice = "check .separator";
            for (const std::string_view other : {";", "\\t", "|", ","}) {
                if (line.find(other == "\\t" ? '\t' : other[0]) == line.npos) continue;
                advice = core::text("set .separator = '", other, "'");
                break;
            }
        }
        fail(1, "no feature columns (", names.size(), names.size() == 1 ? " column" : " columns", " in all) ", advice);
    }

    std::string path;
    std::vector<std::size_t> bytes;  // where each cell of the first line starts, from 1
};

}  // namespace detail

}  // namespace gamut::data
