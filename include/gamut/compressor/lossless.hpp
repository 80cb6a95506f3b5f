// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <blosc.h>

#include <gamut/compressor/concept.hpp>

namespace gamut::compressor {

/// Every bit of every number: their bytes shuffled, first bytes with first bytes, and compressed by LZ4, through Blosc.
/// Random fractions do not compress: of Gaussian floats about 15 % are saved, of numbers with many zeros or few digits most.
/// Goes with everything, and needs the component lossless of the CMake package (Debian: libblosc-dev).
/// Alted, Why modern CPUs are starving and what can be done about it, Computing in Science and Engineering 12 (2010).
struct lossless {
    int level = 5;  ///< from 0, no compression, to 9, the slowest

    static constexpr std::string_view name = "lossless";
    static constexpr bool unbiased = true, contracts = true, needs_error_feedback = false, summable = false;

    void validate() const {
        if (level < 0 || level > 9)
            throw core::option_error(core::text("lossless: level is ", level, " (it must be from 0 to 9) try 5"));
    }

    template <class T> void write(turn, std::span<const T> x, bytes& out) const {
        validate();
        for (std::size_t begin = 0; begin < x.size(); begin += piece<T>) {
            const auto part = x.subspan(begin, std::min(piece<T>, x.size() - begin));
            const std::size_t at = out.size(), room = part.size_bytes() + BLOSC_MAX_OVERHEAD;
            out.resize(at + sizeof(std::uint32_t) + room);
            const int length = blosc_compress_ctx(level, BLOSC_SHUFFLE, sizeof(T), part.size_bytes(), part.data(),
                                                  out.data() + at + sizeof(std::uint32_t), room, "lz4", 0, 1);
            if (length <= 0)
                throw core::error(
                    core::text("lossless: Blosc failed with ", length, " (its LZ4 may be missing) use none"));
            const auto size = static_cast<std::uint32_t>(length);
            std::copy_n(reinterpret_cast<const std::uint8_t*>(&size), sizeof size, out.data() + at);
            out.resize(at + sizeof size + size);
        }
    }
    template <class T> void read(std::span<const std::uint8_t> payload, std::span<T> out) const {
        for (std::size_t begin = 0; begin < out.size(); begin += piece<T>) {
            const auto part = out.subspan(begin, std::min(piece<T>, out.size() - begin));
            if (payload.size() < sizeof(std::uint32_t)) damaged();
            const auto size = detail::take<std::uint32_t>(payload.data());
            payload = payload.subspan(sizeof size);
            std::size_t numbers = 0;
            if (size > payload.size() || blosc_cbuffer_validate(payload.data(), size, &numbers) != 0 ||
                numbers != part.size_bytes() ||
                blosc_decompress_ctx(payload.data(), part.data(), part.size_bytes(), 1) !=
                    static_cast<int>(part.size_bytes()))
                damaged();
            payload = payload.subspan(size);
        }
        if (!payload.empty()) damaged();
    }

private:
    template <class T> static constexpr std::size_t piece = (std::size_t{16} << 20) / sizeof(T);  // Blosc counts in int

    [[noreturn]] static void damaged() {
        detail::refuse(name,
                       "a message that cannot be decompressed (or not to as many numbers) it was damaged on its way");
    }
};

}  // namespace gamut::compressor
