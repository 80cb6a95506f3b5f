// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include <gamut/compressor/concept.hpp>
#include <gamut/compressor/detail/bits.hpp>
#include <gamut/compressor/detail/draws.hpp>

namespace gamut::compressor {

/// QSGD: `bits` bits a number, a sign and one of 2^(bits - 1) levels, drawn so that the mean is the number.
///   s = 2^(bits - 1) - 1 levels above 0,  largest = max |x| over a bucket of `bucket` numbers
///   y = sign(x) largest / s floor(|x| s / largest + u),     u uniform on [0, 1)
/// Unbiased; its variance is at most (largest / s)^2 / 4 a number. The draws depend on seed, round, node and place alone.
/// A bucket with an entry that is not finite (as a float) becomes NaN.
/// Alistarh, Grubic, Li, Tomioka, Vojnovic, QSGD, NeurIPS 2017, with the maximum as its norm (section 4 there).
struct quantized {
    std::uint32_t bits = 4;
    std::uint32_t bucket = 512;
    std::uint64_t seed = 1;

    static constexpr std::string_view name = "quantized";
    static constexpr bool unbiased = true, contracts = false, needs_error_feedback = false, summable = false;

    std::uint32_t options() const { return bits | bucket << 8; }
    void validate() const {
        if (bits < 2 || bits > 8)
            throw core::option_error(
                core::text("quantized: bits is ", bits, " (a sign and a level take from 2 to 8) try 4"));
        if (bucket < 1 || bucket > largest_bucket)
            throw core::option_error(core::text("quantized: bucket is ", bucket, " (it must be from 1 to ",
                                                largest_bucket, " numbers) try 512"));
    }

    template <class T> void write(turn which, std::span<const T> x, bytes& out) const {
        validate();
        out.reserve(out.size() + size_of(x.size()));
        const core::random source = detail::draws(seed, which, 1);
        const auto steps = static_cast<float>(levels());
        detail::bit_writer words(out);
        std::vector<float> scales;
        scales.reserve((x.size() + bucket - 1) / bucket);
        for (std::size_t begin = 0; begin < x.size(); begin += bucket) {
            const std::size_t end = std::min<std::size_t>(begin + bucket, x.size());
            const float largest = largest_of(x.subspan(begin, end - begin));
            scales.push_back(largest);
            const double factor = largest > 0 ? static_cast<double>(steps) / static_cast<double>(largest) : 0;
            std::array<std::uint64_t, 2> drawn{};
            for (std::size_t i = begin; i < end; ++i) {
                if (i == begin || i % 4 == 0) drawn = source.more_bits(i / 4);
                const double u = static_cast<double>(drawn[i / 2 % 2] >> (i % 2 * 32) & 0xffffffff) * 0x1p-32;
                const double magnitude = factor > 0 ? std::abs(static_cast<double>(x[i])) * factor : 0;
                const auto level = static_cast<std::uint32_t>(std::min(magnitude + u, static_cast<double>(levels())));
                words.put(level << 1 | (x[i] < 0 ? 1u : 0u), bits);
            }
        }
        words.finish();
        detail::append(out, scales.data(), scales.size());
    }
    template <class T> void read(std::span<const std::uint8_t> payload, std::span<T> out) const {
        validate();
        detail::check_length(name, payload, out.size(), size_of(out.size()));
        const std::size_t packed = detail::packed_bytes(out.size(), bits);
        detail::bit_reader words(payload.first(packed));
        const std::uint8_t* scale = payload.data() + packed;
        for (std::size_t begin = 0; begin < out.size(); begin += bucket, scale += sizeof(float)) {
            const std::size_t end = std::min<std::size_t>(begin + bucket, out.size());
            const float step = detail::take<float>(scale) / static_cast<float>(levels());
            for (std::size_t i = begin; i < end; ++i) {
                const std::uint32_t code = words.get(bits);
                const float magnitude = step * static_cast<float>(code >> 1);
                out[i] = static_cast<T>((code & 1) != 0 ? -magnitude : magnitude);
            }
        }
    }

private:
    static constexpr std::uint32_t largest_bucket = 1 << 20;

    std::uint32_t levels() const { return (1u << (bits - 1)) - 1; }
    std::size_t size_of(std::size_t n) const {
        return detail::packed_bytes(n, bits) + (n + bucket - 1) / bucket * sizeof(float);
    }
    template <class T> static float largest_of(std::span<const T> x) {
        constexpr auto infinite = std::bit_cast<std::uint32_t>(std::numeric_limits<float>::infinity());
        std::uint32_t most = 0;
        for (const T entry : x)
            most = std::max(most, std::bit_cast<std::uint32_t>(static_cast<float>(entry)) & 0x7fffffff);
        return most >= infinite ? std::numeric_limits<float>::quiet_NaN() : std::bit_cast<float>(most);
    }
};

}  // namespace gamut::compressor
