// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>

#include <gamut/compressor/concept.hpp>
#include <gamut/compressor/detail/draws.hpp>

namespace gamut::compressor {

/// QSGD: `bits` bits a number, a sign and one of 2^(bits - 1) levels, drawn so that the mean is the number.
///   s = 2^(bits - 1) - 1 levels above 0,  largest = max |x| over a bucket of `bucket` numbers
///   y = sign(x) largest / s floor(|x| s / largest + u),     u uniform on [0, 1)
/// Unbiased, to the rounding of `largest` to a float; its variance is at most (largest / s)^2 / 4 a number. The draws depend on
/// seed, round, node and place alone.
/// A bucket with an entry that is not finite (as a float) becomes NaN.
/// Alistarh, Grubic, Li, Tomioka, Vojnovic, QSGD, NeurIPS 2017, with the maximum as its norm (section 4 there).
struct quantized {
    std::uint32_t bits = 4;
    std::uint32_t bucket = 512;
    std::uint64_t seed = 1;

    static constexpr std::string_view name = "quantized";
    static constexpr bool unbiased = true, contracts = false, needs_error_feedback = false, summable = false;
    static constexpr bool fixed_length = true;

    std::uint32_t options() const { return bits | bucket << 8; }
    void validate() const {
        if (bits < 2 || bits > 8)
            throw core::option_error(
                core::text("quantized: bits is ", bits, " (a sign and a level take from 2 to 8) try 4"));
        if (bucket < 8 || bucket % 8 != 0 || bucket > largest_bucket)
            throw core::option_error(core::text("quantized: bucket is ", bucket, " (it must be a multiple of 8 up to ",
                                                largest_bucket, ") try 512"));
    }

    /// Every number of a bucket by at most the square of half a level, and |x| is at least `largest`.
    double variance(std::size_t n) const {
        const auto s = static_cast<double>(levels());
        return static_cast<double>(std::min<std::size_t>(n, bucket)) / (4 * s * s);
    }

    template <class T> void write(turn which, std::span<const T> x, bytes& out) const {
        validate();
        const core::random source = detail::draws(seed, which, 1);
        const auto most = static_cast<double>(levels());
        std::size_t at = out.size();
        out.resize(at + size_of(x.size()));
        for (std::size_t begin = 0; begin < x.size(); begin += bucket) {
            const auto numbers = x.subspan(begin, std::min<std::size_t>(bucket, x.size() - begin));
            const float largest = largest_of(numbers);
            std::memcpy(out.data() + at, &largest, sizeof largest);
            at += sizeof largest;
            const double factor = largest > 0 ? most / static_cast<double>(largest) : 0;
            for (std::size_t i = 0; i < numbers.size(); i += 8, at += bits) {
                T eight[8] = {};
                std::copy_n(numbers.data() + i, std::min<std::size_t>(8, numbers.size() - i), eight);
                const std::uint64_t codes = factor > 0 ? draw(source, (begin + i) / 4, eight, factor, most) : 0;
                // eight bytes at once where there is room: what follows is written later
                if (out.size() - at >= sizeof codes)
                    std::memcpy(out.data() + at, &codes, sizeof codes);
                else
                    for (std::uint32_t k = 0; k < bits; ++k) out[at + k] = static_cast<std::uint8_t>(codes >> (8 * k));
            }
        }
    }
    template <class T> void read(std::span<const std::uint8_t> payload, std::span<T> out) const {
        validate();
        detail::check_length(name, payload, out.size(), size_of(out.size()));
        const std::uint8_t* from = payload.data();
        const std::uint8_t* const end = from + payload.size();
        const std::uint32_t codes_in_all = 1u << bits;
        T values[256];
        for (std::size_t begin = 0; begin < out.size(); begin += bucket) {
            const auto numbers = out.subspan(begin, std::min<std::size_t>(bucket, out.size() - begin));
            const float step = detail::take<float>(from) / static_cast<float>(levels());
            from += sizeof step;
            for (std::uint32_t code = 0; code < codes_in_all; ++code) {
                const float magnitude = step * static_cast<float>(code >> 1);
                values[code] = static_cast<T>((code & 1) != 0 ? -magnitude : magnitude);
            }
            for (std::size_t i = 0; i < numbers.size(); i += 8, from += bits) {
                std::uint64_t codes = 0;
                if (end - from >= static_cast<std::ptrdiff_t>(sizeof codes))
                    codes = detail::take<std::uint64_t>(from);
                else
                    for (std::uint32_t k = 0; k < bits; ++k) codes |= std::uint64_t{from[k]} << (8 * k);
                const std::size_t count = std::min<std::size_t>(8, numbers.size() - i);
                for (std::size_t k = 0; k < count; ++k, codes >>= bits)
                    numbers[i + k] = values[codes & (codes_in_all - 1)];
            }
        }
    }

private:
    static constexpr std::uint32_t largest_bucket = 1 << 20;

    std::uint32_t levels() const { return (1u << (bits - 1)) - 1; }
    std::size_t size_of(std::size_t n) const { return (n + 7) / 8 * bits + (n + bucket - 1) / bucket * sizeof(float); }
    /// Eight codes of `bits` bits, the sign in the lowest; uses the draws index and index + 1.
    template <class T>
    std::uint64_t draw(const core::random& source, std::uint64_t index, const T (&x)[8], double factor,
                       double most) const {
        const auto a = source.more_bits(index), b = source.more_bits(index + 1);
        const std::uint32_t drawn[8] = {low(a[0]), high(a[0]), low(a[1]), high(a[1]),
                                        low(b[0]), high(b[0]), low(b[1]), high(b[1])};
        std::int32_t code[8];
        for (std::uint32_t k = 0; k < 8; ++k) {
            const double level = std::abs(static_cast<double>(x[k])) * factor + static_cast<double>(drawn[k]) * 0x1p-32;
            code[k] = static_cast<std::int32_t>(level < most ? level : most) * 2 + (x[k] < 0 ? 1 : 0);
        }
        std::uint64_t codes = 0;
        for (std::uint32_t k = 8; k-- > 0;) codes = codes << bits | static_cast<std::uint32_t>(code[k]);
        return codes;
    }
    static std::uint32_t low(std::uint64_t word) { return static_cast<std::uint32_t>(word); }
    static std::uint32_t high(std::uint64_t word) { return static_cast<std::uint32_t>(word >> 32); }
    template <class T> static float largest_of(std::span<const T> x) {
        constexpr auto infinite = std::bit_cast<std::uint32_t>(std::numeric_limits<float>::infinity());
        std::uint32_t most = 0;
        for (const T entry : x)
            most = std::max(most, std::bit_cast<std::uint32_t>(static_cast<float>(entry)) & 0x7fffffff);
        return most >= infinite ? std::numeric_limits<float>::quiet_NaN() : std::bit_cast<float>(most);
    }
};

}  // namespace gamut::compressor
