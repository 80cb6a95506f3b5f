// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/core/error.hpp>

namespace gamut::table::detail {

/// Numbers as the bytes of this machine.
class byte_writer {
public:
    template <class T>
    requires std::is_trivially_copyable_v<T>
    void put(const T& value) { put(std::span<const T>(&value, 1)); }
    template <class T> void put(std::span<const T> values) {
        if (values.empty()) return;
        const std::size_t at = bytes_.size();
        bytes_.resize(at + values.size_bytes());
        std::memcpy(bytes_.data() + at, values.data(), values.size_bytes());
    }
    /// Over what was put before.
    template <class T> void replace(std::size_t at, const T& value) {
        std::memcpy(bytes_.data() + at, &value, sizeof value);
    }
    std::size_t size() const { return bytes_.size(); }
    std::vector<std::uint8_t> take() { return std::exchange(bytes_, {}); }
    const std::vector<std::uint8_t>& bytes() const { return bytes_; }

private:
    std::vector<std::uint8_t> bytes_;
};

/// The same backwards; never reads, nor allocates, beyond what is there.
class byte_reader {
public:
    /// what: whose bytes these are; kind: of the error when they are wrong.
    byte_reader(std::span<const std::uint8_t> bytes, core::error_kind kind, std::string_view what)
        : bytes_(bytes),
          kind_(kind),
          what_(what) {}

    template <class T> T take() {
        T value;
        copy(&value, sizeof value);
        return value;
    }
    template <class T> std::vector<T> take(std::uint64_t count) {
        if (count > bytes_.size() / sizeof(T))
            wrong(count, " numbers are announced (", bytes_.size(), " bytes are left)");
        std::vector<T> values(static_cast<std::size_t>(count));
        copy(values.data(), values.size() * sizeof(T));
        return values;
    }
    std::size_t left() const { return bytes_.size(); }
    void end() const {
        if (!bytes_.empty()) wrong(bytes_.size(), " bytes too many (its header says so)");
    }
    template <class... Parts> [[noreturn]] void wrong(const Parts&... parts) const {
        core::throw_error(kind_, core::text(what_, ": ", parts...));
    }

private:
    void copy(void* to, std::size_t size) {
        if (size > bytes_.size()) wrong("it is cut off (", size, " bytes are needed, ", bytes_.size(), " are left)");
        if (size > 0) std::memcpy(to, bytes_.data(), size);
        bytes_ = bytes_.subspan(size);
    }

    std::span<const std::uint8_t> bytes_;
    core::error_kind kind_;
    std::string_view what_;
};

}  // namespace gamut::table::detail
