// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <new>

#include <gamut/backend/shared_vector.hpp>

namespace gamut::backend {

/// A rows x columns matrix that somebody else owns; row i starts at values + i * stride.
template <class T> struct dense_view {
    using value_type = T;

    const T* values = nullptr;
    std::size_t rows = 0, columns = 0, stride = 0;

    const T* row(std::size_t i) const { return values + i * stride; }
    T operator()(std::size_t i, std::size_t j) const { return values[i * stride + j]; }
};

/// A row-major rows x columns matrix without gaps between its rows.
template <class T> struct dense_matrix {
    using value_type = T;

    std::size_t rows = 0, columns = 0;
    shared_vector<T> values;

    dense_matrix() = default;
    /// All zeros. Throws std::bad_array_new_length when rows * columns overflows.
    dense_matrix(std::size_t n, std::size_t p) : rows(n), columns(p) {
        if (p > 0 && n > static_cast<std::size_t>(-1) / p) throw std::bad_array_new_length();
        values.resize(rows * columns);
    }

    T* row(std::size_t i) { return values.data() + i * columns; }
    const T* row(std::size_t i) const { return values.data() + i * columns; }
    T& operator()(std::size_t i, std::size_t j) { return values[i * columns + j]; }
    T operator()(std::size_t i, std::size_t j) const { return values[i * columns + j]; }

    dense_view<T> view() const { return {values.data(), rows, columns, columns}; }
    /// Rows [begin, end).
    dense_view<T> view(std::size_t begin, std::size_t end) const { return {row(begin), end - begin, columns, columns}; }
};

/// Numbers that one pass over some rows reads.
template <class T> std::size_t entries_of(const dense_matrix<T>& x, std::size_t begin, std::size_t end) {
    return (end - begin) * x.columns;
}

}  // namespace gamut::backend
