// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include <gamut/compressor/concept.hpp>

namespace gamut::compressor {

/// One byte a number: in blocks of `block` numbers, the nearest of 255 equidistant levels.
///   scale = max |x| / 127 over a block,  y = scale round(x / scale),  |y - x| <= scale / 2
/// A block with an entry that is not finite (as a float) becomes NaN; one that is all below 1.5e-36 becomes 0.
/// Dettmers, 8-bit approximations for parallelism in deep learning, ICLR 2016, the linear one.
struct int8 {
    std::uint32_t block = 256;

    static constexpr std::string_view name = "int8";
    static constexpr bool unbiased = false, contracts = true, needs_error_feedback = false, summable = false;
    static constexpr bool fixed_length = true;

    std::uint32_t options() const { return block; }
    void validate() const {
        if (block < 1 || block > largest)
            throw core::option_error(
                core::text("int8: block is ", block, " (it must be from 1 to ", largest, " numbers) try 256"));
    }

    template <class T> void write(turn, std::span<const T> x, bytes& out) const {
        validate();
        out.reserve(out.size() + size_of(x.size()));
        std::int8_t levels[largest];
        for (std::size_t begin = 0; begin < x.size(); begin += block) {
            const std::size_t count = std::min<std::size_t>(block, x.size() - begin);
            const T* const from = x.data() + begin;
            std::uint32_t most = 0;  // ordered like the magnitudes, infinities and NaN last
            for (std::size_t i = 0; i < count; ++i)
                most = std::max(most, std::bit_cast<std::uint32_t>(static_cast<float>(from[i])) & 0x7fffffff);
            float scale = std::bit_cast<float>(most) / 127;
            if (most >= std::bit_cast<std::uint32_t>(std::numeric_limits<float>::infinity()))
                scale = std::numeric_limits<float>::quiet_NaN();
            else if (scale < std::numeric_limits<float>::min())
                scale = 0;
            const float inverse = scale > 0 ? 1 / scale : 0;
            // adding 1.5 * 2^23 to |y| <= 127 leaves round(y), to even, in the low byte
            for (std::size_t i = 0; i < count; ++i)
                levels[i] = static_cast<std::int8_t>(static_cast<std::uint8_t>(
                    std::bit_cast<std::uint32_t>(static_cast<float>(from[i]) * inverse + 0x1.8p23f)));
            detail::append(out, scale);
            detail::append(out, levels, count);
        }
    }
    template <class T> void read(std::span<const std::uint8_t> payload, std::span<T> out) const {
        validate();
        detail::check_length(name, payload, out.size(), size_of(out.size()));
        const std::uint8_t* from = payload.data();
        for (std::size_t begin = 0; begin < out.size(); begin += block) {
            const std::size_t count = std::min<std::size_t>(block, out.size() - begin);
            const auto scale = detail::take<float>(from);
            T* const to = out.data() + begin;
            from += sizeof scale;
            for (std::size_t i = 0; i < count; ++i)
                to[i] = static_cast<T>(scale * static_cast<float>(static_cast<std::int8_t>(from[i])));
            from += count;
        }
    }

private:
    static constexpr std::uint32_t largest = 4096;

    std::size_t size_of(std::size_t n) const { return n + (n + block - 1) / block * sizeof(float); }
};

}  // namespace gamut::compressor
