// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gamut/backend/sparse.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/data/detail/csv_cell.hpp>
#include <gamut/data/detail/labels.hpp>
#include <gamut/data/detail/memory.hpp>
#include <gamut/data/detail/number.hpp>
#include <gamut/data/detail/problems.hpp>
#include <gamut/data/detail/why_no_number.hpp>

namespace gamut::data::detail {

struct libsvm_indices {
    std::size_t first;     // 0 or 1
    std::size_t columns;   // as many as there may be
    std::string limit_is;  // why no more, and what to do about it, for the message
    std::string_view suggestion;
};

/// Rows of a LIBSVM file, collected one by one.
template <class T> class libsvm_rows {
public:
    libsvm_rows(const std::string& source_path, const request& of, libsvm_indices allowed,
                const memory_budget& may_take)
        : labels(source_path, of.classes),
          path(source_path),
          wanted(of),
          indices(allowed),
          memory(may_take) {}

    backend::sparse_matrix<T> x;  // without columns yet; no values while all are 1
    std::vector<T> y;
    label_table labels;
    detail::problems problems;
    std::size_t columns = 0;  // the largest index of all rows, also of the dropped ones
    bool has_values = false;  // some value isn't 1

    void read(std::string_view text, std::size_t number, bool keep) {
        begin = text.data();
        end = begin + text.size();
        line = number;
        const std::size_t entries = x.indices.size(), rows = y.size();
        if (read_row() && keep) {
            x.offsets.push_back(static_cast<std::int64_t>(x.indices.size()));
            ++x.rows;
            memory.require(x.indices.capacity() * (sizeof(std::int32_t) + (has_values ? sizeof(T) : 0)) +
                               x.rows * sizeof(std::int64_t) + y.size() * sizeof(T),
                           path);
        } else {
            x.indices.resize(entries);
            if (has_values) x.values.resize(entries);
            y.resize(rows);
        }
    }

    /// Values for all entries, because some other rank has some that aren't 1.
    void spell_out_values() {
        if (!std::exchange(has_values, true)) x.values.assign(x.indices.size(), T(1));
    }

private:
    static bool is_blank(char c) { return c == ' ' || c == '\t'; }
    const char* skip_blanks(const char* p) const {
        while (p != end && is_blank(*p)) ++p;
        return p;
    }
    bool ends_token(const char* p) const { return p == end || is_blank(*p) || *p == '#'; }
    std::string_view token_at(const char* p) const {
        const char* stop = p;
        while (!ends_token(stop)) ++stop;
        return {p, static_cast<std::size_t>(stop - p)};
    }

    template <class... Parts> [[gnu::cold]] bool wrong(const char* where, const Parts&... parts) {
        problems.add(path, ':', line, ':', where - begin + 1, ": ", parts...);
        return false;
    }

    [[gnu::noinline]] bool read_row() {
        const char* p = skip_blanks(begin);
        if (!read_label(p)) return false;
        const std::size_t first_entry = x.indices.size();
        std::int64_t last = -1;
        bool sorted = true;
        while ((p = skip_blanks(p)) != end && *p != '#') {
            const char* const token = p;
            std::uint64_t index = 0;
            while (p != end && static_cast<unsigned char>(*p - '0') < 10) {
                index = index * 10 + static_cast<std::uint64_t>(*p++ - '0');
            }
            const auto digits = p - token;
            if (digits == 0 || digits > 18 || p == end || *p != ':') {
                if (token_at(token).starts_with("qid:")) {
                    p = token + token_at(token).size();
                    continue;
                }
                return wrong_index(token, digits);
            }
            if (index - indices.first >= indices.columns) return wrong_index(token, digits);
            T value;
            const char* const after = ++p;
            p = read_number(after, end, value);
            if (p == after || !ends_token(p) || !std::isfinite(value)) return wrong_value(after);
            const auto column = static_cast<std::int32_t>(index - indices.first);
            sorted = sorted && column > last;
            last = column;
            columns = std::max(columns, static_cast<std::size_t>(column) + 1);
            x.indices.push_back(column);
            if (has_values) {
                x.values.push_back(value);
            } else if (value != T(1)) {
                spell_out_values();
                x.values.back() = value;
            }
        }
        return sorted || sort_row(first_entry);
    }

    bool read_label(const char*& p) {
        const std::string_view label = token_at(p);
        if (label.find(':') != label.npos) {
            if (!wanted.labels) return true;
            return wrong(p, "no label (the line starts with ", in_quotes(label),
                         ") put the label in front of the entries");
        }
        double value;
        if (!wanted.labels && is_missing(label)) {
            p += label.size();
            return true;
        }
        if (!is_number(label, value) || !std::isfinite(value)) {
            if (label.find(',') != label.npos) {
                return wrong(p, "several labels ", in_quotes(label),
                             " (this format has one per row) is this a CSV file? use data::csv");
            }
            return wrong(p, "label ", in_quotes(label),
                         " is not a finite number (labels of this format are numbers) "
                         "number the classes");
        }
        if (wanted.classification && wanted.labels) {
            const std::size_t id = labels.id(label);
            if (id >= label_table::not_utf8) return wrong(p, labels.refused_label(id, label));
            y.push_back(static_cast<T>(id));
        } else if (wanted.labels) {
            y.push_back(static_cast<T>(value));
            if (!std::isfinite(y.back())) return wrong(p, "label ", in_quotes(label), why_no_number<T>(label));
        }
        p += label.size();
        return true;
    }

    [[gnu::cold]] bool wrong_index(const char* at, std::ptrdiff_t digits) {
        const std::string_view token = token_at(at);
        const std::string_view index = token.substr(0, token.find(':'));
        if (digits == 0 || static_cast<std::size_t>(digits) < index.size()) {
            if (index.size() > 1 && index[0] == '-' && index.find_first_not_of("0123456789", 1) == index.npos) {
                return wrong(at, "index ", index, " is negative (indices start at ", indices.first, ") check the file");
            }
            return wrong(at, in_quotes(token), " is not an entry (expected index:value) check the file");
        }
        if (index.size() == token.size()) {
            return wrong(at, "no colon after index ", in_quotes(index), " (expected index:value) check the file");
        }
        if (indices.first == 1 && index.find_first_not_of('0') == index.npos) {
            return wrong(at,
                         "index 0 (indices start at 1 here) if they start at 0 in this file, set .zero_based = true");
        }
        return wrong(at, "index ", index, " is too large (", indices.limit_is, ") ", indices.suggestion);
    }

    [[gnu::cold]] bool wrong_value(const char* at) {
        const std::string_view value = token_at(at);
        if (value.empty()) return wrong(at, "no value after the colon (expected index:value) check the file");
        if (const auto why = why_no_number<T>(value); !why.empty()) return wrong(at, "value ", in_quotes(value), why);
        if (is_missing(value))
            return wrong(at, "missing value ", in_quotes(value),
                         " (nothing can be learned from it) drop the entry or the row");
        return wrong(at, "value ", in_quotes(value), " is not a number (expected index:value) check the file");
    }

    /// Sorts the entries of the last row by column.
    bool sort_row(std::size_t first) {
        order.clear();
        for (std::size_t k = first; k < x.indices.size(); ++k) order.emplace_back(x.indices[k], k);
        std::sort(order.begin(), order.end());
        for (std::size_t k = 1; k < order.size(); ++k) {
            if (order[k].first == order[k - 1].first) return wrong_duplicate(order[k].second - first);
        }
        if (has_values) {
            sorted_values.clear();
            for (const auto& entry : order) sorted_values.push_back(x.values[entry.second]);
            std::copy(sorted_values.begin(), sorted_values.end(),
                      x.values.begin() + static_cast<std::ptrdiff_t>(first));
        }
        for (std::size_t k = 0; k < order.size(); ++k) x.indices[first + k] = order[k].first;
        return true;
    }

    /// `entry`: the later of the two, counted within the row.
    [[gnu::cold]] bool wrong_duplicate(std::size_t entry) {
        const char* p = begin;
        for (std::size_t seen = 0;; p += token_at(p).size()) {
            p = skip_blanks(p);
            const std::string_view token = token_at(p);
            if (token.find(':') == token.npos || token.starts_with("qid:")) continue;
            if (seen++ == entry) break;
        }
        const std::string_view token = token_at(p);
        return wrong(p, "index ", token.substr(0, token.find(':')),
                     " appears twice in this row (which value counts?) "
                     "keep one of them");
    }

    const std::string path;
    const request& wanted;
    libsvm_indices indices;
    const memory_budget& memory;
    const char* begin = nullptr;
    const char* end = nullptr;
    std::size_t line = 0;
    std::vector<std::pair<std::int32_t, std::size_t>> order;
    std::vector<T> sorted_values;
};

}  // namespace gamut::data::detail
