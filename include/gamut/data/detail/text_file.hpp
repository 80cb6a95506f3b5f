// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gamut/communicator/agree.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>

namespace gamut::data::detail {

/// What a file that isn't text is, told from its first bytes; empty for text.
[[gnu::cold]] inline std::string_view binary_kind(std::string_view head) {
    using namespace std::string_view_literals;
    constexpr std::pair<std::string_view, std::string_view> signatures[] = {
        {"\x1f\x8b"sv, "gzip-compressed"},
        {"BZh"sv, "bzip2-compressed"},
        {"\xfd"
         "7zXZ"sv,
         "xz-compressed"},
        {"\x28\xb5\x2f\xfd"sv, "zstd-compressed"},
        {"PK\x03\x04"sv, "zip archive or spreadsheet"},
        {"\xd0\xcf\x11\xe0"sv, "old spreadsheet"},
        {"\x89PNG"sv, "PNG image"},
        {"\xff\xd8\xff"sv, "JPEG image"},
        {"\x89HDF"sv, "HDF5 file"},
        {"\x93NUMPY"sv, "NumPy file"},
        {"PAR1"sv, "Parquet file"},
        {"\x7f"
         "ELF"sv,
         "program"},
        {"%PDF"sv, "PDF document"},
        {"\xff\xfe"sv, "UTF-16 text"},
        {"\xfe\xff"sv, "UTF-16 text"},
    };
    for (const auto& [signature, kind] : signatures) {
        if (head.starts_with(signature)) return kind;
    }
    if (head.size() >= 4 &&
        ((!head[0] && head[1] && !head[2] && head[3]) || (head[0] && !head[1] && head[2] && !head[3])))
        return "UTF-16 text";
    return head.find('\0') != head.npos ? "binary file" : "";
}

/// Whether lines end in a carriage return alone: one stands within the first bytes, and no line feed.
[[gnu::cold]] inline bool ends_lines_in_cr(std::string_view head) {
    const auto first = head.find('\r');
    return first != head.npos && first + 1 < head.size() && head.find('\n') == head.npos;
}

/// What a reader wants to find in a file.
enum class contents { text, numbers };

/// A file of fixed size, read by position, so that ranks and threads don't disturb each other. Not memory-mapped: a file
/// that shrinks meanwhile is an error here and would be a SIGBUS there. What is no text is refused, unless it is to be numbers.
class text_file {
public:
    [[gnu::cold]] explicit text_file(std::string file_path, contents wanted = contents::text)
        : path(std::move(file_path)) {
        if (path.empty()) throw core::option_error("path is empty (a file is needed) set .path");
        descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (descriptor < 0) fail("can't be opened", std::strerror(errno), "check the path and the permissions");
        try {
            look(wanted);
        } catch (...) {
            ::close(descriptor);
            throw;
        }
    }
    text_file(const text_file&) = delete;
    text_file& operator=(const text_file&) = delete;
    ~text_file() { ::close(descriptor); }

    const std::string& name() const { return path; }
    std::size_t size() const { return bytes; }
    std::size_t text_begin() const { return begin; }  // after a byte-order mark

    /// Reads up to `count` bytes at `offset`: fewer only at the end of the file.
    std::size_t read(std::size_t offset, char* to, std::size_t count) const {
        count = std::min(count, bytes - std::min(offset, bytes));
        for (std::size_t done = 0; done < count;) {
            const auto got = ::pread(descriptor, to + done, count - done, static_cast<off_t>(offset + done));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) fail("can't be read", std::strerror(errno), "check the disk");
            if (got == 0) fail("shrank while it was read", "another program writes it", "wait for that to finish");
            done += static_cast<std::size_t>(got);
        }
        return count;
    }

    [[noreturn]] void fail(std::string_view problem, std::string_view why, std::string_view suggestion) const {
        throw core::data_error(core::text(path, ": ", problem, " (", why, ") ", suggestion));
    }

private:
    [[gnu::cold]] void look(contents wanted) {
        struct stat status {};
        if (::fstat(descriptor, &status) != 0) fail("can't be read", std::strerror(errno), "check the disk");
        if (S_ISDIR(status.st_mode)) fail("is a directory", "a file is needed", "name a file in it");
        if (!S_ISREG(status.st_mode)) {
            fail("is not a regular file", "every rank reads its own part of it", "copy it to a file first");
        }
        bytes = static_cast<std::size_t>(status.st_size);
        char head[4096];
        const std::string_view start(head, read(0, head, sizeof head));
        const auto kind = binary_kind(start);
        const auto needed = wanted == contents::text ? "plain text is needed" : "the file itself is needed";
        if (kind == "gzip-compressed") fail(kind, needed, "gunzip it first");
        if (kind.ends_with("compressed")) fail(kind, needed, "decompress it first");
        if (wanted == contents::numbers) return;
        if (kind == "UTF-16 text") fail(kind, "UTF-8 or ASCII is needed", "convert it with iconv -f UTF-16 -t UTF-8");
        if (!kind.empty()) fail(kind, "plain text is needed", "export it as text first");
        if (ends_lines_in_cr(start))
            fail("lines end in carriage returns alone", "as on old Macs: all of the file would be one line",
                 "convert it with tr '\\r' '\\n'");
        begin = start.starts_with("\xef\xbb\xbf") ? 3 : 0;
    }

    std::string path;
    int descriptor = -1;
    std::size_t bytes = 0, begin = 0;
};

/// Collective: opens the file on all ranks, or on none.
template <communicator::Communicator C>
[[gnu::cold]] std::unique_ptr<text_file> open_together(const C& ranks, const std::string& path,
                                                       contents wanted = contents::text) {
    std::unique_ptr<text_file> file;
    communicator::agree(ranks, [&] { file = std::make_unique<text_file>(path, wanted); });
    const std::int64_t mine[] = {static_cast<std::int64_t>(file->size())};
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(ranks.size()));
    ranks.gather(std::span<const std::int64_t>(mine), std::span<std::int64_t>(sizes));
    for (std::size_t rank = 1; rank < sizes.size(); ++rank) {
        if (sizes[rank] == sizes[0]) continue;
        file->fail("not the same file on all ranks",
                   core::text(sizes[0], " bytes on rank 0, ", sizes[rank], " on rank ", rank),
                   "give all machines the same complete copy");
    }
    return file;
}

}  // namespace gamut::data::detail
