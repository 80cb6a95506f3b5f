// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/detail/number.hpp>
#include <gamut/data/detail/problems.hpp>

namespace gamut::data::detail {

/// A record of an archive: rows x columns numbers, row after row, that begin at `begin` among all of them.
struct archive_record {
    std::string key;
    std::size_t rows = 0, columns = 0, begin = 0;
};

/// Records, and all their numbers.
template <class T> struct archive {
    std::vector<archive_record> records;
    std::vector<T> numbers;
};

/// Reads a Kaldi archive. Its records are text or binary, each for itself: a key, a blank, and
///     [ 1 2\n 3 4 ]                       a matrix; without line ends, or brackets, a vector: one column
///     \0 B "FM " or "DM ", \4 rows, \4 columns, numbers          of 4 or 8 bytes, row after row, little-endian
///     \0 B "FV " or "DV ", \4 length, numbers
///     \0 B \4 length, then \4 and a number for each              whole numbers of 4 bytes
template <class T> class archive_reader {
public:
    archive_reader(const std::string& text, std::string file) : text_(text), file_(std::move(file)) {}

    /// Throws data_error that names the file and the record, or the byte where it would begin.
    [[gnu::cold]] archive<T> read() {
        std::vector<archive_record>& records = all_.records;
        std::vector<T>& numbers = all_.numbers;
        std::unordered_map<std::string, std::size_t> seen;
        for (skip_blanks("\n\r \t"); at_ < text_.size(); skip_blanks("\n\r \t")) {
            const std::size_t end = text_.find_first_of(" \t\n", at_);
            if (end == text_.npos || end == at_ || end - at_ > longest_key)
                throw core::data_error(core::text(file_, ": no record at byte ", at_,
                                                  " (a name and a blank are needed) give a Kaldi archive"));
            record_.key = text_.substr(at_, end - at_);
            if (!seen.emplace(record_.key, records.size()).second)
                fail("there twice", "names tell records apart", "rename one");
            at_ = end + (text_[end] == '\n' ? 0 : 1);
            record_.begin = numbers.size();
            if (text_.compare(at_, 2, std::string_view("\0B", 2)) == 0) {
                at_ += 2;
                read_binary();
            } else {
                read_text();
            }
            for (std::size_t k = record_.begin; k < numbers.size(); ++k)
                if (!std::isfinite(numbers[k]))
                    fail(core::text("number ", k - record_.begin, " is ", numbers[k]), "finite ones are needed",
                         "correct it, or drop the record");
            records.push_back(record_);
        }
        return std::move(all_);
    }

private:
    static constexpr std::size_t longest_key = 1000;

    [[noreturn, gnu::cold]] void fail(std::string_view problem, std::string_view why, std::string_view what) const {
        throw core::data_error(
            core::text(file_, ": record ", in_quotes(record_.key), ": ", problem, " (", why, ") ", what));
    }
    void skip_blanks(const char* blanks) { at_ = std::min(text_.find_first_not_of(blanks, at_), text_.size()); }

    template <class N> N take() {
        if (text_.size() - at_ < sizeof(N)) fail("cut off", "its numbers are not all there", "copy the file again");
        char bytes[sizeof(N)];
        std::memcpy(bytes, text_.data() + at_, sizeof(N));
        if constexpr (std::endian::native == std::endian::big) std::reverse(bytes, bytes + sizeof(N));
        at_ += sizeof(N);
        N number;
        std::memcpy(&number, bytes, sizeof(N));
        return number;
    }
    std::int32_t take_sized() {
        if (take<char>() != 4)
            fail("no number of 4 bytes", "another size is announced", "write it with 32-bit integers");
        return take<std::int32_t>();
    }
    std::size_t take_count(std::size_t bytes_each) {
        const std::int32_t count = take_sized();
        if (count < 0 || static_cast<std::size_t>(count) > (text_.size() - at_) / bytes_each)
            fail(core::text(count, " numbers"), "the file has no such room", "copy the file again");
        return static_cast<std::size_t>(count);
    }
    template <class N> void take_all(std::size_t count) {
        if (count > (text_.size() - at_) / sizeof(N))
            fail("cut off", "its numbers are not all there", "copy the file again");
        for (std::size_t k = 0; k < count; ++k) all_.numbers.push_back(static_cast<T>(take<N>()));
    }
    template <class N> void take_array(bool matrix) {
        record_.rows = take_count(1);
        record_.columns = matrix ? take_count(1) : 1;
        take_all<N>(record_.rows * record_.columns);
    }
    void read_binary() {
        if (at_ < text_.size() && text_[at_] == 4) {
            record_ = {record_.key, take_count(5), 1, record_.begin};
            for (std::size_t k = 0; k < record_.rows; ++k) all_.numbers.push_back(static_cast<T>(take_sized()));
            return;
        }
        const std::string kind = text_.substr(at_, 3);
        at_ += std::min<std::size_t>(3, text_.size() - at_);
        if (kind == "FM " || kind == "FV ") return take_array<float>(kind == "FM ");
        if (kind == "DM " || kind == "DV ") return take_array<double>(kind == "DM ");
        if (kind.starts_with("CM"))
            fail("a compressed matrix", "it is lossy", "write it with copy-feats --compress=false");
        fail(core::text("of kind ", in_quotes(kind)), "matrices and vectors are read", "convert it");
    }

    void read_text() {
        skip_blanks(" \t");
        const bool brackets = at_ < text_.size() && text_[at_] == '[';
        if (brackets) ++at_;
        std::vector<std::size_t> of_line(1);
        for (bool over = false; !over;) {
            skip_blanks(" \t\r");
            const char next = at_ < text_.size() ? text_[at_] : '\0';
            if (next == ']' && brackets) {
                ++at_;
                over = true;
            } else if (next == '\n' && brackets) {
                ++at_;
                if (of_line.back() > 0) of_line.push_back(0);
            } else if (at_ == text_.size() || next == '\n') {
                if (brackets) fail("no ']'", "the file ends before", "copy the file again");
                over = true;
            } else {
                T value;
                const char* const begin = text_.data() + at_;
                const char* const end = read_number(begin, text_.data() + text_.size(), value);
                const char behind = end == text_.data() + text_.size() ? '\n' : *end;
                if (end == begin || std::string_view(" \t\r\n]").find(behind) == std::string_view::npos) {
                    const std::size_t stop = std::min(text_.find_first_of(" \t\r\n]", at_), text_.size());
                    fail(core::text("number ", all_.numbers.size() - record_.begin, " is ",
                                    in_quotes(std::string_view(text_).substr(at_, stop - at_))),
                         "it is none", "correct it");
                }
                all_.numbers.push_back(value);
                ++of_line.back();
                at_ = static_cast<std::size_t>(end - text_.data());
            }
        }
        if (of_line.back() == 0 && of_line.size() > 1) of_line.pop_back();
        const bool vector = of_line.size() == 1 && !brackets;
        record_.rows = vector ? of_line[0] : of_line[0] == 0 ? 0 : of_line.size();
        record_.columns = vector ? 1 : of_line[0];
        for (const std::size_t n : of_line)
            if (n != of_line[0])
                fail(core::text("rows of ", of_line[0], " and ", n, " numbers"), "a matrix has equal ones",
                     "correct it");
    }

    const std::string& text_;
    std::string file_;
    std::size_t at_ = 0;
    archive_record record_;
    archive<T> all_;
};

}  // namespace gamut::data::detail
