// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <vector>

namespace gamut::learn {

/// Numbers for the rows of one rank: rows x width.
struct row_numbers {
    std::size_t first_row = 0, width = 0;
    std::vector<double> values{};
    std::size_t rows() const { return width == 0 ? 0 : values.size() / width; }
    double operator()(std::size_t row, std::size_t k) const { return values[row * width + k]; }
};

}  // namespace gamut::learn
