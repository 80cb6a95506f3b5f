// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/core/whole_file.hpp>
#include <gamut/table/detail/bytes.hpp>
#include <gamut/table/detail/plan.hpp>

namespace gamut::table::detail {

/// A table's file: a mark, the version, 0x01020304 in the order of the machine's bytes, what kind of rows it has, how many of
/// which width, the clock, how many rows follow; these, each with its number, version and length; FNV-1a of all that.
struct file_head {
    static constexpr char right_mark[16] = "gamut table\n";
    static constexpr std::uint32_t right_version = 1, right_order = 0x01020304;
    static constexpr std::uint64_t longest_kind = 256;

    std::string kind{};
    std::uint64_t rows = 0, width = 0, clock = 0, count = 0;

    void write(byte_writer& out) const {
        out.put(std::span<const char>(right_mark));
        out.put(right_version);
        out.put(right_order);
        out.put(std::uint64_t{kind.size()});
        out.put(std::span<const char>(kind.data(), kind.size()));
        for (const std::uint64_t number : {rows, width, clock, count}) out.put(number);
    }
    static file_head read(byte_reader& in) {
        if (in.take<std::array<char, 16>>() != std::to_array(right_mark))
            in.wrong("is no table (its first bytes say so) name a file that table::shared::save wrote");
        if (const auto version = in.take<std::uint32_t>(); version != right_version)
            in.wrong("is of version ", version, " (this library reads version ", right_version,
                     ") read it with the library that wrote it");
        if (in.take<std::uint32_t>() != right_order)
            in.wrong("has the bytes of its numbers in another order (another kind of machine wrote it) read it there");
        file_head head;
        const auto length = in.take<std::uint64_t>();
        if (length > longest_kind) in.wrong("is broken (the name of its rows has ", length, " letters)");
        const auto letters = in.take<char>(length);
        head.kind.assign(letters.begin(), letters.end());
        for (std::uint64_t* const number : {&head.rows, &head.width, &head.clock, &head.count})
            *number = in.take<std::uint64_t>();
        return head;
    }
};

/// Writes a file, and then what its bytes come to.
class hashing_file {
public:
    explicit hashing_file(std::string path) : file_(std::move(path)) {}

    void write(std::span<const std::uint8_t> bytes) {
        hash_.add(bytes);
        waiting_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        if (waiting_.size() >= (std::size_t{1} << 20)) flush();
    }
    void close() {
        const std::uint64_t all = hash_.value();
        waiting_.append(reinterpret_cast<const char*>(&all), sizeof all);
        flush();
        file_.close();
    }

private:
    void flush() {
        file_.write(waiting_);
        waiting_.clear();
    }

    core::whole_file file_;
    fingerprint hash_;
    std::string waiting_;
};

/// A table's file that was found whole.
class checked_file {
public:
    explicit checked_file(std::string path) : path_(std::move(path)), file_(std::fopen(path_.c_str(), "rb")) {
        struct stat found {};
        if (!file_ || ::fstat(::fileno(file_.get()), &found) != 0)
            refuse("cannot be opened (", std::strerror(errno), ") name a file that table::shared::save wrote");
        if (!S_ISREG(found.st_mode)) refuse("is no regular file (a table is one) name one");
        size_ = static_cast<std::uint64_t>(found.st_size);
        std::vector<std::uint8_t> start(static_cast<std::size_t>(std::min<std::uint64_t>(size_, 4096)));
        read(start);
        byte_reader in(start, core::error_kind::data, path_);
        head = file_head::read(in);
        rows_at_ = start.size() - in.left();
        if (size_ < rows_at_ + sizeof(std::uint64_t)) refuse("is cut off (it ends with its head) use another snapshot");
        check_hash();
        go_to(rows_at_);
    }

    file_head head;

    /// Bytes of the rows, all together.
    std::uint64_t row_bytes() const { return size_ - rows_at_ - sizeof(std::uint64_t); }
    void read(std::span<std::uint8_t> to) {
        if (std::fread(to.data(), 1, to.size(), file_.get()) != to.size())
            refuse("cannot be read (", std::ferror(file_.get()) ? std::strerror(errno) : "it became shorter",
                   ") check the disk");
    }
    template <class... Parts> [[noreturn]] void refuse(const Parts&... parts) const {
        throw core::data_error(core::text(path_, ": ", parts...));
    }

private:
    struct closer {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };

    void go_to(std::uint64_t at) {
        if (::fseeko(file_.get(), static_cast<off_t>(at), SEEK_SET) != 0)
            refuse("cannot be read (", std::strerror(errno), ") check the disk");
    }
    void check_hash() {
        go_to(0);
        fingerprint hash;
        std::vector<std::uint8_t> piece(std::size_t{1} << 20);
        for (std::uint64_t left = size_ - sizeof(std::uint64_t); left > 0;) {
            const std::span<std::uint8_t> part(piece.data(),
                                               static_cast<std::size_t>(std::min<std::uint64_t>(left, piece.size())));
            read(part);
            hash.add(part);
            left -= part.size();
        }
        std::uint64_t said = 0;
        std::uint8_t last[sizeof said];
        read(last);
        std::memcpy(&said, last, sizeof said);
        if (said != hash.value())
            refuse("is broken, or cut off (its checksum does not match its bytes) use another snapshot");
    }

    std::string path_;
    std::unique_ptr<std::FILE, closer> file_;
    std::uint64_t size_ = 0, rows_at_ = 0;
};

}  // namespace gamut::table::detail
