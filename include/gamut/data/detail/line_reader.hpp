// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/detail/text_file.hpp>

namespace gamut::data::detail {

/// Lines from a position of a file on, through a buffer that grows only as far as lines are long.
class line_reader {
public:
    line_reader(const text_file& from, std::size_t offset, std::size_t first_line, std::size_t longest_line)
        : file(from),
          next_read(offset),
          line_offset(offset),
          line_number(first_line - 1),
          limit(longest_line) {
        capacity = std::min<std::size_t>(first_capacity, file.size() - std::min(offset, file.size()) + 1);
        buffer = std::make_unique_for_overwrite<char[]>(capacity);
    }

    /// The next line without its end (LF or CR LF), valid until the next call; false at the end of the file.
    bool next(std::string_view& line) {
        line_offset += consumed;
        std::size_t searched = position;
        for (;;) {
            const char* const start = buffer.get() + position;
            if (const void* const newline = std::memchr(buffer.get() + searched, '\n', filled - searched)) {
                const auto length = static_cast<std::size_t>(static_cast<const char*>(newline) - start);
                return deliver(line, {start, length}, length + 1);
            }
            if (next_read >= file.size()) {
                const std::string_view rest(start, filled - position);
                return !rest.empty() && deliver(line, rest, rest.size());
            }
            searched = refill();
        }
    }

    std::size_t number() const { return line_number; }  // of the line that `next` gave, from 1
    std::size_t offset() const { return line_offset; }  // where it starts in the file
    std::size_t end_offset() const { return line_offset + consumed; }

private:
    static constexpr std::size_t first_capacity = std::size_t(1) << 20;

    bool deliver(std::string_view& line, std::string_view text, std::size_t length) {
        ++line_number;
        if (text.size() > limit) complain();
        consumed = length;
        position += length;
        line = text.ends_with('\r') ? text.substr(0, text.size() - 1) : text;
        return true;
    }

    /// Moves the unfinished line to the front and reads behind it. Returns where the new bytes start.
    std::size_t refill() {
        const std::size_t kept = filled - position;
        if (kept > limit) {
            ++line_number;
            complain();
        }
        if (kept > capacity / 2) {
            auto larger = std::make_unique_for_overwrite<char[]>(2 * capacity);
            std::memcpy(larger.get(), buffer.get() + position, kept);
            buffer = std::move(larger);
            capacity *= 2;
        } else {
            std::memmove(buffer.get(), buffer.get() + position, kept);
        }
        position = 0;
        const auto got = file.read(next_read, buffer.get() + kept, capacity - kept);
        next_read += got;
        filled = kept + got;
        return kept;
    }

    [[noreturn]] void complain() const {
        throw core::data_error(
            core::text(file.name(), ":", line_number, ":1: line longer than ", limit,
                       " bytes (probably not a text file with a row per line) or raise .line_limit"));
    }

    const text_file& file;
    std::unique_ptr<char[]> buffer;
    std::size_t capacity = 0, position = 0, filled = 0;
    std::size_t next_read, line_offset, line_number, consumed = 0, limit;
};

}  // namespace gamut::data::detail
