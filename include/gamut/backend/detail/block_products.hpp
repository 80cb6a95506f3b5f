// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <gamut/backend/detail/dense_kernels.hpp>
#include <gamut/backend/detail/sparse_kernels.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/sparse.hpp>

/// Products of rows [begin, end) of a matrix, dense or sparse, with weights of one or several outputs. w, g: columns x c;
/// z, s: rows x c; b: c; all row-major, c = 1 or padded to whole vectors. How a sum is ordered follows from the rows' number,
/// never from threads or from where in memory they lie.
namespace gamut::backend::detail {

/// Rows whose numbers stay in a core's second-level cache between the two products. With several outputs more rows share one
/// pass over G, which is read and written for every block.
inline std::size_t rows_per_block(std::size_t bytes_per_row, bool one_output) {
    const std::size_t bytes = std::size_t(one_output ? 64 : 128) << 10;
    return std::clamp<std::size_t>(bytes / std::max<std::size_t>(bytes_per_row, 1) / 8 * 8, 8, 512);
}
template <class T> std::size_t rows_per_block(const dense_matrix<T>& x, bool one_output) {
    return rows_per_block(x.columns * sizeof(T), one_output);
}
template <class T> std::size_t rows_per_block(const sparse_matrix<T>& x, bool one_output) {
    const std::size_t entry = sizeof(std::int32_t) + (x.values.empty() ? 0 : sizeof(T));
    return rows_per_block(x.rows == 0 ? 0 : x.nonzeros() / x.rows * entry, one_output);
}

template <class T> dense_rows<T> part(const dense_matrix<T>& x, std::size_t begin, std::size_t end) {
    return {x.row(begin), x.columns, end - begin, x.columns};
}
template <class T> sparse_rows<T> part(const sparse_matrix<T>& x, std::size_t begin, std::size_t end) {
    return {x.offsets.data() + begin, x.indices.data(), x.values.empty() ? nullptr : x.values.data(), end - begin};
}

}  // namespace gamut::backend::detail
