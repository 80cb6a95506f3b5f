// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/shared_vector.hpp>

namespace gamut::backend {

/// Compressed sparse rows: the entries of row i are offsets[i] <= k < offsets[i + 1], at column indices[k] with value
/// values[k]. Within a row the columns ascend strictly. No values at all means that every stored entry is 1, which
/// saves two thirds of the memory of a binary matrix.
template <class T> struct sparse_matrix {
    using value_type = T;

    std::size_t rows = 0, columns = 0;
    aligned_vector<std::int64_t> offsets = aligned_vector<std::int64_t>(1, 0);  // rows + 1 of them
    shared_vector<std::int32_t> indices;
    shared_vector<T> values;

    bool pattern_only() const { return values.empty() && !indices.empty(); }
    std::size_t nonzeros() const { return indices.size(); }
    T value(std::size_t k) const { return values.empty() ? T(1) : values[k]; }
};

/// Numbers that one pass over some rows reads.
template <class T> std::size_t entries_of(const sparse_matrix<T>& x, std::size_t begin, std::size_t end) {
    return static_cast<std::size_t>(x.offsets[end] - x.offsets[begin]);
}

}  // namespace gamut::backend
