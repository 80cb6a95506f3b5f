// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <gamut/backend/detail/dense_kernels.hpp>

namespace gamut::backend::detail {

/// A few rows of a sparse matrix: row i has entries offsets[i] <= k < offsets[i + 1]; values null: all 1.
template <class T> struct sparse_rows {
    const std::int64_t* offsets;
    const std::int32_t* indices;
    const T* values;
    std::size_t rows;
};

/// start + sum of value[k] u[column[k]], k < last, in four running sums; value null: all 1.
template <std::size_t Bytes, class T>
GAMUT_INLINE T product_of_entries(const std::int32_t* column, const T* value, std::int64_t k, std::int64_t last,
                                  const T* u, T start) {
    using P = pack<T, Bytes, 4>;
    P a(0);
    if (value) {
        for (; k + 4 <= last; k += 4) a += P::load(value + k) * P::gather_at(u, column + k);
        for (; k < last; ++k) start += value[k] * u[column[k]];
    } else {
        for (; k + 4 <= last; k += 4) a += P::gather_at(u, column + k);
        for (; k < last; ++k) start += u[column[k]];
    }
    return a.total() + start;
}
/// u[column[k]] += t value[k], k < last.
template <std::size_t Bytes, class T>
GAMUT_INLINE void add_entries(const std::int32_t* column, const T* value, std::int64_t k, std::int64_t last, T t,
                              T* u) {
    using P = pack<T, Bytes, 4>;
    const P factor(t);
    if (value) {
        for (; k + 4 <= last; k += 4)  // of four different columns
            (P::gather_at(u, column + k) + factor * P::load(value + k)).scatter_at(u, column + k);
        for (; k < last; ++k) u[column[k]] += t * value[k];
    } else {
        for (; k < last; ++k) u[column[k]] += t;
    }
}

/// z_i = x_i' w + b.
template <class T> struct multiply_sparse {
    template <std::size_t Bytes> GAMUT_INLINE static void run(const sparse_rows<T>& x, const T* w, T b, T* z) {
        for (std::size_t i = 0; i < x.rows; ++i)
            z[i] = product_of_entries<Bytes>(x.indices, x.values, x.offsets[i], x.offsets[i + 1], w, b);
    }
};

/// g += X' s.
template <class T> struct multiply_sparse_transposed {
    template <std::size_t Bytes> GAMUT_INLINE static void run(const sparse_rows<T>& x, const T* s, T* g) {
        for (std::size_t i = 0; i < x.rows; ++i)
            add_entries<Bytes>(x.indices, x.values, x.offsets[i], x.offsets[i + 1], s[i], g);
    }
};

/// Z = X W + 1 b' for several outputs, c padded.
template <class T> struct multiply_sparse_by_matrix {
    template <std::size_t Vectors, class P>
    GAMUT_INLINE static void group(const sparse_rows<T>& x, const T* w, const T* b, T* z, std::size_t c) {
        for (std::size_t i = 0; i < x.rows; ++i) {
            P a[Vectors];
            for (std::size_t v = 0; v < Vectors; ++v) a[v] = P::load(b + v * P::width);
            for (std::int64_t k = x.offsets[i]; k < x.offsets[i + 1]; ++k) {
                const P value(x.values ? x.values[k] : T(1));
                const T* wk = w + static_cast<std::size_t>(x.indices[k]) * c;
                for (std::size_t v = 0; v < Vectors; ++v) a[v] += value * P::load(wk + v * P::width);
            }
            for (std::size_t v = 0; v < Vectors; ++v) a[v].store(z + i * c + v * P::width);
        }
    }
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(const sparse_rows<T>& x, const T* w, const T* b, T* z, std::size_t c) {
        using P = pack<T, Bytes, vector_width<T, Bytes>>;
        three_at_a_time(c / P::width, [&]<std::size_t Vectors>(std::size_t first) {
            const std::size_t k = first * P::width;
            group<Vectors, P>(x, w + k, b + k, z + k, c);
        });
    }
};

/// G += X' S for several outputs, c padded.
template <class T> struct multiply_sparse_transposed_by_matrix {
    template <std::size_t Vectors, class P>
    GAMUT_INLINE static void group(const sparse_rows<T>& x, const T* s, T* g, std::size_t c) {
        for (std::size_t i = 0; i < x.rows; ++i) {
            P a[Vectors];
            for (std::size_t v = 0; v < Vectors; ++v) a[v] = P::load(s + i * c + v * P::width);
            for (std::int64_t k = x.offsets[i]; k < x.offsets[i + 1]; ++k) {
                const P value(x.values ? x.values[k] : T(1));
                T* gk = g + static_cast<std::size_t>(x.indices[k]) * c;
                for (std::size_t v = 0; v < Vectors; ++v)
                    (P::load(gk + v * P::width) + a[v] * value).store(gk + v * P::width);
            }
        }
    }
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(const sparse_rows<T>& x, const T* s, T* g, std::size_t c) {
        using P = pack<T, Bytes, vector_width<T, Bytes>>;
        three_at_a_time(c / P::width, [&]<std::size_t Vectors>(std::size_t first) {
            const std::size_t k = first * P::width;
            group<Vectors, P>(x, s + k, g + k, c);
        });
    }
};

/// z = X w + 1 b.
template <class T> void multiply(const sparse_rows<T>& x, const T* w, T b, T* z) {
    run<multiply_sparse<T>>(x, w, b, z);
}
/// g += X' s.
template <class T> void multiply_transposed(const sparse_rows<T>& x, const sparse_rows<T>&, const T* s, T* g) {
    run<multiply_sparse_transposed<T>>(x, s, g);
}
/// Z = X W + 1 b'.
template <class T> void multiply(const sparse_rows<T>& x, const T* w, const T* b, T* z, std::size_t c) {
    run<multiply_sparse_by_matrix<T>>(x, w, b, z, c);
}
/// G += X' S.
template <class T> void multiply_transposed(const sparse_rows<T>& x, const T* s, T* g, std::size_t c) {
    run<multiply_sparse_transposed_by_matrix<T>>(x, s, g, c);
}

}  // namespace gamut::backend::detail
