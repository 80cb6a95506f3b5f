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

/// z_i = x_i' w + b: four running sums per row.
template <class T> struct multiply_sparse {
    template <std::size_t Bytes> GAMUT_INLINE static void run(const sparse_rows<T>& x, const T* w, T b, T* z) {
        using P = pack<T, Bytes, 4>;
        const std::int32_t* const column = x.indices;
        const T* const value = x.values;
        for (std::size_t i = 0; i < x.rows; ++i) {
            std::int64_t k = x.offsets[i];
            const std::int64_t last = x.offsets[i + 1];
            P a(0);
            T rest = b;
            if (value) {
                for (; k + 4 <= last; k += 4) a += P::load(value + k) * P::gather_at(w, column + k);
                for (; k < last; ++k) rest += value[k] * w[column[k]];
            } else {
                for (; k + 4 <= last; k += 4) a += P::gather_at(w, column + k);
                for (; k < last; ++k) rest += w[column[k]];
            }
            z[i] = a.total() + rest;
        }
    }
};

/// g += X' s.
template <class T> struct multiply_sparse_transposed {
    template <std::size_t Bytes> GAMUT_INLINE static void run(const sparse_rows<T>& x, const T* s, T* g) {
        using P = pack<T, Bytes, 4>;
        const std::int32_t* const column = x.indices;
        const T* const value = x.values;
        for (std::size_t i = 0; i < x.rows; ++i) {
            const T si = s[i];
            const P all(si);
            std::int64_t k = x.offsets[i];
            const std::int64_t last = x.offsets[i + 1];
            if (value) {
                for (; k + 4 <= last; k += 4)  // of four different columns
                    (P::gather_at(g, column + k) + P::load(value + k) * all).scatter_at(g, column + k);
                for (; k < last; ++k) g[column[k]] += value[k] * si;
            } else {
                for (; k < last; ++k) g[column[k]] += si;
            }
        }
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
