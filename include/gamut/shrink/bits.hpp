// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>

namespace gamut::shrink {

/// Numbers of any width, one after another, the highest bit first; the last byte is filled up with zeros.
class bit_writer {
public:
    /// The lowest `width` bits of a number, up to 64.
    void put(std::uint64_t number, unsigned width) {
        while (width-- > 0) {
            if (bits_ % 8 == 0) bytes_.push_back('\0');
            const auto bit = static_cast<unsigned char>((number >> width & 1) << (7 - bits_ % 8));
            bytes_.back() = static_cast<char>(static_cast<unsigned char>(bytes_.back()) | bit);
            ++bits_;
        }
    }
    std::size_t bits() const { return bits_; }
    const std::string& bytes() const { return bytes_; }

private:
    std::string bytes_;
    std::size_t bits_ = 0;
};

/// Reads what a bit_writer wrote. `where` begins what it says when that is not there.
class bit_reader {
public:
    explicit bit_reader(std::string_view bytes, std::string where = "bits") : bytes_(bytes), where_(std::move(where)) {}

    unsigned bit() {
        if (bits_ == 8 * bytes_.size()) refuse("ends too early, after ", bytes_.size(), " bytes");
        const auto byte = static_cast<unsigned char>(bytes_[bits_ / 8]);
        return byte >> (7 - bits_++ % 8) & 1u;
    }
    std::uint64_t get(unsigned width) {
        std::uint64_t number = 0;
        while (width-- > 0) number = number << 1 | bit();
        return number;
    }
    /// Throws data_error unless all is read but the zeros that fill the last byte.
    void finish() {
        if (8 * bytes_.size() - bits_ >= 8) refuse("goes on after its end, at byte ", (bits_ + 7) / 8);
        while (bits_ < 8 * bytes_.size())
            if (bit() != 0) refuse("has no zeros after its end");
    }

    /// Throws data_error: it says where, and what is wrong.
    template <class... What> [[noreturn]] void refuse(const What&... what) const {
        throw core::data_error(
            core::text(where_, ": ", what..., " (it was altered, or written by something else) ", "write it again"));
    }

private:
    std::string_view bytes_;
    std::string where_;
    std::size_t bits_ = 0;
};

}  // namespace gamut::shrink
