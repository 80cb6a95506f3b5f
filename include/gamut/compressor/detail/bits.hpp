// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <gamut/compressor/detail/message.hpp>

/// Numbers of a few bits each, without gaps, the lowest bit first.
namespace gamut::compressor::detail {

constexpr std::size_t packed_bytes(std::size_t count, unsigned width) { return (count * width + 7) / 8; }

class bit_writer {
public:
    explicit bit_writer(std::vector<std::uint8_t>& out) : out_(out) {}

    /// The low `width` <= 32 bits; the others must be 0.
    void put(std::uint32_t value, unsigned width) {
        held_ |= std::uint64_t{value} << count_;
        count_ += width;
        if (count_ >= 32) {
            append(out_, static_cast<std::uint32_t>(held_));
            held_ >>= 32;
            count_ -= 32;
        }
    }
    void finish() {
        for (; count_ > 0; count_ -= count_ < 8 ? count_ : 8, held_ >>= 8)
            out_.push_back(static_cast<std::uint8_t>(held_));
    }

private:
    std::vector<std::uint8_t>& out_;
    std::uint64_t held_ = 0;
    unsigned count_ = 0;
};

/// Reads what bit_writer wrote, and zeros beyond the end.
class bit_reader {
public:
    explicit bit_reader(std::span<const std::uint8_t> from) : from_(from) {}

    std::uint32_t get(unsigned width) {
        while (count_ < width) {
            if (at_ + 4 <= from_.size()) {
                held_ |= std::uint64_t{take<std::uint32_t>(from_.data() + at_)} << count_;
                at_ += 4;
                count_ += 32;
            } else {
                if (at_ < from_.size()) held_ |= std::uint64_t{from_[at_]} << count_;
                ++at_;
                count_ += 8;
            }
        }
        const auto value = static_cast<std::uint32_t>(held_ & ((std::uint64_t{1} << width) - 1));
        held_ >>= width;
        count_ -= width;
        return value;
    }

private:
    std::span<const std::uint8_t> from_;
    std::size_t at_ = 0;
    std::uint64_t held_ = 0;
    unsigned count_ = 0;
};

}  // namespace gamut::compressor::detail
