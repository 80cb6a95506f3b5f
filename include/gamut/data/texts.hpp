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
#include <utility>
#include <vector>

#include <gamut/backend/sparse.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/is_utf8.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/data/detail/choose_rows.hpp>
#include <gamut/data/detail/labels.hpp>
#include <gamut/data/detail/number.hpp>
#include <gamut/data/detail/problems.hpp>
#include <gamut/data/detail/text_file.hpp>
#include <gamut/fwd.hpp>

namespace gamut::data {

/// A text file with a document per line, `name label word word ...`, between blanks or tabs. A row has how often its document has each
/// word; columns are the words of the file in order of their bytes, or, for a fitted model, the model's: other words are left out.
/// Names are any text, and not kept; labels are numbers, or names of classes; a document without words is an empty row; blank lines are
/// nothing. Every rank reads the whole file and keeps its rows. Anything else is a data_error with file:line:column.
template <class T> struct texts {
    static_assert(std::floating_point<T>, "texts: needs float or double");

    using value_type = T;
    using matrix_type = backend::sparse_matrix<T>;

    std::string path = {};

    template <communicator::Communicator C>
    [[gnu::cold]] dataset<matrix_type> load(const C& ranks, const request& wanted = {}) const {
        const auto file = detail::open_together(ranks, path);
        std::string text;
        std::vector<line> lines;
        communicator::agree(ranks, [&] {
            text.resize(file->size() - file->text_begin());
            text.resize(file->read(file->text_begin(), text.data(), text.size()));
            lines = lines_of(text);
        });
        const kept_rows kept = detail::choose_rows(ranks, wanted, lines.size(), path, "it has blank lines only");
        dataset<matrix_type> result;
        detail::label_table labels(path, wanted.classes);
        communicator::agree(ranks, [&] {
            const auto columns = columns_of(lines, wanted, result.features);
            result.partition = data::partition(kept.count(), result.features.size(), wanted.blocks);
            const range mine = result.partition.rows_of(static_cast<std::size_t>(ranks.rank()),
                                                        static_cast<std::size_t>(ranks.size()));
            result.first_row = mine.begin;
            result.x.columns = result.features.size();
            std::size_t place = 0;
            for (std::size_t row = 0; row < lines.size(); ++row) {
                const T label = wanted.labels ? label_of(lines[row], wanted, labels) : T(0);
                if (!kept(row)) continue;
                if (place >= mine.begin && place < mine.end) {
                    add_row(lines[row], columns, result.x);
                    if (wanted.labels) result.y.push_back(label);
                }
                ++place;
            }
        });
        result.classes = detail::finish_labels(ranks, labels, wanted, kept.source_rows(), result.y);
        result.label = "label";
        result.source = path;
        return result;
    }

private:
    struct line {
        std::size_t number, label_at;  // from 1 on
        std::string_view label, words;
    };
    using column_table = std::unordered_map<std::string_view, std::int32_t>;

    static constexpr std::string_view blanks = " \t\r";

    template <class... Parts>
    [[noreturn]] void fail(std::size_t number, std::size_t column, const Parts&... parts) const {
        throw core::data_error(core::text(path, ":", number, ":", column, ": ", parts...));
    }

    /// The next word of what is left, which it is taken from; empty where there is none.
    static std::string_view next_word(std::string_view& left) {
        left.remove_prefix(std::min(left.find_first_not_of(blanks), left.size()));
        const std::string_view word = left.substr(0, left.find_first_of(blanks));
        left.remove_prefix(word.size());
        return word;
    }

    std::vector<line> lines_of(std::string_view text) const {
        std::vector<line> lines;
        for (std::size_t number = 1; !text.empty(); ++number) {
            const std::string_view whole = text.substr(0, text.find('\n'));
            text.remove_prefix(std::min(whole.size() + 1, text.size()));
            std::string_view left = whole;
            if (next_word(left).empty()) continue;
            const std::string_view label = next_word(left);
            if (label.empty())
                fail(number, whole.size() + 1,
                     "no label (a line is a name, a label, and words) complete the line, or drop it");
            lines.push_back({number, static_cast<std::size_t>(label.data() - whole.data()) + 1, label, left});
        }
        return lines;
    }

    /// The columns of words; `names` are what they are called.
    column_table columns_of(const std::vector<line>& lines, const request& wanted, core::names& names) const {
        column_table columns;
        if (wanted.features.empty()) {
            std::vector<std::string> found;
            for (const line& one : lines)
                for (std::string_view left = one.words, word = next_word(left); !word.empty(); word = next_word(left)) {
                    if (!columns.emplace(word, 0).second) continue;
                    if (!core::is_utf8(word))
                        fail(one.number, one.label_at + static_cast<std::size_t>(word.data() - one.label.data()),
                             "word ", detail::in_quotes(word),
                             " is not UTF-8 (Latin-1?) convert it, for instance with iconv");
                    found.emplace_back(word);
                }
            if (found.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
                throw core::data_error(core::text(path, ": ", found.size(), " words (indices have 31 bits) use fewer"));
            if (found.empty())
                throw core::data_error(
                    core::text(path, ": no words (a line has a name, a label, and words) check the file"));
            std::sort(found.begin(), found.end());
            names = std::move(found);
            columns.clear();
        } else {
            names = wanted.features;
        }
        for (std::size_t j = 0; j < names.size(); ++j) columns.emplace(names[j], static_cast<std::int32_t>(j));
        return columns;
    }

    T label_of(const line& one, const request& wanted, detail::label_table& labels) const {
        if (wanted.classification) {
            const std::size_t id = labels.id(one.label);
            if (id >= detail::label_table::not_utf8)
                fail(one.number, one.label_at, labels.refused_label(id, one.label));
            return static_cast<T>(id);
        }
        T value;
        if (!detail::is_number(one.label, value) || !std::isfinite(value))
            fail(one.number, one.label_at, "label ", detail::in_quotes(one.label),
                 " is not a finite number (a number is to be learnt) number the labels, or learn classes");
        return value;
    }

    static void add_row(const line& one, const column_table& columns, matrix_type& x) {
        std::vector<std::int32_t> found;
        for (std::string_view left = one.words, word = next_word(left); !word.empty(); word = next_word(left))
            if (const auto at = columns.find(word); at != columns.end()) found.push_back(at->second);
        std::sort(found.begin(), found.end());
        for (std::size_t begin = 0; begin < found.size();) {
            std::size_t end = begin;
            while (end < found.size() && found[end] == found[begin]) ++end;
            x.indices.push_back(found[begin]);
            x.values.push_back(static_cast<T>(end - begin));
            begin = end;
        }
        x.offsets.push_back(static_cast<std::int64_t>(x.indices.size()));
        ++x.rows;
    }
};

}  // namespace gamut::data
