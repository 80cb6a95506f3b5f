// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>

namespace gamut::core {

/// Observer: one JSON object per record and line, written by rank 0. Numbers keep 17 digits; one that is not finite
/// becomes null. The lines grow in path + ".partial", which takes its name `path` when the observer is closed, so that
/// a file called `path` is always whole. Pass it by reference; throws core::error when the disk refuses.
class json_lines {
public:
    explicit json_lines(std::string path) : path_(std::move(path)) {}
    json_lines(json_lines&& other) noexcept
        : path_(std::move(other.path_)),
          file_(std::exchange(other.file_, nullptr)) {}
    json_lines& operator=(json_lines&& other) noexcept {
        std::swap(path_, other.path_);
        std::swap(file_, other.file_);
        return *this;
    }
    ~json_lines() {
        try {
            close();
        } catch (const std::exception& problem) {
            std::fprintf(stderr, "gamut: %s\n", problem.what());
        }
    }

    void operator()(const record& now) {
        if (now.rank != 0) return;
        if (file_ == nullptr) {
            file_ = std::fopen(partial().c_str(), "wb");
            if (file_ == nullptr) fail("cannot be created", partial());
        }
        const std::string line = format(now);
        if (std::fwrite(line.data(), 1, line.size(), file_) != line.size() || std::fflush(file_) != 0)
            fail("cannot be written", partial());
    }

    /// Gives the file its name. Called by the destructor, which can only print what goes wrong.
    void close() {
        if (file_ == nullptr) return;
        std::FILE* const file = std::exchange(file_, nullptr);
        const bool flushed = std::fflush(file) == 0 && ::fsync(::fileno(file)) == 0;
        const int problem = errno;
        const bool closed = std::fclose(file) == 0;
        if (!flushed) errno = problem;
        if (!flushed || !closed) fail("cannot be written", partial());
        if (std::rename(partial().c_str(), path_.c_str()) != 0) fail("cannot be renamed", partial());
        sync_directory();
    }

    static std::string format(const record& now) {
        std::string line = "{\"solver\":";
        append_string(line, now.solver);
        line += ",\"phase\":";
        append_string(line, now.phase);
        append_number(line, "iteration", now.iteration);
        append_number(line, "objective", now.objective);
        append_number(line, "residual", now.residual);
        append_number(line, "dual_residual", now.dual_residual);
        append_number(line, "step", now.step);
        append_number(line, "nonzeros", now.nonzeros);
        append_number(line, "passes", now.passes);
        append_number(line, "seconds", now.seconds);
        append_number(line, "ranks", static_cast<std::size_t>(now.ranks));
        line += "}\n";
        return line;
    }

private:
    std::string partial() const { return path_ + ".partial"; }

    [[noreturn]] static void fail(const char* problem, const std::string& name) {
        throw error(
            text(name, ": ", problem, " (", std::strerror(errno), ") check the folder, the rights and the space"));
    }

    // a rename survives a power cut only when the folder that holds the name has reached the disk, too
    void sync_directory() const {
        const auto slash = path_.rfind('/');
        const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
        const int handle = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (handle < 0) return;
        ::fsync(handle);
        ::close(handle);
    }

    static void append_string(std::string& line, std::string_view value) {
        constexpr char digits[] = "0123456789abcdef";
        line += '"';
        for (const char c : value) {
            const auto byte = static_cast<unsigned char>(c);
            if (c == '"' || c == '\\')
                (line += '\\') += c;
            else if (byte < 0x20)
                ((line += "\\u00") += digits[byte >> 4]) += digits[byte & 15];
            else
                line += c;
        }
        line += '"';
    }

    static void append_number(std::string& line, std::string_view key, double value) {
        ((line += ",\"") += key) += "\":";
        if (!std::isfinite(value)) {
            line += "null";
            return;
        }
        char digits[40];
        const auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::general, 17).ptr;
        line.append(digits, end);
    }

    static void append_number(std::string& line, std::string_view key, std::size_t value) {
        ((line += ",\"") += key) += "\":";
        line += std::to_string(value);
    }

    std::string path_;
    std::FILE* file_ = nullptr;
};

}  // namespace gamut::core
