// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/data/detail/line_reader.hpp>
#include <gamut/data/detail/text_file.hpp>
#include <gamut/data/shard.hpp>

namespace gamut::data::detail {

/// Which lines are rows: not those of blanks only, nor those whose first other byte is `comment` (0: no comments).
struct row_syntax {
    char separator = ' ';  // not a blank, if it is a tab
    char comment = 0;

    bool is_blank(char c) const { return c == ' ' || c == '\r' || (c == '\t' && separator != '\t'); }
    bool is_row(std::string_view line) const {
        const auto first = std::find_if_not(line.begin(), line.end(), [this](char c) { return is_blank(c); });
        return first != line.end() && (comment == 0 || *first != comment);
    }
};

/// Where the rows of a text file are: the file is cut into pieces by size, each rank counts the lines that start in its
/// share of them, and all ranks learn all counts. To find a row costs reading one piece.
class line_index {
public:
    /// Collective. `begin`: where the rows start, behind a header; `first_line`: the number of the line there.
    template <communicator::Communicator C>
    [[gnu::cold]] line_index(const C& ranks, const text_file& from, std::size_t begin, std::size_t first_line,
                             row_syntax row)
        : file(from),
          syntax(row),
          start(begin) {
        piece_bytes = std::max(smallest_piece, file.size() / most_pieces + 1);
        const std::size_t pieces = file.size() / piece_bytes + 1;
        std::vector<std::int64_t> counts(2 * pieces, 0);
        const auto rank = static_cast<std::size_t>(ranks.rank()), size = static_cast<std::size_t>(ranks.size());
        communicator::agree(ranks, [&] { count(pieces * rank / size, pieces * (rank + 1) / size, counts); });
        ranks.all_reduce(std::span<std::int64_t>(counts), communicator::operation::sum);
        rows_before.assign(pieces + 1, 0);
        line_numbers.assign(pieces + 1, first_line);
        for (std::size_t p = 0; p < pieces; ++p) {
            rows_before[p + 1] = rows_before[p] + static_cast<std::size_t>(counts[2 * p]);
            line_numbers[p + 1] = line_numbers[p] + static_cast<std::size_t>(counts[2 * p + 1]);
        }
    }

    std::size_t rows() const { return rows_before.back(); }

    /// At least as many bytes as these rows have.
    std::size_t bytes_of(range rows) const {
        if (rows.size() == 0) return 0;
        std::size_t after = piece_of(rows.end - 1) + 1;
        while (after < pieces() && line_numbers[after] == line_numbers[after + 1]) ++after;
        return std::min((after + 1) * piece_bytes, file.size()) - piece_of(rows.begin) * piece_bytes;
    }

    /// Calls visit(row, line, line_number) for the rows of `wanted`, in order.
    template <class Visit> void for_each_row(range wanted, std::size_t line_limit, Visit visit) const {
        if (wanted.size() == 0) return;
        const std::size_t piece = piece_of(wanted.begin);
        std::size_t row = rows_before[piece];
        line_reader lines(file, first_line_start(piece, file.size()), line_numbers[piece], line_limit);
        for (std::string_view line; row < wanted.end && lines.next(line);) {
            if (!syntax.is_row(line)) continue;
            if (row >= wanted.begin) visit(row, line, lines.number());
            ++row;
        }
        if (row < wanted.end) file.fail("changed while it was read", "rows are missing", "wait until it is complete");
    }

private:
    static constexpr std::size_t smallest_piece = std::size_t(1) << 20, most_pieces = std::size_t(1) << 16;
    static constexpr std::size_t block_bytes = std::size_t(1) << 18;

    std::size_t pieces() const { return rows_before.size() - 1; }

    std::size_t piece_of(std::size_t row) const {
        const auto after = std::upper_bound(rows_before.begin(), rows_before.end(), row);
        return static_cast<std::size_t>(after - rows_before.begin()) - 1;
    }

    /// The first line start at or behind the start of a piece; file.size() when there is none below `end`.
    std::size_t first_line_start(std::size_t piece, std::size_t end) const {
        const std::size_t begin = piece * piece_bytes;
        if (begin <= start) return start;
        const auto block = std::make_unique_for_overwrite<char[]>(block_bytes);
        for (std::size_t offset = begin - 1; offset < end;) {  // a line starts at `begin` if the byte before ends one
            const std::size_t got = file.read(offset, block.get(), block_bytes);
            const void* const newline = std::memchr(block.get(), '\n', got);
            if (newline) return offset + static_cast<std::size_t>(static_cast<const char*>(newline) - block.get()) + 1;
            offset += got;
        }
        return file.size();
    }

    /// Lines that start in the pieces [first, last) and rows among them, by the first byte that isn't blank.
    [[gnu::noinline]] void count(std::size_t first, std::size_t last, std::vector<std::int64_t>& counts) const {
        const std::size_t end = std::min(last * piece_bytes, file.size());
        std::size_t offset = first < last ? first_line_start(first, end) : end;
        if (offset >= end) return;
        const auto block = std::make_unique_for_overwrite<char[]>(block_bytes);
        std::size_t piece = offset / piece_bytes;
        bool undecided = true;  // blanks only since the line started
        ++counts[2 * piece + 1];
        while (const std::size_t got = file.read(offset, block.get(), block_bytes)) {
            const char* p = block.get();
            const char* const block_end = p + got;
            while (p != block_end) {
                if (undecided) {
                    while (p != block_end && syntax.is_blank(*p)) ++p;
                    if (p == block_end) break;
                    undecided = false;
                    if (*p != '\n' && (syntax.comment == 0 || *p != syntax.comment)) ++counts[2 * piece];
                }
                p = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(block_end - p)));
                if (!p) break;
                const std::size_t line_start = offset + static_cast<std::size_t>(++p - block.get());
                if (line_start >= end) return;
                piece = line_start / piece_bytes;
                ++counts[2 * piece + 1];
                undecided = true;
            }
            offset += got;
            if (offset >= end && !undecided) return;
        }
    }

    const text_file& file;
    row_syntax syntax;
    std::size_t start, piece_bytes;
    std::vector<std::size_t> rows_before, line_numbers;  // before each piece, and after the last
};

}  // namespace gamut::data::detail
