// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <gamut/backend/matrix.hpp>
#include <gamut/backend/sparse.hpp>

/// The entries of a table that are not 0; pattern: all of them are 1, and not stored.
template <class T>
gamut::backend::sparse_matrix<T> without_zeros(const gamut::backend::dense_matrix<T>& x, bool pattern = false) {
    gamut::backend::sparse_matrix<T> out;
    out.rows = x.rows;
    out.columns = x.columns;
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.columns; ++j) {
            if (x(i, j) == 0) continue;
            out.indices.push_back(static_cast<std::int32_t>(j));
            if (!pattern) out.values.push_back(x(i, j));
        }
        out.offsets.push_back(static_cast<std::int64_t>(out.indices.size()));
    }
    return out;
}
