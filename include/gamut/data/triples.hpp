// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <gamut/backend/sparse.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/is_utf8.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/data/detail/choose_rows.hpp>
#include <gamut/data/detail/names.hpp>
#include <gamut/data/detail/number.hpp>
#include <gamut/data/detail/problems.hpp>
#include <gamut/data/detail/text_file.hpp>
#include <gamut/fwd.hpp>

namespace gamut::data {

/// A text file with an entry of a matrix per line, `row column value`, in any order, each entry once: ratings, counts of words.
///   plain           indices from `first` on, between commas, blanks or tabs; more cells are ignored, and so is a first line of names
///   Matrix Market   %%MatrixMarket matrix coordinate real|integer|pattern general|symmetric, indices from 1 on
///   UCI docword     three lines with the numbers of rows, columns and entries, then entries, indices from 1 on
/// `names`: a file with the names of the columns, one per line (a vocabulary); otherwise they are x0, x1, ... A fitted model finds columns
/// by these names, and leaves others out; without them, by number.
/// Which of them it is, is told from the first lines. What is not named is not there (a learner of entries leaves it out, others take it
/// for 0); an entry that is 0 is. There are no labels. Every rank reads the whole file and keeps its rows.
/// Anything else is a data_error with file:line.
template <class T> struct triples {
    static_assert(std::floating_point<T>, "triples: needs float or double");

    using value_type = T;
    using matrix_type = backend::sparse_matrix<T>;

    std::string path = {};
    std::size_t rows = 0, columns = 0;  ///< 0: what the file says, or its largest indices
    std::size_t first = 0;              ///< of a plain file's indices
    std::size_t index_limit = std::size_t(1) << 26;
    std::string names = {};

    template <communicator::Communicator C>
    [[gnu::cold]] dataset<matrix_type> load(const C& ranks, const request& wanted = {}) const {
        const auto file = detail::open_together(ranks, path);
        content all;
        communicator::agree(ranks, [&] {
            if (wanted.labels)
                throw core::data_error(
                    core::text(path, ": no labels (a file of entries has none) fit a learner that needs none"));
            std::string text(file->size() - file->text_begin(), '\0');
            text.resize(file->read(file->text_begin(), text.data(), text.size()));
            all = parse(text);
        });
        core::names of_columns;
        if (!names.empty()) of_columns = read_names(ranks, all.columns);
        if (!names.empty() && !wanted.features.empty())
            communicator::agree(ranks, [&] { number_as(wanted.features, of_columns, all); });
        const kept_rows kept = detail::choose_rows(ranks, wanted, all.rows, path, "it has no entries");
        dataset<matrix_type> result;
        communicator::agree(ranks, [&] {
            if (!wanted.features.empty() && all.columns > wanted.features.size())
                throw core::data_error(core::text(path, ": ", all.columns, " columns (the model has ",
                                                  wanted.features.size(),
                                                  " features) fit the model to data that have these columns"));
            const std::size_t width = wanted.features.empty() ? all.columns : wanted.features.size();
            result.partition = data::partition(kept.count(), width, wanted.blocks);
            const range mine = result.partition.rows_of(static_cast<std::size_t>(ranks.rank()),
                                                        static_cast<std::size_t>(ranks.size()));
            result.first_row = mine.begin;
            result.x.columns = width;
            result.features = !wanted.features.empty() ? core::names(wanted.features)
                              : !of_columns.empty()    ? of_columns
                                                       : core::names(detail::generated_names(width));
            result.source = path;
            keep_rows(all, kept, mine, result.x);
        });
        return result;
    }

private:
    struct entry {
        std::size_t row, column, line;
        T value;
    };
    struct content {
        std::size_t rows = 0, columns = 0;
        std::vector<entry> entries;  // by row, then column
    };

    /// Columns get the numbers that their names have among `features`; those of other names are left out.
    static void number_as(const std::vector<std::string>& features, const std::vector<std::string>& of_columns,
                          content& all) {
        std::unordered_map<std::string_view, std::size_t> number;
        for (std::size_t j = 0; j < features.size(); ++j) number.emplace(features[j], j);
        std::vector<entry> kept;
        for (entry e : all.entries) {
            const auto found = number.find(of_columns[e.column]);
            if (found == number.end()) continue;
            e.column = found->second;
            kept.push_back(e);
        }
        all.entries = std::move(kept);
        all.columns = features.size();
        std::sort(all.entries.begin(), all.entries.end(), [](const entry& a, const entry& b) {
            return a.row != b.row ? a.row < b.row : a.column != b.column ? a.column < b.column : a.line < b.line;
        });
    }

    template <communicator::Communicator C>
    std::vector<std::string> read_names(const C& ranks, std::size_t count) const {
        const auto file = detail::open_together(ranks, names);
        std::vector<std::string> found;
        std::unordered_set<std::string> seen;
        communicator::agree(ranks, [&] {
            std::string text(file->size() - file->text_begin(), '\0');
            text.resize(file->read(file->text_begin(), text.data(), text.size()));
            for (std::size_t begin = 0; begin < text.size();) {
                const std::size_t end = std::min(text.find('\n', begin), text.size());
                found.push_back(text.substr(begin, end - begin));
                if (found.back().ends_with('\r')) found.back().pop_back();
                if (found.back().empty())
                    throw core::data_error(
                        core::text(names, ":", found.size(), ": no name (each column has one) give it one"));
                if (!core::is_utf8(found.back()))
                    throw core::data_error(core::text(names, ":", found.size(), ": name ",
                                                      detail::in_quotes(found.back()),
                                                      " is not UTF-8 (Latin-1?) convert it, for instance with iconv"));
                if (!seen.insert(found.back()).second)
                    throw core::data_error(core::text(names, ":", found.size(), ": name ",
                                                      detail::in_quotes(found.back()),
                                                      " is there twice (names tell columns apart) rename one"));
                begin = end + 1;
            }
            if (found.size() != count)
                throw core::data_error(core::text(names, ": ", found.size(), " names (there are ", count,
                                                  " columns) use the file that belongs to ", path));
        });
        return found;
    }

    template <class... Parts> [[noreturn]] void fail(std::size_t line, const Parts&... parts) const {
        throw core::data_error(core::text(path, ":", line, ": ", parts...));
    }

    static std::vector<std::string_view> cells(std::string_view line) {
        std::vector<std::string_view> found;
        constexpr std::string_view between = " \t,;\r";
        for (std::size_t at = line.find_first_not_of(between); at != line.npos;
             at = line.find_first_not_of(between, at)) {
            const std::size_t end = std::min(line.find_first_of(between, at), line.size());
            found.push_back(line.substr(at, end - at));
            at = end;
            if (found.size() == 5) break;  // no banner is longer, and no entry needs as many
        }
        return found;
    }

    std::size_t index(std::string_view cell, std::size_t line, std::size_t from, std::size_t limit,
                      const char* what) const {
        std::size_t value = 0;
        for (const char c : cell) {
            if (c < '0' || c > '9')
                fail(line, what, " ", detail::in_quotes(cell), " (a whole number is needed) correct it");
            value = value * 10 + static_cast<std::size_t>(c - '0');
            if (value > std::size_t(1) << 48) break;
        }
        if (value < from || value - from >= limit)
            fail(line, what, " ", detail::in_quotes(cell), " (they are ", from, " to ", limit - 1 + from,
                 ") correct it, or set .", what, "s or .index_limit");
        return value - from;
    }
    std::size_t count(std::string_view cell, std::size_t line) const {
        return index(cell, line, 0, (std::size_t(1) << 48), "number");
    }

    content parse(const std::string& text) const {
        content all;
        std::size_t from = first, line = 0, declared = 0, begin = 0;
        bool pattern = false, symmetric = false, sized = true, declares = false;
        const auto next = [&](std::string_view& out) {
            if (begin >= text.size()) return false;
            const std::size_t end = std::min(text.find('\n', begin), text.size());
            out = std::string_view(text).substr(begin, end - begin);
            begin = end + 1;
            ++line;
            return true;
        };
        std::string_view now;
        if (text.starts_with("%%MatrixMarket")) {
            next(now);
            const auto words = cells(now);
            if (words.size() != 5 || words[1] != "matrix" || words[2] != "coordinate" || words[3] == "complex" ||
                (words[4] != "general" && words[4] != "symmetric"))
                fail(line, "banner ", detail::in_quotes(now),
                     " (matrix coordinate real|integer|pattern general|symmetric is read) convert it");
            pattern = words[3] == "pattern";
            symmetric = words[4] == "symmetric";
            sized = false;
            from = 1;
        } else if (const auto numbers = docword_header(text); !numbers.empty()) {
            for (int k = 0; k < 3; ++k) next(now);
            all.rows = count(numbers[0], 1);
            all.columns = count(numbers[1], 2);
            declared = count(numbers[2], 3);
            declares = true;
            from = 1;
        }
        const bool plain = sized && !declares;
        std::size_t largest_row = 0, largest_column = 0;
        while (next(now)) {
            if (now.starts_with('%') || now.starts_with('#')) continue;
            const auto words = cells(now);
            if (words.empty()) continue;
            if (!sized) {
                if (words.size() != 3)
                    fail(line, "sizes ", detail::in_quotes(now), " (three numbers are needed) correct them");
                all.rows = count(words[0], line);
                all.columns = count(words[1], line);
                declared = count(words[2], line);
                sized = declares = true;
                continue;
            }
            if (double number = 0; plain && all.entries.empty() && line == 1 && !words[0].empty() &&
                                   (words[0][0] < '0' || words[0][0] > '9') && !detail::is_number(words[0], number))
                continue;
            if (words.size() < (pattern ? 2u : 3u))
                fail(line, words.size(), " cells (row, column and value are needed) complete the line");
            entry e{index(words[0], line, from, limit_of(all.rows, rows), "row"),
                    index(words[1], line, from, limit_of(all.columns, columns), "column"), line, T(1)};
            if (!pattern && (!detail::is_number(words[2], e.value) || !std::isfinite(e.value)))
                fail(line, "value ", detail::in_quotes(words[2]),
                     " (a finite number is needed) correct it, or drop the line");
            largest_row = std::max(largest_row, e.row + 1);
            largest_column = std::max(largest_column, e.column + 1);
            all.entries.push_back(e);
            if (declares && !symmetric && all.entries.size() > declared)
                fail(line, "more than ", declared, " entries (so many were announced) correct the number");
            if (symmetric && e.row != e.column) all.entries.push_back({e.column, e.row, line, e.value});
        }
        if (declares && !symmetric && all.entries.size() != declared)
            fail(line, all.entries.size(), " entries (", declared, " were announced) the file is cut off");
        all.rows = rows > 0 ? rows : declares ? all.rows : largest_row;
        all.columns = columns > 0 ? columns : declares ? all.columns : largest_column;
        if (all.columns > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
            fail(line, all.columns, " columns (indices have 31 bits) use fewer");
        if (all.entries.empty()) all.rows = 0;
        std::sort(all.entries.begin(), all.entries.end(), [](const entry& a, const entry& b) {
            return a.row != b.row ? a.row < b.row : a.column != b.column ? a.column < b.column : a.line < b.line;
        });
        for (std::size_t k = 1; k < all.entries.size(); ++k)
            if (all.entries[k].row == all.entries[k - 1].row && all.entries[k].column == all.entries[k - 1].column)
                fail(all.entries[k].line, "entry ", all.entries[k].row + from, ", ", all.entries[k].column + from,
                     " again (it was in line ", all.entries[k - 1].line, ") keep one of them");
        return all;
    }

    std::size_t limit_of(std::size_t announced, std::size_t given) const {
        return given > 0 ? given : announced > 0 ? announced : index_limit;
    }

    /// The three numbers that a docword file begins with, or nothing.
    static std::vector<std::string_view> docword_header(const std::string& text) {
        std::vector<std::string_view> numbers;
        for (std::size_t begin = 0; numbers.size() < 3 && begin < text.size();) {
            const std::size_t end = std::min(text.find('\n', begin), text.size());
            const auto words = cells(std::string_view(text).substr(begin, end - begin));
            if (words.size() != 1 || words[0].find_first_not_of("0123456789") != std::string_view::npos) return {};
            numbers.push_back(words[0]);
            begin = end + 1;
        }
        return numbers.size() == 3 ? numbers : std::vector<std::string_view>{};
    }

    static void keep_rows(const content& all, const kept_rows& kept, range mine, matrix_type& x) {
        std::size_t place = 0, k = 0;
        for (std::size_t row = 0; row < all.rows && place < mine.end; ++row) {
            const bool keep = kept(row), here = keep && place >= mine.begin;
            for (; k < all.entries.size() && all.entries[k].row == row; ++k) {
                if (!here) continue;
                x.indices.push_back(static_cast<std::int32_t>(all.entries[k].column));
                x.values.push_back(all.entries[k].value);
            }
            if (here) {
                x.offsets.push_back(static_cast<std::int64_t>(x.indices.size()));
                ++x.rows;
            }
            place += keep ? 1 : 0;
        }
    }
};

}  // namespace gamut::data
