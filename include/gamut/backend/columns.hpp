// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <gamut/backend/detail/parallel.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/sparse.hpp>

namespace gamut::backend {

namespace detail {

/// Cut rows into as many pieces as keep the threads busy; f(begin, end).
template <class F> void for_pieces_of_rows(std::size_t rows, std::size_t threads, F&& f) {
    const std::size_t pieces = threads > 1 ? 8 * threads : 1;
    parallel_for(0, pieces, threads,
                 [&](std::size_t i, std::size_t) { f(rows * i / pieces, rows * (i + 1) / pieces); });
}

}  // namespace detail

/// The chosen columns of X side by side; they ascend strictly. Reads what it copies.
template <class T>
dense_matrix<T> columns_of(const dense_matrix<T>& x, std::span<const std::size_t> columns, std::size_t threads) {
    dense_matrix<T> out(x.rows, columns.size());
    threads = detail::threads_for(x.rows * columns.size(), threads);
    detail::for_pieces_of_rows(x.rows, threads, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            const T* const from = x.row(i);
            T* const to = out.row(i);
            for (std::size_t k = 0; k < columns.size(); ++k) to[k] = from[columns[k]];
        }
    });
    return out;
}

/// The same of a sparse matrix: one pass over its entries.
template <class T>
sparse_matrix<T> columns_of(const sparse_matrix<T>& x, std::span<const std::size_t> columns, std::size_t threads) {
    std::vector<std::int32_t> place(x.columns, -1);
    for (std::size_t k = 0; k < columns.size(); ++k) place[columns[k]] = static_cast<std::int32_t>(k);
    sparse_matrix<T> out;
    out.rows = x.rows;
    out.columns = columns.size();
    out.offsets.assign(x.rows + 1, 0);
    struct piece {
        std::vector<std::int32_t> indices;
        std::vector<T> values;
    };
    threads = detail::threads_for(x.nonzeros(), threads);
    std::vector<piece> pieces(threads > 1 ? 8 * threads : 1);
    detail::parallel_for(0, pieces.size(), threads, [&](std::size_t part, std::size_t) {
        piece& kept = pieces[part];
        for (std::size_t i = x.rows * part / pieces.size(); i < x.rows * (part + 1) / pieces.size(); ++i) {
            const std::size_t before = kept.indices.size();
            for (auto k = static_cast<std::size_t>(x.offsets[i]); k < static_cast<std::size_t>(x.offsets[i + 1]); ++k) {
                const std::int32_t column = place[static_cast<std::size_t>(x.indices[k])];
                if (column < 0) continue;
                kept.indices.push_back(column);
                if (!x.values.empty()) kept.values.push_back(x.values[k]);
            }
            out.offsets[i + 1] = static_cast<std::int64_t>(kept.indices.size() - before);
        }
    });
    for (std::size_t i = 0; i < x.rows; ++i) out.offsets[i + 1] += out.offsets[i];
    out.indices.reserve(static_cast<std::size_t>(out.offsets[x.rows]));
    out.values.reserve(x.values.empty() ? 0 : out.indices.capacity());
    for (const piece& kept : pieces) {
        out.indices.insert(out.indices.end(), kept.indices.begin(), kept.indices.end());
        out.values.insert(out.values.end(), kept.values.begin(), kept.values.end());
    }
    return out;
}

/// The chosen rows of X, one below the other; they ascend strictly. Reads what it copies.
template <class T> dense_matrix<T> rows_of(const dense_matrix<T>& x, std::span<const std::size_t> rows) {
    dense_matrix<T> out(rows.size(), x.columns);
    for (std::size_t i = 0; i < rows.size(); ++i) std::copy_n(x.row(rows[i]), x.columns, out.row(i));
    return out;
}
template <class T> sparse_matrix<T> rows_of(const sparse_matrix<T>& x, std::span<const std::size_t> rows) {
    sparse_matrix<T> out;
    out.rows = rows.size();
    out.columns = x.columns;
    for (const std::size_t i : rows) {
        const auto begin = x.offsets[i], end = x.offsets[i + 1];
        out.indices.insert(out.indices.end(), x.indices.begin() + begin, x.indices.begin() + end);
        if (!x.pattern_only()) out.values.insert(out.values.end(), x.values.begin() + begin, x.values.begin() + end);
        out.offsets.push_back(static_cast<std::int64_t>(out.indices.size()));
    }
    return out;
}

}  // namespace gamut::backend
