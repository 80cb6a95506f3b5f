// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <gamut/backend/data_rows.hpp>
#include <gamut/backend/detail/region.hpp>
#include <gamut/core/random.hpp>

namespace gamut::backend::detail {

/// 1 / (1 - rate) with probability 1 - rate, else 0, drawn for (seed, step of the training, place of the mask in the program, row,
/// number within the row); all 1 where nothing is trained. The rate is rounded to a multiple of 2^-16: a draw makes four.
template <class T> void fill_mask(const table<T>& out, double rate, std::size_t place, const data_rows<T>& rows) {
    const auto limit = static_cast<std::uint64_t>(rate * 65536 + 0.5);
    if (!rows.training || limit == 0) {
        std::fill_n(out.values, rows.rows * out.per_row * out.stride, T(1));
        return;
    }
    const T kept = static_cast<T>(65536.0 / (65536.0 - static_cast<double>(limit)));
    const core::random draw{rows.seed, rows.step * 256 + place};
    const std::size_t draws = (out.per_row * out.columns + 3) / 4;
    for (std::size_t i = 0; i < rows.rows; ++i) {
        const std::size_t number = rows.numbers ? rows.numbers[i] : i;
        std::uint64_t bits = 0;
        std::size_t used = 0;
        for (std::size_t p = 0; p < out.per_row; ++p)
            for (std::size_t k = 0; k < out.columns; ++k, ++used) {
                if (used % 4 == 0) bits = draw.bits(number * draws + used / 4);
                out.values[(i * out.per_row + p) * out.stride + k] =
                    (bits >> used % 4 * 16 & 65535) < limit ? T(0) : kept;
            }
    }
}

}  // namespace gamut::backend::detail
