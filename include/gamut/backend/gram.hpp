// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/sparse.hpp>
#include <gamut/backend/sweep.hpp>

namespace gamut::backend {

namespace detail {

template <class T> void copy_row(const dense_matrix<T>& x, std::size_t i, double* out) {
    std::copy(x.row(i), x.row(i) + x.columns, out);
}
template <class T> void copy_row(const sparse_matrix<T>& x, std::size_t i, double* out) {
    std::fill(out, out + x.columns, 0.0);
    for (std::int64_t k = x.offsets[i]; k < x.offsets[i + 1]; ++k)
        out[x.indices[static_cast<std::size_t>(k)]] = static_cast<double>(x.value(static_cast<std::size_t>(k)));
}

}  // namespace detail

/// All second moments of some rows: out += A' Omega A with A = [ X~ | 1 (if there is an intercept) | y ], m = p + 1 or p + 2
/// columns, out m x m row-major. One pass over the rows, n m^2 multiplications and additions; a block of rows is standardised
/// (and, if X is sparse, filled out) in a buffer that stays in cache, so that means far from 0 cost no digits.
/// Always in double, in a fixed order.
template <class T, class Matrix>
void add_moments(const Matrix& x, row_range rows, const observations<T>& seen, column_scaling scaling, bool intercept,
                 double* out) {
    const std::size_t p = x.columns, m = p + (intercept ? 2 : 1);
    const std::size_t block = std::clamp<std::size_t>((std::size_t(256) << 10) / (m * sizeof(double)) / 8 * 8, 8, 256);
    aligned_vector<double> a(block * m);
    for (std::size_t begin = rows.begin; begin < rows.end; begin += block) {
        const std::size_t end = std::min(begin + block, rows.end);
        for (std::size_t i = begin; i < end; ++i) {
            double* row = a.data() + (i - begin) * m;
            detail::copy_row(x, i, row);
            const double root = seen.omega ? std::sqrt(static_cast<double>(seen.omega[i])) : 1.0;
            if (scaling.means)
                for (std::size_t j = 0; j < p; ++j) row[j] = (row[j] - scaling.means[j]) * scaling.inverse_scales[j];
            if (intercept) row[p] = 1;
            row[m - 1] = static_cast<double>(seen.y[i]);
            if (root != 1)
                for (std::size_t j = 0; j < m; ++j) row[j] *= root;
        }
        host<double>::gemm(true, false, m, m, end - begin, 1.0, a.data(), m, a.data(), m, 1.0, out, m);
    }
}

/// out_j += sum over rows of omega_i x~_ij^2. One pass; sparse: over the entries alone.
template <class T>
void add_squares(const dense_matrix<T>& x, row_range rows, const T* omega, column_scaling scaling, double* out) {
    for (std::size_t i = rows.begin; i < rows.end; ++i) {
        const T* const row = x.row(i);
        const double weight = omega ? static_cast<double>(omega[i]) : 1.0;
        for (std::size_t j = 0; j < x.columns; ++j) {
            const double deviation = static_cast<double>(row[j]) - (scaling.means ? scaling.means[j] : 0.0);
            out[j] += weight * deviation * deviation;
        }
    }
    if (scaling.means)
        for (std::size_t j = 0; j < x.columns; ++j) out[j] *= scaling.inverse_scales[j] * scaling.inverse_scales[j];
}
template <class T>
void add_squares(const sparse_matrix<T>& x, row_range rows, const T* omega, column_scaling scaling, double* out) {
    double total = 0;
    std::vector<double> stored(scaling.means ? x.columns : 0);  // weight of the rows in which the column has an entry
    for (std::size_t i = rows.begin; i < rows.end; ++i) {
        const double weight = omega ? static_cast<double>(omega[i]) : 1.0;
        total += weight;
        for (auto k = static_cast<std::size_t>(x.offsets[i]); k < static_cast<std::size_t>(x.offsets[i + 1]); ++k) {
            const auto j = static_cast<std::size_t>(x.indices[k]);
            const double deviation = static_cast<double>(x.value(k)) - (scaling.means ? scaling.means[j] : 0.0);
            out[j] += weight * deviation * deviation;
            if (scaling.means) stored[j] += weight;
        }
    }
    for (std::size_t j = 0; j < stored.size(); ++j) {
        const double rest = std::max(0.0, total - stored[j]);
        out[j] = (out[j] + rest * scaling.means[j] * scaling.means[j]) * scaling.inverse_scales[j] *
                 scaling.inverse_scales[j];
    }
}

/// y = G x for a symmetric matrix in memory.
template <class T> void multiply(const dense_matrix<T>& g, const T* x, T* y) {
    detail::multiply(detail::part(g, 0, g.rows), x, T(0), y);
}

}  // namespace gamut::backend
