// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gamut/backend/parallel.hpp>

namespace gamut::learn::detail {

/// A training table for trees: per column the rows' codes, which ascend with the values: the place among the column's different values,
/// or among `bins` groups of about as many rows. Code c covers the values lows[c] to highs[c].
struct forest_table {
    struct column {
        std::vector<std::uint32_t> codes;
        std::vector<double> lows, highs;
        std::size_t size() const { return lows.size(); }
        /// A number between what code a and code b, a < b, cover: at least all of a, below all of b.
        double between(std::uint32_t a, std::uint32_t b) const {
            const double middle = highs[a] + (lows[b] - highs[a]) / 2;
            return middle < lows[b] && middle >= highs[a] ? middle : highs[a];
        }
    };
    std::size_t rows = 0;
    std::vector<column> columns;

    /// values: rows x p. bins = 0: every different value has its code.
    forest_table(const std::vector<double>& values, std::size_t n, std::size_t p, std::size_t bins, std::size_t threads)
        : rows(n),
          columns(p) {
        backend::parallel_for(0, p, threads, [&](std::size_t j, std::size_t) {
            std::vector<double> sorted(n);
            for (std::size_t i = 0; i < n; ++i) sorted[i] = values[i * p + j];
            std::sort(sorted.begin(), sorted.end());
            column& c = columns[j];
            const std::size_t per_bin = bins == 0 ? 0 : (n + bins - 1) / bins;
            std::size_t in_bin = 0;
            for (std::size_t i = 0; i < n; ++i) {
                const bool next = i == 0 || (sorted[i] != sorted[i - 1] && in_bin >= per_bin);
                if (next) {
                    c.lows.push_back(sorted[i]);
                    c.highs.push_back(sorted[i]);
                    in_bin = 0;
                }
                c.highs.back() = sorted[i];
                ++in_bin;
            }
            c.codes.resize(n);
            for (std::size_t i = 0; i < n; ++i)
                c.codes[i] = static_cast<std::uint32_t>(
                    std::upper_bound(c.lows.begin(), c.lows.end(), values[i * p + j]) - c.lows.begin() - 1);
        });
    }
};

}  // namespace gamut::learn::detail
