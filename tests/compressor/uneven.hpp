// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <gamut/compressor/concept.hpp>

/// A compressor whose messages differ in length: the numbers up to the last that is not 0.
struct uneven {
    static constexpr std::string_view name = "uneven";
    static constexpr bool unbiased = true, contracts = true, needs_error_feedback = false, summable = false;

    template <class T> void write(gamut::compressor::turn, std::span<const T> x, gamut::compressor::bytes& out) const {
        std::size_t n = x.size();
        while (n > 0 && x[n - 1] == 0) --n;
        for (std::size_t i = 0; i < n; ++i) gamut::compressor::detail::append(out, x[i]);
    }
    template <class T> void read(std::span<const std::uint8_t> payload, std::span<T> out) const {
        std::fill(out.begin(), out.end(), T(0));
        for (std::size_t i = 0; i * sizeof(T) < payload.size(); ++i)
            out[i] = gamut::compressor::detail::take<T>(payload.data() + i * sizeof(T));
    }
};
