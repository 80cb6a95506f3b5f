// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>

namespace gamut::data::detail {

enum class cell_problem { none, open_quote, text_behind_quote };

constexpr std::string_view describe(cell_problem problem) {
    return problem == cell_problem::open_quote
               ? "quote isn't closed (a cell must end on the line where it starts) close it, or take the line break out"
               : "text behind a closing quote (a quote within quotes is doubled) check the quotes";
}

/// Takes a line of a CSV file apart. A cell is its text without surrounding blanks, or anything in quotes, where a
/// doubled quote stands for one; quotes end on the line where they start. Spaces as separators count once in a row.
class csv_cells {
public:
    csv_cells(std::string_view line, char between)
        : begin(line.data()),
          end(begin + line.size()),
          p(begin),
          separator(between) {
        while (separator == ' ' && end != begin && end[-1] == ' ') --end;
    }

    /// The next cell; false when the line has no more. A line has one cell more than separators.
    bool next() {
        if (done) return false;
        while (p != end && is_blank(*p)) ++p;
        cell_begin = p;
        problem = cell_problem::none;
        if (p != end && *p == '"') {
            take_quoted();
        } else {
            const void* const stop = p == end ? nullptr : std::memchr(p, separator, static_cast<std::size_t>(end - p));
            const char* last = p = stop ? static_cast<const char*>(stop) : end;
            while (last != cell_begin && is_blank(last[-1])) --last;
            text = {cell_begin, static_cast<std::size_t>(last - cell_begin)};
        }
        done = p == end;
        if (!done) ++p;
        return true;
    }

    /// Goes on at `where`, the end of a cell.
    void resume(const char* where) {
        p = where;
        done = p == end;
        if (!done) ++p;
    }

    const char* position() const { return p; }
    const char* line_end() const { return end; }
    bool finished() const { return done; }
    bool at_cell_end(const char* where) const { return where == end || *where == separator; }

    std::string_view text;  // of the cell, without quotes; valid until the next call
    cell_problem problem = cell_problem::none;
    std::size_t column() const { return static_cast<std::size_t>(cell_begin - begin) + 1; }
    std::size_t end_column() const { return static_cast<std::size_t>(end - begin) + 1; }

private:
    bool is_blank(char c) const { return c == ' ' || (c == '\t' && separator != '\t'); }

    void take_quoted() {
        unquoted.clear();
        for (++p;;) {
            const char* const quote = std::find(p, end, '"');
            unquoted.append(p, quote);
            p = quote;
            if (p == end) {
                problem = cell_problem::open_quote;
                break;
            }
            if (++p == end || *p != '"') break;
            unquoted += *p++;
        }
        text = unquoted;
        while (p != end && *p != separator && is_blank(*p)) ++p;
        if (p == end || *p == separator) return;
        problem = cell_problem::text_behind_quote;
        p = std::find(p, end, separator);
    }

    const char* begin;
    const char* end;
    const char* p;
    const char* cell_begin = nullptr;
    char separator;
    bool done = false;
    std::string unquoted;
};

/// What people, R, pandas and spreadsheets write for "no value here"; fewer words when the cell names a class.
[[gnu::cold]] inline bool is_missing(std::string_view cell, bool of_class = false) {
    constexpr std::string_view words[] = {"",      "na",    "n/a",    "n.a.",   "nan",  "-nan",    "nat",
                                          "null",  "<na>",  "?",      "#na",    "#n/a", "#div/0!", "#value!",
                                          "#ref!", "#num!", "#name?", "#null!", "none", ".",       "-"};
    constexpr std::size_t longest = 7, also_classes = 3;
    if (cell.size() > longest) return false;
    char lower[longest] = {};
    for (std::size_t i = 0; i < longest && i < cell.size(); ++i)
        lower[i] = cell[i] >= 'A' && cell[i] <= 'Z' ? static_cast<char>(cell[i] - 'A' + 'a') : cell[i];
    const auto end = std::end(words) - (of_class ? also_classes : 0);
    return std::find(std::begin(words), end, std::string_view(lower, cell.size())) != end;
}

}  // namespace gamut::data::detail
