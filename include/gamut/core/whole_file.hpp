// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <gamut/core/error.hpp>

namespace gamut::core {

/// A file that is either whole or as it was. It grows as path + ".partial" and gets its name when it is closed, after it
/// has reached the disk; one that fails or is never closed leaves nothing (a process that is killed leaves the partial
/// file). Where the path is a symbolic link, its target is written and the link stays; the mode of a file that is
/// replaced stays; what is there and is no regular file (a directory, a FIFO, a device) is refused, untouched.
/// Throws core::error when it refuses, or the disk does.
class whole_file {
public:
    explicit whole_file(std::string path) : path_(std::move(path)) {}
    whole_file(whole_file&& other) noexcept
        : path_(std::move(other.path_)),
          target_(std::move(other.target_)),
          file_(std::exchange(other.file_, nullptr)) {}
    whole_file& operator=(whole_file&& other) noexcept {
        std::swap(path_, other.path_);
        std::swap(target_, other.target_);
        std::swap(file_, other.file_);
        return *this;
    }
    ~whole_file() { discard(); }

    bool is_open() const { return file_ != nullptr; }

    /// Appends, and lets others see it (in the partial file).
    void write(std::string_view bytes) {
        if (file_ == nullptr) open();
        if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size() || std::fflush(file_) != 0)
            give_up("cannot be written");
    }

    void close() {
        if (file_ == nullptr) return;
        if (std::fflush(file_) != 0 || ::fsync(::fileno(file_)) != 0) give_up("cannot be written");
        if (std::fclose(std::exchange(file_, nullptr)) != 0) give_up("cannot be written");
        if (std::rename(partial().c_str(), target_.c_str()) != 0) give_up("cannot be renamed");
        sync_folder();
    }

private:
    std::string partial() const { return target_ + ".partial"; }

    void open() {
        if (path_.empty()) throw error("the path is empty (a file is needed) name one");
        target_ = path_;
        struct stat found {};
        const bool exists = ::stat(path_.c_str(), &found) == 0;
        if (!exists && errno != ENOENT) fail(path_, "cannot be looked at");
        if (exists && !S_ISREG(found.st_mode)) {
            throw error(text(path_, ": is ", kind_of_file(found.st_mode),
                             " (only a regular file can be written whole) name another file"));
        }
        follow_links();
        // never waits for a FIFO's reader nor writes through a link that lies in the partial file's place
        const int handle =
            ::open(partial().c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, exists ? 0600 : 0666);
        if (handle < 0) fail(partial(), "cannot be created");
        struct stat opened {};
        if (::fstat(handle, &opened) != 0 || !S_ISREG(opened.st_mode)) {
            ::close(handle);
            throw error(text(partial(), ": is ", kind_of_file(opened.st_mode),
                             " (it must grow in a regular file of that name) remove it"));
        }
        if (exists) static_cast<void>(::fchmod(handle, found.st_mode & 0777));  // some file systems have no modes
        file_ = ::ftruncate(handle, 0) == 0 ? ::fdopen(handle, "wb") : nullptr;
        if (file_ == nullptr) {
            ::close(handle);
            give_up("cannot be written");
        }
    }

    /// Makes `target_` the file behind the link, whether that exists or not.
    void follow_links() {
        constexpr int most_links = 40;
        for (int links = 0;; ++links) {
            struct stat found {};
            if (::lstat(target_.c_str(), &found) != 0 || !S_ISLNK(found.st_mode)) return;
            std::string to(4096, '\0');
            const auto length = ::readlink(target_.c_str(), to.data(), to.size());
            if (links == most_links) errno = ELOOP;
            if (length < 0 || links == most_links) fail(path_, "cannot be looked at");
            to.resize(static_cast<std::size_t>(length));
            const auto slash = target_.rfind('/');
            const bool relative = !to.starts_with('/') && slash != std::string::npos;
            target_ = relative ? target_.substr(0, slash + 1) + to : to;
        }
    }

    static const char* kind_of_file(mode_t mode) {
        return S_ISDIR(mode) ? "a directory" : S_ISFIFO(mode) ? "a FIFO" : S_ISSOCK(mode) ? "a socket" : "a device";
    }

    /// Leaves no partial file.
    void discard() noexcept {
        if (file_ == nullptr) return;
        std::fclose(std::exchange(file_, nullptr));
        ::unlink(partial().c_str());
    }

    [[noreturn]] void give_up(const char* problem) {
        const int why = errno;
        if (file_ != nullptr) std::fclose(std::exchange(file_, nullptr));
        ::unlink(partial().c_str());
        errno = why;
        fail(partial(), problem);
    }

    [[noreturn]] static void fail(const std::string& path, const char* problem) {
        throw error(
            text(path, ": ", problem, " (", std::strerror(errno), ") check the folder, the rights and the space"));
    }

    // a rename survives a power cut only when the folder that holds the name has reached the disk, too
    void sync_folder() const {
        const auto slash = target_.rfind('/');
        const std::string folder = slash == std::string::npos ? "." : target_.substr(0, slash + 1);
        const int handle = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (handle < 0) return;
        ::fsync(handle);
        ::close(handle);
    }

    std::string path_, target_;  // as named, and behind symbolic links
    std::FILE* file_ = nullptr;
};

}  // namespace gamut::core
