// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <gamut/core/error.hpp>

namespace gamut::core {

/// A file that is either whole or absent. It grows as path + ".partial" and gets its name when it is closed, after it
/// has reached the disk; one that is never closed leaves only the partial file. Throws core::error when the disk refuses.
class whole_file {
public:
    explicit whole_file(std::string path) : path_(std::move(path)) {}
    whole_file(whole_file&& other) noexcept
        : path_(std::move(other.path_)),
          file_(std::exchange(other.file_, nullptr)) {}
    whole_file& operator=(whole_file&& other) noexcept {
        std::swap(path_, other.path_);
        std::swap(file_, other.file_);
        return *this;
    }
    ~whole_file() {
        if (file_ != nullptr) std::fclose(file_);
    }

    bool is_open() const { return file_ != nullptr; }

    /// Appends, and lets others see it (in the partial file).
    void write(std::string_view bytes) {
        if (file_ == nullptr) file_ = std::fopen(partial().c_str(), "wb");
        if (file_ == nullptr) fail("cannot be created");
        if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size() || std::fflush(file_) != 0)
            fail("cannot be written");
    }

    void close() {
        if (file_ == nullptr) return;
        std::FILE* const file = std::exchange(file_, nullptr);
        const bool flushed = std::fflush(file) == 0 && ::fsync(::fileno(file)) == 0;
        const int problem = errno;
        const bool closed = std::fclose(file) == 0;
        if (!flushed) errno = problem;
        if (!flushed || !closed) fail("cannot be written");
        if (std::rename(partial().c_str(), path_.c_str()) != 0) fail("cannot be renamed");
        sync_folder();
    }

private:
    std::string partial() const { return path_ + ".partial"; }

    [[noreturn]] void fail(const char* problem) const {
        throw error(
            text(partial(), ": ", problem, " (", std::strerror(errno), ") check the folder, the rights and the space"));
    }

    // a rename survives a power cut only when the folder that holds the name has reached the disk, too
    void sync_folder() const {
        const auto slash = path_.rfind('/');
        const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
        const int handle = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (handle < 0) return;
        ::fsync(handle);
        ::close(handle);
    }

    std::string path_;
    std::FILE* file_ = nullptr;
};

}  // namespace gamut::core
