// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <gamut/core/crc32c.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>

namespace gamut::core {

namespace detail {

/// Records as TensorBoard reads them: u64 length, its masked CRC-32C, the bytes, theirs. The bytes are protocol buffers
/// (tensorflow/core/util/event.proto), of which an event needs six fields.
struct event {
    static std::string framed(std::string_view data) {
        std::string file, length;
        append_fixed(length, static_cast<std::uint64_t>(data.size()));
        file = length;
        append_fixed(file, masked(crc32c(length)));
        file += data;
        append_fixed(file, masked(crc32c(data)));
        return file;
    }

    /// The first event of a file.
    static std::string version(double wall_time) {
        std::string data = beginning(wall_time);
        append_bytes(data, 3, "brain.Event:2");
        return framed(data);
    }

    /// Numbers by name at a step.
    struct scalar {
        std::string_view tag;
        double value = 0;
    };
    template <class Scalars> static std::string summary(double wall_time, std::uint64_t step, const Scalars& scalars) {
        std::string data = beginning(wall_time), all, one;
        append_key(data, 2, 0);
        append_varint(data, step);
        for (const scalar& each : scalars) {
            one.clear();
            append_bytes(one, 1, each.tag);
            append_key(one, 2, 5);
            append_fixed(one, static_cast<float>(each.value));
            append_bytes(all, 1, one);
        }
        append_bytes(data, 5, all);
        return framed(data);
    }

    static constexpr std::uint32_t masked(std::uint32_t sum) { return ((sum >> 15) | (sum << 17)) + 0xa282ead8u; }

private:
    static std::string beginning(double wall_time) {
        std::string data;
        append_key(data, 1, 1);
        append_fixed(data, wall_time);
        return data;
    }
    template <class T> static void append_fixed(std::string& to, T value) {
        char bytes[sizeof(T)];
        std::memcpy(bytes, &value, sizeof(T));
        to.append(bytes, sizeof(T));
    }
    static void append_varint(std::string& to, std::uint64_t value) {
        for (; value >= 128; value >>= 7) to += static_cast<char>(value | 128);
        to += static_cast<char>(value);
    }
    static void append_key(std::string& to, unsigned field, unsigned type) { append_varint(to, field << 3 | type); }
    static void append_bytes(std::string& to, unsigned field, std::string_view bytes) {
        append_key(to, field, 2);
        append_varint(to, bytes.size());
        to += bytes;
    }
};

}  // namespace detail

/// Observer: scalars for TensorBoard, an event file in `folder` written by rank 0; `tensorboard --logdir folder` shows it while it
/// grows. Tags: objective, residual, dual_residual, step, nonzeros, passes, as single-precision numbers; what a
/// record lacks has none. A run that begins again begins a new file. Pass it by reference; throws core::error when the disk refuses.
class tensorboard {
public:
    explicit tensorboard(std::string folder) : folder_(std::move(folder)) {}
    tensorboard(tensorboard&& other) noexcept
        : folder_(std::move(other.folder_)),
          path_(std::move(other.path_)),
          handle_(std::exchange(other.handle_, -1)) {}
    tensorboard& operator=(tensorboard&& other) noexcept {
        std::swap(folder_, other.folder_);
        std::swap(path_, other.path_);
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~tensorboard() {
        if (handle_ >= 0) ::close(handle_);
    }

    void operator()(const record& now) {
        if (now.rank != 0) return;
        const double time = wall_time();
        if (handle_ < 0) open(time);
        detail::event::scalar scalars[6];
        std::size_t count = 0;
        const auto add = [&](std::string_view tag, double value) {
            if (!std::isnan(value)) scalars[count++] = {tag, value};
        };
        add("objective", now.objective);
        add("residual", now.residual);
        add("dual_residual", now.dual_residual);
        add("step", now.step);
        add("nonzeros", static_cast<double>(now.nonzeros));
        add("passes", static_cast<double>(now.passes));
        write(detail::event::summary(time, now.iteration, std::span(scalars, count)));
    }

    /// The event file; empty before the first record.
    const std::string& path() const { return path_; }

private:
    static double wall_time() {
        return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    }

    void open(double time) {
        if (::mkdir(folder_.c_str(), 0777) != 0 && errno != EEXIST) fail(folder_, "cannot be created");
        char host[256] = "";
        if (::gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
        const std::string base = text(folder_, "/events.out.tfevents.", static_cast<std::uint64_t>(time), '.',
                                      std::string_view(host), '.', static_cast<std::int64_t>(::getpid()));
        for (int number = 0; handle_ < 0; ++number) {  // never another run's file
            path_ = text(base, '.', number);
            handle_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
            if (handle_ < 0 && errno != EEXIST) fail(path_, "cannot be created");
        }
        write(detail::event::version(time));
    }

    void write(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto written = ::write(handle_, bytes.data(), bytes.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) fail(path_, "cannot be written");
            bytes.remove_prefix(static_cast<std::size_t>(written));
        }
    }

    [[noreturn]] static void fail(const std::string& path, const char* problem) {
        throw error(
            text(path, ": ", problem, " (", std::strerror(errno), ") check the folder, the rights and the space"));
    }

    std::string folder_, path_;
    int handle_ = -1;
};

}  // namespace gamut::core
