// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

/// A vector read as a matrix, row by row, and its products with a few vectors.
namespace gamut::compressor::detail {

/// rows x columns; the last row may be shorter, what is missing being 0.
struct shape {
    std::size_t rows = 0, columns = 0;

    /// With so many rows, or as square as n numbers allow if that is 0.
    static shape of(std::size_t n, std::size_t rows) {
        if (n == 0) return {};
        if (rows == 0) rows = static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(n))));
        const std::size_t columns = (n + std::min(rows, n) - 1) / std::min(rows, n);
        return {(n + columns - 1) / columns, columns};
    }
};

/// Added up in eight lanes, so that a compiler may compute with vectors.
template <class T> double product(const T* a, const double* b, std::size_t n) {
    double lanes[8] = {};
    std::size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (std::size_t k = 0; k < 8; ++k) lanes[k] += static_cast<double>(a[i + k]) * b[i + k];
    for (std::size_t k = 0; i + k < n; ++k) lanes[k] += static_cast<double>(a[i + k]) * b[i + k];
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

/// out_k = M right_k for `rank` vectors. One pass over M.
template <class T>
void times(std::span<const T> m, shape s, std::size_t rank, std::span<const double> right, std::span<double> out) {
    for (std::size_t i = 0; i < s.rows; ++i) {
        const std::size_t width = std::min(s.columns, m.size() - i * s.columns);
        for (std::size_t k = 0; k < rank; ++k)
            out[k * s.rows + i] = product(m.data() + i * s.columns, right.data() + k * s.columns, width);
    }
}

/// out_k = M' left_k for `rank` vectors. One pass over M.
template <class T>
void transpose_times(std::span<const T> m, shape s, std::size_t rank, std::span<const double> left,
                     std::span<double> out) {
    std::fill(out.begin(), out.end(), 0.0);
    for (std::size_t i = 0; i < s.rows; ++i) {
        const std::size_t width = std::min(s.columns, m.size() - i * s.columns);
        const T* const row = m.data() + i * s.columns;
        for (std::size_t k = 0; k < rank; ++k) {
            const double factor = left[k * s.rows + i];
            double* const to = out.data() + k * s.columns;
            for (std::size_t j = 0; j < width; ++j) to[j] += factor * static_cast<double>(row[j]);
        }
    }
}

/// out = sum over k of left_k right_k', as many entries as it has.
template <class T>
void outer_product(shape s, std::size_t rank, std::span<const double> left, std::span<const double> right,
                   std::span<T> out) {
    std::vector<double> row(s.columns);
    for (std::size_t i = 0; i < s.rows; ++i) {
        const std::size_t width = std::min(s.columns, out.size() - i * s.columns);
        std::fill(row.begin(), row.end(), 0.0);
        for (std::size_t k = 0; k < rank; ++k) {
            const double factor = left[k * s.rows + i];
            const double* const from = right.data() + k * s.columns;
            for (std::size_t j = 0; j < width; ++j) row[j] += factor * from[j];
        }
        for (std::size_t j = 0; j < width; ++j) out[i * s.columns + j] = static_cast<T>(row[j]);
    }
}

/// `rank` vectors become orthonormal, each against those before it, twice; one that depends on them becomes 0. NaN stays.
/// Giraud, Langou, Rozloznik, The loss of orthogonality in the Gram-Schmidt process, 2005: twice is enough.
inline void make_orthonormal(std::size_t rank, std::size_t length, std::span<double> vectors) {
    for (std::size_t k = 0; k < rank; ++k) {
        double* const v = vectors.data() + k * length;
        const double before = std::sqrt(product(v, v, length));
        for (int sweep = 0; sweep < 2; ++sweep)
            for (std::size_t other = 0; other < k; ++other) {
                const double* const u = vectors.data() + other * length;
                const double along = product(u, v, length);
                for (std::size_t i = 0; i < length; ++i) v[i] -= along * u[i];
            }
        const double after = std::sqrt(product(v, v, length));
        const double scale = after <= 1e-10 * before ? 0 : 1 / after;
        for (std::size_t i = 0; i < length; ++i) v[i] *= scale;
    }
}

}  // namespace gamut::compressor::detail
