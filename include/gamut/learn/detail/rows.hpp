// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/sparse.hpp>

/// Rows of a dense or sparse matrix, as doubles, for products with few columns.
namespace gamut::learn::detail {

template <class T> constexpr bool is_sparse(const backend::dense_matrix<T>&) { return false; }
template <class T> constexpr bool is_sparse(const backend::sparse_matrix<T>&) { return true; }

/// visit(j, x_ij) for what is stored of row i.
template <class T, class F> void visit_row(const backend::dense_matrix<T>& x, std::size_t i, F&& visit) {
    const T* const row = x.row(i);
    for (std::size_t j = 0; j < x.columns; ++j) visit(j, static_cast<double>(row[j]));
}
template <class T, class F> void visit_row(const backend::sparse_matrix<T>& x, std::size_t i, F&& visit) {
    const auto end = static_cast<std::size_t>(x.offsets[i + 1]);
    for (auto k = static_cast<std::size_t>(x.offsets[i]); k < end; ++k)
        visit(static_cast<std::size_t>(x.indices[k]), static_cast<double>(x.value(k)));
}

/// out: row i, x.columns numbers.
template <class T> void copy_row(const backend::dense_matrix<T>& x, std::size_t i, double* out) {
    const T* const row = x.row(i);
    for (std::size_t j = 0; j < x.columns; ++j) out[j] = static_cast<double>(row[j]);
}
template <class T> void copy_row(const backend::sparse_matrix<T>& x, std::size_t i, double* out) {
    std::fill(out, out + x.columns, 0.0);
    visit_row(x, i, [&](std::size_t j, double value) { out[j] = value; });
}

/// Rows [begin, end) of a dense matrix as doubles: themselves, or a copy in `room`.
inline const double* doubles(const backend::dense_matrix<double>& x, std::size_t begin, std::size_t,
                             std::vector<double>&) {
    return x.row(begin);
}
inline const double* doubles(const backend::dense_matrix<float>& x, std::size_t begin, std::size_t end,
                             std::vector<double>& room) {
    room.assign(x.row(begin), x.row(begin) + (end - begin) * x.columns);
    return room.data();
}

/// Z = X B for rows [begin, end): B columns x k, Z (end - begin) x k, both row-major.
template <class T>
void multiply(const backend::dense_matrix<T>& x, std::size_t begin, std::size_t end, const double* b, std::size_t k,
              double* z, std::vector<double>& room) {
    backend::host<double>::gemm(false, false, end - begin, k, x.columns, 1.0, doubles(x, begin, end, room), x.columns,
                                b, k, 0.0, z, k);
}
template <class T>
void multiply(const backend::sparse_matrix<T>& x, std::size_t begin, std::size_t end, const double* b, std::size_t k,
              double* z, std::vector<double>&) {
    std::fill(z, z + (end - begin) * k, 0.0);
    for (std::size_t i = begin; i < end; ++i, z += k)
        visit_row(x, i, [&](std::size_t j, double value) {
            const double* const row = b + j * k;
            for (std::size_t l = 0; l < k; ++l) z[l] += value * row[l];
        });
}

/// G += X' S for rows [begin, end): S (end - begin) x k, G columns x k, both row-major.
template <class T>
void add_transposed(const backend::dense_matrix<T>& x, std::size_t begin, std::size_t end, const double* s,
                    std::size_t k, double* g, std::vector<double>& room) {
    backend::host<double>::gemm(true, false, x.columns, k, end - begin, 1.0, doubles(x, begin, end, room), x.columns, s,
                                k, 1.0, g, k);
}
template <class T>
void add_transposed(const backend::sparse_matrix<T>& x, std::size_t begin, std::size_t end, const double* s,
                    std::size_t k, double* g, std::vector<double>&) {
    for (std::size_t i = begin; i < end; ++i, s += k)
        visit_row(x, i, [&](std::size_t j, double value) {
            double* const row = g + j * k;
            for (std::size_t l = 0; l < k; ++l) row[l] += value * s[l];
        });
}

}  // namespace gamut::learn::detail
