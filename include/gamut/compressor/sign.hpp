// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include <gamut/compressor/concept.hpp>

namespace gamut::compressor {

/// One bit a number, and their mean magnitude.
///   y = sign(x) mean |x|,     0 counting as positive
/// Biased: numbers smaller than the mean are overstated, for ever without error_feedback. A message with an entry that is not
/// finite, or whose mean is not as a float, becomes NaN.
/// Karimireddy, Rebjock, Stich, Jaggi, Error feedback fixes SignSGD, ICML 2019, the scaled sign of section 4.
struct sign {
    static constexpr std::string_view name = "sign";
    static constexpr bool unbiased = false, contracts = true, needs_error_feedback = true, summable = false;
    static constexpr bool fixed_length = true;

    template <class T> void write(turn, std::span<const T> x, bytes& out) const {
        const std::size_t n = x.size();
        out.reserve(out.size() + size_of(n));
        double lanes[8] = {};
        std::size_t begin = 0;
        for (; begin + 8 <= n; begin += 8)
            for (std::size_t k = 0; k < 8; ++k) lanes[k] += std::abs(static_cast<double>(x[begin + k]));
        for (std::size_t k = 0; begin + k < n; ++k) lanes[k] += std::abs(static_cast<double>(x[begin + k]));
        double sum = 0;
        for (const double lane : lanes) sum += lane;
        auto mean = static_cast<float>(n > 0 ? sum / static_cast<double>(n) : 0);
        if (!std::isfinite(mean)) mean = std::numeric_limits<float>::quiet_NaN();
        detail::append(out, mean);
        constexpr std::size_t chunk = 1024;
        std::uint8_t negative[chunk];
        for (begin = 0; begin < n; begin += chunk) {
            const std::size_t count = std::min(chunk, n - begin);
            const T* const from = x.data() + begin;
            for (std::size_t i = 0; i < count; ++i) negative[i] = static_cast<std::uint8_t>(from[i] < 0 ? 1 : 0);
            std::fill(negative + count, negative + (count + 7) / 8 * 8, std::uint8_t(0));
            for (std::size_t i = 0; i < count; i += 8) {
                std::uint32_t byte = 0;
                for (std::uint32_t k = 0; k < 8; ++k) byte |= std::uint32_t{negative[i + k]} << k;
                negative[i / 8] = static_cast<std::uint8_t>(byte);
            }
            detail::append(out, negative, (count + 7) / 8);
        }
    }
    template <class T> void read(std::span<const std::uint8_t> payload, std::span<T> out) const {
        const std::size_t n = out.size();
        detail::check_length(name, payload, n, size_of(n));
        const auto mean = static_cast<T>(detail::take<float>(payload.data()));
        const T choices[2] = {mean, -mean};
        const std::uint8_t* from = payload.data() + sizeof(float);
        for (std::size_t begin = 0; begin < n; begin += 8, ++from) {
            const std::size_t count = std::min<std::size_t>(8, n - begin);
            for (std::size_t i = 0; i < count; ++i) out[begin + i] = choices[*from >> i & 1];
        }
    }

private:
    static constexpr std::size_t size_of(std::size_t n) { return sizeof(float) + (n + 7) / 8; }
};

}  // namespace gamut::compressor
