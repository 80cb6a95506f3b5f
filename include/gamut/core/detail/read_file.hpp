// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include <gamut/core/error.hpp>

namespace gamut::core::detail {

/// A regular file that is read from its beginning. Never waits for a FIFO's writer. Throws core::data_error.
class reading {
public:
    explicit reading(const std::string& path)
        : path_(path),
          handle_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
        if (handle_ < 0) refuse("cannot be opened", "check the path and the rights");
        struct stat status {};
        const bool found = ::fstat(handle_, &status) == 0;
        if (found && S_ISREG(status.st_mode)) {
            size_ = static_cast<std::size_t>(status.st_size);
            return;
        }
        ::close(handle_);
        if (!found) refuse("cannot be looked at", "check the disk");
        throw data_error(text(path, ": is no regular file (only such a file can be read) name another one"));
    }
    reading(const reading&) = delete;
    reading& operator=(const reading&) = delete;
    ~reading() { ::close(handle_); }

    std::size_t size() const { return size_; }

    /// Appends up to `wanted` bytes; fewer where the file ends. Allocates no more than 1 MiB ahead of the bytes that are there.
    void append(std::string& to, std::size_t wanted) {
        constexpr std::size_t ahead = std::size_t(1) << 20;
        while (wanted > 0) {
            const std::size_t before = to.size(), part = std::min(wanted, ahead);
            to.resize(before + part);
            const auto got = ::read(handle_, to.data() + before, part);
            to.resize(before + static_cast<std::size_t>(std::max<decltype(got)>(got, 0)));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) refuse("cannot be read", "check the disk");
            if (got == 0) return;
            wanted -= static_cast<std::size_t>(got);
        }
    }

private:
    [[noreturn]] void refuse(const char* problem, const char* suggestion) const {
        throw data_error(text(path_, ": ", problem, " (", std::strerror(errno), ") ", suggestion));
    }

    std::string path_;
    int handle_;
    std::size_t size_ = 0;
};

}  // namespace gamut::core::detail
