// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>

#include <gamut/backend/detail/dense_kernels.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/sparse.hpp>

/// Products of a few rows [begin, end) of a matrix with c weight columns (w, g: columns x c; z, s: rows x c, all row-major).
/// How a sum is ordered depends on the row range alone, never on threads or on where in memory the rows lie.
namespace gamut::backend::detail {

/// Rows whose numbers fill about 128 KiB: with the rows prefetched behind them they stay in a core's second-level cache.
inline std::size_t rows_per_block(std::size_t bytes_per_row) {
    const std::size_t rows = (std::size_t(128) << 10) / std::max<std::size_t>(bytes_per_row, 1);
    return std::clamp<std::size_t>(rows / 8 * 8, 8, 512);
}
template <class T>
std::size_t rows_per_block(const dense_matrix<T>& x) {
    return rows_per_block(x.columns * sizeof(T));
}
template <class T>
std::size_t rows_per_block(const sparse_matrix<T>& x) {
    const std::size_t entry = sizeof(std::int32_t) + (x.values.empty() ? 0 : sizeof(T));
    return rows_per_block(x.rows == 0 ? 0 : x.nonzeros() / x.rows * entry);
}

/// The next block's rows, to be fetched while this one is computed with.
template <class T>
lines_ahead ahead_of(const dense_matrix<T>& x, std::size_t begin, std::size_t end, bool second_half) {
    const std::size_t rows = std::min(end + (end - begin), x.rows) - std::min(end, x.rows);
    const char* first = reinterpret_cast<const char*>(x.values.data() + std::min(end, x.rows) * x.columns);
    const std::size_t bytes = rows * x.columns * sizeof(T);
    return {second_half ? first + bytes / 2 : first, first + bytes};
}

template <class T>
void multiply(const dense_matrix<T>& x, std::size_t begin, std::size_t end, std::size_t c, const T* w, T* z) {
    if (c == 1) {
        lines_ahead ahead = ahead_of(x, begin, end, false);
        multiply(x.row(begin), x.columns, end - begin, x.columns, w, z, ahead);
    } else {
        host<T>::gemm(false, false, end - begin, c, x.columns, T(1), x.row(begin), std::max<std::size_t>(x.columns, 1), w, c, T(0), z,
                      c);
    }
}

template <class T>
void multiply_transposed(const dense_matrix<T>& x, std::size_t begin, std::size_t end, std::size_t c, const T* s, T* g) {
    if (c == 1) {
        lines_ahead ahead = ahead_of(x, begin, end, true);
        multiply_transposed(x.row(begin), x.columns, end - begin, x.columns, s, g, ahead);
    } else {
        host<T>::gemm(true, false, x.columns, c, end - begin, T(1), x.row(begin), std::max<std::size_t>(x.columns, 1), s, c, T(1), g,
                      c);
    }
}

template <class T>
void multiply(const sparse_matrix<T>& x, std::size_t begin, std::size_t end, std::size_t c, const T* w, T* z) {
    const std::int32_t* column = x.indices.data();
    const T* value = x.values.empty() ? nullptr : x.values.data();
    for (std::size_t i = begin; i < end; ++i) {
        const std::int64_t first = x.offsets[i], last = x.offsets[i + 1];
        if (c == 1) {
            T a[4] = {0, 0, 0, 0};
            std::int64_t k = first;
            if (value) {
                for (; k + 4 <= last; k += 4)
                    for (int l = 0; l < 4; ++l) a[l] += value[k + l] * w[column[k + l]];
                for (; k < last; ++k) a[0] += value[k] * w[column[k]];
            } else {
                for (; k + 4 <= last; k += 4)
                    for (int l = 0; l < 4; ++l) a[l] += w[column[k + l]];
                for (; k < last; ++k) a[0] += w[column[k]];
            }
            z[i - begin] = (a[0] + a[2]) + (a[1] + a[3]);
        } else {
            T* zi = z + (i - begin) * c;
            for (std::size_t o = 0; o < c; ++o) zi[o] = 0;
            for (std::int64_t k = first; k < last; ++k) {
                const T v = value ? value[k] : T(1);
                const T* wk = w + static_cast<std::size_t>(column[k]) * c;
                for (std::size_t o = 0; o < c; ++o) zi[o] += v * wk[o];
            }
        }
    }
}

template <class T>
void multiply_transposed(const sparse_matrix<T>& x, std::size_t begin, std::size_t end, std::size_t c, const T* s, T* g) {
    const std::int32_t* column = x.indices.data();
    const T* value = x.values.empty() ? nullptr : x.values.data();
    for (std::size_t i = begin; i < end; ++i) {
        const T* si = s + (i - begin) * c;
        for (std::int64_t k = x.offsets[i]; k < x.offsets[i + 1]; ++k) {
            const T v = value ? value[k] : T(1);
            T* gk = g + static_cast<std::size_t>(column[k]) * c;
            for (std::size_t o = 0; o < c; ++o) gk[o] += v * si[o];
        }
    }
}

}  // namespace gamut::backend::detail
