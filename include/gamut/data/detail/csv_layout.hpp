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
#include <unordered_set>
#include <utility>
#include <vector>

#include <gamut/core/is_utf8.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/data/detail/csv_cell.hpp>
#include <gamut/data/detail/csv_header.hpp>
#include <gamut/data/detail/line_index.hpp>
#include <gamut/data/detail/line_reader.hpp>
#include <gamut/data/detail/memory.hpp>
#include <gamut/data/detail/names.hpp>
#include <gamut/data/detail/number.hpp>

namespace gamut::data {

/// Whether the first line of a file names the columns. Automatic: it does if a column is referred to by name, if it has the
/// names of all features of a fitted model, if a cell of a feature (or a label that is to be a number) is neither a number
/// nor missing, or if numbers in it are names for other reasons (detail/csv_header.hpp); where that is unclear, a
/// data_error asks.
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
    /// Leaves everything empty for a file without rows. Throws data_error, and out_of_memory for too many columns.
    [[gnu::cold]] csv_layout(const text_file& file, row_syntax syntax, std::size_t line_limit,
                             const memory_budget& memory, const csv_columns& given, const request& wanted)
        : begin(file.text_begin()),
          path(file.name()) {
        line_reader lines(file, begin, 1, line_limit);
        std::string_view line;
        do {
            begin = lines.end_offset();
            if (!lines.next(line)) return;
        } while (!syntax.is_row(line));
        first_line = line_number = lines.number();
        require_cells(line, syntax.separator, memory, path);
        read_names(csv_cells(line, syntax.separator));
        const std::string first(line);  // `line` is valid until the next one is read
        const std::size_t behind_header = lines.end_offset();
        const std::vector<csv_line> sample = sample_rows(lines, syntax, memory, path);
        refuse_comment(first, sample, syntax.separator);
        has_header = names_columns(given, wanted, sample);
        if (has_header) {
            begin = behind_header;
            ++first_line;
        } else {
            for (std::size_t c = 0; c < names.size(); ++c) names[c] = core::text('#', c);
        }
        if (names.size() == 1) refuse_other_separator(first, wanted);
        assign(given, wanted, sample, syntax.separator);
        if (features.empty())
            fail(1, "no feature columns (", names.size(), " columns in all) check .label and .ignore");
        require_utf8();
    }

private:
    template <class... Parts> [[noreturn, gnu::cold]] void fail(std::size_t byte, const Parts&... parts) const {
        throw core::data_error(core::text(path, ':', line_number, ':', byte, ": ", parts...));
    }

    [[gnu::cold]] void read_names(csv_cells cells) {
        while (cells.next()) {
            if (cells.problem != cell_problem::none) fail(cells.column(), describe(cells.problem));
            names.emplace_back(cells.text);
            bytes.push_back(cells.column());
        }
        last_is_empty = !names.empty() && names.back().empty();
    }

    /// "#3", "#-1" as a column, if it is one.
    [[gnu::cold]] std::optional<std::size_t> by_number(std::string_view reference) const {
        std::ptrdiff_t number = 0;
        const char* const end = reference.data() + reference.size();
        if (!reference.starts_with('#')) return {};
        const auto [stop, problem] = std::from_chars(reference.data() + 1, end, number);
        const auto columns = static_cast<std::ptrdiff_t>(names.size());
        if (number < 0) number += columns;
        if (problem != std::errc() || stop != end || number < 0 || number >= columns) return {};
        return static_cast<std::size_t>(number);
    }
    [[gnu::cold]] std::optional<std::size_t> by_name(std::string_view reference) const {
        const auto name = std::find(names.begin(), names.end(), reference);
        if (!has_header || name == names.end()) return {};
        return static_cast<std::size_t>(name - names.begin());
    }
    [[gnu::cold]] std::size_t find(const char* option, const std::string& reference) const {
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

    [[gnu::cold]] bool names_columns(const csv_columns& given, const request& wanted,
                                     const std::vector<csv_line>& sample) const {
        if (given.header != header::automatic) return given.header == header::yes;
        std::vector<bool> counts(names.size(), true);
        std::optional<std::size_t> label_column;
        const auto named = [&](std::string_view reference) {
            if (const auto column = by_number(reference)) counts[*column] = false;
            return !reference.empty() && !reference.starts_with('#');
        };
        bool some_named = named(given.label);
        label_column = by_number(given.label);
        some_named = named(given.weights) || some_named;
        some_named = named(given.offset) || some_named;
        for (const auto& reference : given.ignore) some_named = named(reference) || some_named;
        if (some_named) return true;
        if (!wanted.features.empty() && has_all(wanted.features)) return true;
        if (given.label.empty()) {
            const auto last = std::find(counts.rbegin(), counts.rend(), true);
            if (last != counts.rend()) {
                *last = false;
                label_column = static_cast<std::size_t>(counts.rend() - last) - 1;
            }
        }
        if (!wanted.labels) label_column.reset();
        const auto guess = header_guess(names, counts, label_column, sample)(wanted.classification);
        if (guess != first_line::unclear || !wanted.features.empty()) return guess == first_line::names;
        fail(1, "the first line may be names or a row (its features are whole numbers",
             label_column && wanted.classification && !is_plain_number(names[*label_column])
                 ? core::text(", and ", in_quotes(names[*label_column]), " is the label of no other row")
                 : std::string(" that count from 0, as names do"),
             ") set .header = data::header::yes or data::header::no");
    }

    static bool is_plain_number(std::string_view text) {
        double value;
        return is_number(text, value);
    }

    [[gnu::cold]] bool has_all(const std::vector<std::string>& wanted) const {
        const std::unordered_set<std::string_view> present(names.begin(), names.end());
        return std::all_of(wanted.begin(), wanted.end(),
                           [&](const std::string& name) { return present.contains(name); });
    }

    /// A line above the names that is none: a comment, a title, what a spreadsheet wants to know.
    [[gnu::cold]] void refuse_comment(std::string_view line, const std::vector<csv_line>& sample,
                                      char separator) const {
        if (sample.empty() || sample[0].size() == names.size()) return;
        const bool hint = line.starts_with("sep=");
        const bool comment = line.starts_with('#') || line.starts_with('%') || line.starts_with("//");
        const bool title = names.size() == 1 && sample[0].size() > 2;
        if (!hint && !comment && !title) return;
        const std::string_view others = ";\t|,";  // of which one may be the true separator, in this line and in others
        if (!hint && !comment && std::any_of(others.begin(), others.end(), [&](char other) {
                return other != separator && line.find(other) != line.npos;
            }))
            return;
        fail(1, in_quotes(line),
             hint      ? " is no row of names or numbers (a hint for spreadsheets) "
             : comment ? " is no row of names or numbers (a comment, which these files don't have) "
                       : core::text(" is one cell, the next row has ", sample[0].size(), " (a title?) "),
             "delete the line");
    }

    /// All of the line is one cell: what the separator may be instead.
    [[gnu::cold]] void refuse_other_separator(std::string_view line, const request& wanted) const {
        std::string advice = "check .separator";
        for (const std::string_view other : {";", "\\t", "|", ","}) {
            if (line.find(other == "\\t" ? '\t' : other[0]) == line.npos) continue;
            advice = core::text("set .separator = '", other, "'");
            break;
        }
        if (!wanted.labels && advice == "check .separator") return;  // one feature, and no label, is enough
        fail(1, "no feature columns (1 column in all) ", advice);
    }

    /// Names get into messages and model files, which are UTF-8.
    [[gnu::cold]] void require_utf8() const {
        for (std::size_t c = 0; c < names.size(); ++c) {
            if (use[c] == ignored || core::is_utf8(names[c])) continue;
            fail(bytes[c], "column name ", in_quotes(names[c]), " is not UTF-8 (Latin-1?) ",
                 "convert the file with iconv -f LATIN1 -t UTF-8");
        }
    }

    [[gnu::cold]] void claim(std::size_t column, std::int32_t purpose, const char* option) {
        if (use[column] != 0) {
            fail(bytes[column], "column ", in_quotes(names[column]), " is used twice (as ", option, " and as ",
                 use[column] == weight   ? ".weights"
                 : use[column] == offset ? ".offset"
                                         : ".ignore",
                 ") choose another");
        }
        use[column] = purpose;
    }

    [[gnu::cold]] void assign(const csv_columns& given, const request& wanted, const std::vector<csv_line>& sample,
                              char separator) {
        use.assign(names.size(), 0);
        for (const auto& reference : given.ignore) use[find(".ignore", reference)] = ignored;
        has_weights = !given.weights.empty();
        if (has_weights) claim(find(".weights", given.weights), weight, ".weights");
        has_offsets = !given.offset.empty();
        if (has_offsets) claim(find(".offset", given.offset), offset, ".offset");
        const bool by_names = has_header && !wanted.features.empty();  // then other columns don't matter
        if (!by_names || (wanted.labels && given.label.empty() && wanted.label.empty()))
            refuse_empty_last_column(sample, separator);
        const auto free = static_cast<std::size_t>(std::count(use.begin(), use.end(), 0));
        if (wanted.labels) {
            const bool known = by_names && !wanted.label.empty();
            const std::size_t column = !given.label.empty() ? find(".label", given.label)
                                       : known              ? label_of_model(wanted)
                                                            : last_free();
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

    /// The column that is called as the label was that the model was fitted to.
    [[gnu::cold]] std::size_t label_of_model(const request& wanted) const {
        if (const auto column = by_name(wanted.label)) {
            refuse_second(*column);
            return *column;
        }
        std::vector<std::string> others;
        for (std::size_t c = 0; c < names.size(); ++c) {
            const bool is_feature =
                std::find(wanted.features.begin(), wanted.features.end(), names[c]) != wanted.features.end();
            if (use[c] == 0 && !is_feature) others.push_back(names[c]);
        }
        fail(1, "no column ", in_quotes(wanted.label), " (the model's label has this name) ",
             others.empty()
                 ? std::string("a score needs the labels; predict does not")
                 : core::text("set .label to the column with the labels; what is no feature is: ", listed(others)));
    }

    /// A name that is looked for must be that of one column.
    [[gnu::cold]] void refuse_second(std::size_t column) const {
        for (std::size_t c = column + 1; c < names.size(); ++c)
            if (names[c] == names[column] && use[c] != ignored)
                fail(bytes[c], "column name ", in_quotes(names[c]), " appears twice (in columns #", column, " and #", c,
                     ") rename one, or add it to .ignore by number");
    }

    /// A separator behind the last cell makes a column of nothing.
    [[gnu::cold]] void refuse_empty_last_column(const std::vector<csv_line>& sample, char separator) const {
        const std::size_t last = names.size() - 1;
        if (last == 0 || !last_is_empty || use[last] != 0) return;
        std::size_t complete = 0, empty = 0;
        for (const csv_line& row : sample) {
            if (row.size() != names.size()) continue;
            ++complete;
            empty += row[last].empty();
        }
        if (empty < complete || (complete == 0 && !sample.empty())) return;
        fail(bytes[last], "column #", last, " is empty (every line ends in ", in_quotes({&separator, 1}),
             ") take the separators at the ends of the lines out, or add \"#-1\" to .ignore");
    }

    std::size_t last_free() const {
        const auto last = std::find(use.rbegin(), use.rend(), 0);
        if (last == use.rend()) fail(1, "no column is left for the label (all are used otherwise) set .label");
        return static_cast<std::size_t>(use.rend() - last) - 1;
    }

    /// All columns that have no other use, in the order of the file.
    [[gnu::cold]] void take_features() {
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
    [[gnu::cold]] void match_features_by_name(const std::vector<std::string>& wanted) {
        std::unordered_map<std::string_view, std::size_t> columns;
        std::unordered_map<std::string_view, std::size_t> again;
        for (std::size_t c = 0; c < names.size(); ++c)
            if (use[c] != ignored && !columns.emplace(names[c], c).second) again.emplace(names[c], c);
        for (std::size_t c = 0; c < names.size(); ++c)
            if (use[c] == ignored) columns.emplace(names[c], c);
        std::vector<std::int32_t> matched = use;
        for (auto& purpose : matched) purpose = purpose == 0 ? ignored : purpose;
        std::vector<std::string> missing;
        for (std::size_t j = 0; j < wanted.size(); ++j) {
            const auto column = columns.find(wanted[j]);
            if (column == columns.end()) {
                missing.push_back(in_quotes(wanted[j]));
            } else if (again.contains(wanted[j])) {
                refuse_second(column->second);
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

    std::string path;
    std::vector<std::size_t> bytes;  // where each cell of the first line starts, from 1
    bool last_is_empty = false;
};

}  // namespace detail

}  // namespace gamut::data
