// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/backend/detail/instructions.hpp>
#include <gamut/backend/pack.hpp>

/// The two halves of a gradient on a few rows of a dense matrix: Z = X W + b, then G += X' S while the rows are still in
/// cache. Every sum has an order that follows from the number of rows and columns alone.
namespace gamut::backend::detail {

/// A few rows of a dense matrix; row i starts at first + i * stride.
template <class T> struct dense_rows {
    const T* first;
    std::size_t stride, rows, columns;
};

/// The last columns % 8 of at least 8 columns: the last eight, of which only those count that are not done yet.
template <class T> struct last_columns {
    alignas(64) T weight[8];
    std::size_t begin = 0;
    bool any = false;

    GAMUT_INLINE explicit last_columns(std::size_t columns) {
        const std::size_t rest = columns % 8;
        any = rest != 0 && columns >= 8;
        begin = columns - 8;
        for (std::size_t i = 0; i < 8; ++i) weight[i] = i + rest >= 8 ? T(1) : T(0);
    }
};

/// z_i = x_i' w + b for all rows, four at a time that lie a quarter of the rows apart: hardware prefetches four streams
/// from different pages faster than one, and than four on the same page.
template <class T> struct multiply_by_vector {
    template <std::size_t Rows, class P>
    GAMUT_INLINE static void group(const dense_rows<T>& x, std::size_t i, std::size_t apart, const T* w,
                                   const P& last_w, const last_columns<T>& last, T b, T* z) {
        const T* row[Rows];
        P a[Rows];
        for (std::size_t r = 0; r < Rows; ++r) {
            row[r] = x.first + (i + r * apart) * x.stride;
            a[r] = P(0);
        }
        std::size_t j = 0;
        for (; j + 8 <= x.columns; j += 8) {
            const P wj = P::load(w + j);
            for (std::size_t r = 0; r < Rows; ++r) a[r] += P::load(row[r] + j) * wj;
        }
        if (last.any) {
            for (std::size_t r = 0; r < Rows; ++r) a[r] += P::load(row[r] + last.begin) * last_w;
            j = x.columns;
        }
        for (std::size_t r = 0; r < Rows; ++r) {
            T sum = a[r].total();
            for (std::size_t k = j; k < x.columns; ++k) sum += row[r][k] * w[k];
            z[i + r * apart] = sum + b;
        }
    }
    template <std::size_t Bytes> GAMUT_INLINE static void run(const dense_rows<T>& x, const T* w, T b, T* z) {
        using P = pack<T, Bytes>;
        const last_columns<T> last(x.columns);
        P last_w(0);
        if (last.any) last_w = P::load(w + last.begin) * P::load(last.weight);
        const std::size_t quarter = x.rows / 4;
        for (std::size_t i = 0; i < quarter; ++i) group<4>(x, i, quarter, w, last_w, last, b, z);
        for (std::size_t i = 4 * quarter; i < x.rows; ++i) group<1>(x, i, 1, w, last_w, last, b, z);
    }
};

/// The first lines of the four streams in which the next rows will be read, one after another. Fetching an eighth of those
/// rows keeps memory busy meanwhile; fetching more takes the buffers that the rows at hand need.
template <class T> struct lines_ahead {
    const char* line;
    std::size_t apart;
    int stream = 0;

    GAMUT_INLINE explicit lines_ahead(const dense_rows<T>& next)
        : line(reinterpret_cast<const char*>(next.first)),
          apart(next.rows / 4 * next.stride * sizeof(T)) {}
    GAMUT_INLINE void fetch() {
        __builtin_prefetch(line + static_cast<std::size_t>(stream) * apart, 0, 2);
        stream = (stream + 1) % 4;
        line += stream == 0 ? 64 : 0;
    }
};

/// g += X' s, eight rows at a time; next: the rows to be read after these.
template <class T> struct multiply_transposed_by_vector {
    template <std::size_t Rows, class P>
    GAMUT_INLINE static void group(const dense_rows<T>& x, std::size_t i, const T* s, const last_columns<T>& last,
                                   lines_ahead<T>& ahead, T* g) {
        const T* row[Rows];
        P a[Rows];
        for (std::size_t r = 0; r < Rows; ++r) {
            row[r] = x.first + (i + r) * x.stride;
            a[r] = P(s[i + r]);
        }
        std::size_t j = 0;
        for (; j + 8 <= x.columns; j += 8) {
            if constexpr (Rows == 8) ahead.fetch();
            P t = a[0] * P::load(row[0] + j);
            for (std::size_t r = 1; r < Rows; ++r) t += a[r] * P::load(row[r] + j);
            (P::load(g + j) + t).store(g + j);
        }
        if (last.any) {
            P t = a[0] * P::load(row[0] + last.begin);
            for (std::size_t r = 1; r < Rows; ++r) t += a[r] * P::load(row[r] + last.begin);
            (P::load(g + last.begin) + t * P::load(last.weight)).store(g + last.begin);
            j = x.columns;
        }
        for (; j < x.columns; ++j) {
            T t = s[i] * row[0][j];
            for (std::size_t r = 1; r < Rows; ++r) t += s[i + r] * row[r][j];
            g[j] += t;
        }
    }
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(const dense_rows<T>& x, const dense_rows<T>& next, const T* s, T* g) {
        using P = pack<T, Bytes>;
        const last_columns<T> last(x.columns);
        lines_ahead<T> ahead(next.rows < 8 ? x : next);
        std::size_t i = 0;
        for (; i + 8 <= x.rows; i += 8) group<8, P>(x, i, s, last, ahead, g);
        for (; i < x.rows; ++i) group<1, P>(x, i, s, last, ahead, g);
    }
};

/// Entries of one vector of the machine, at most 8.
template <class T, std::size_t Bytes>
inline constexpr std::size_t vector_width = Bytes / sizeof(T) < 8 ? Bytes / sizeof(T) : 8;

/// Where rows of c numbers are computed with, they lie c rounded up to whole vectors apart, the rest zeros.
template <class T> std::size_t padded(std::size_t c) {
    const std::size_t width = vector_bytes() / sizeof(T) < 8 ? vector_bytes() / sizeof(T) : 8;
    return (c + width - 1) / width * width;
}

/// Calls f.template operator()<Count>(first) for vectors first, ..., first + Count - 1 of `all`, three at a time.
template <class F> GAMUT_INLINE void three_at_a_time(std::size_t all, const F& f) {
    std::size_t v = 0;
    for (; v + 3 <= all; v += 3) f.template operator()<3>(v);
    if (all - v == 2) f.template operator()<2>(v);
    if (all - v == 1) f.template operator()<1>(v);
}

/// Z = X W + b for several outputs: W columns x c, b c, Z rows x c, c padded.
template <class T> struct multiply_by_matrix {
    template <std::size_t Vectors, class P>
    GAMUT_INLINE static void group(const dense_rows<T>& x, const T* w, const T* b, T* z, std::size_t c) {
        for (std::size_t i = 0; i < x.rows; i += 4) {
            const T* row[4];
            P a[4][Vectors];
            for (std::size_t r = 0; r < 4; ++r) {
                row[r] = x.first +
                         (i + r < x.rows ? i + r : x.rows - 1) * x.stride;  // the last row stands in for missing ones
                for (std::size_t v = 0; v < Vectors; ++v) a[r][v] = P::load(b + v * P::width);
            }
            for (std::size_t j = 0; j < x.columns; ++j) {
                const T* wj = w + j * c;
                for (std::size_t r = 0; r < 4; ++r) {
                    const P xj(row[r][j]);
                    for (std::size_t v = 0; v < Vectors; ++v) a[r][v] += xj * P::load(wj + v * P::width);
                }
            }
            for (std::size_t r = 0; r < 4 && i + r < x.rows; ++r)
                for (std::size_t v = 0; v < Vectors; ++v) a[r][v].store(z + (i + r) * c + v * P::width);
        }
    }
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(const dense_rows<T>& x, const T* w, const T* b, T* z, std::size_t c) {
        using P = pack<T, Bytes, vector_width<T, Bytes>>;
        three_at_a_time(c / P::width, [&]<std::size_t Vectors>(std::size_t first) {
            const std::size_t k = first * P::width;
            group<Vectors, P>(x, w + k, b + k, z + k, c);
        });
    }
};

/// G += X' S for several outputs: S rows x c, G columns x c, c padded.
template <class T> struct multiply_transposed_by_matrix {
    template <std::size_t Vectors, class P>
    GAMUT_INLINE static void group(const dense_rows<T>& x, const T* s, T* g, std::size_t c) {
        for (std::size_t j = 0; j < x.columns; j += 4) {
            const std::size_t count = x.columns - j < 4 ? x.columns - j : 4;
            std::size_t column[4];
            P a[4][Vectors];
            for (std::size_t q = 0; q < 4; ++q) {
                column[q] = j + (q < count ? q : 0);
                for (std::size_t v = 0; v < Vectors; ++v) a[q][v] = P(0);
            }
            for (std::size_t i = 0; i < x.rows; ++i) {
                const T* row = x.first + i * x.stride;
                const T* si = s + i * c;
                for (std::size_t q = 0; q < 4; ++q) {
                    const P xj(row[column[q]]);
                    for (std::size_t v = 0; v < Vectors; ++v) a[q][v] += xj * P::load(si + v * P::width);
                }
            }
            for (std::size_t q = 0; q < 4 && q < count; ++q)
                for (std::size_t v = 0; v < Vectors; ++v) {
                    T* to = g + (j + q) * c + v * P::width;
                    (P::load(to) + a[q][v]).store(to);
                }
        }
    }
    template <std::size_t Bytes> GAMUT_INLINE static void run(const dense_rows<T>& x, const T* s, T* g, std::size_t c) {
        using P = pack<T, Bytes, vector_width<T, Bytes>>;
        three_at_a_time(c / P::width, [&]<std::size_t Vectors>(std::size_t first) {
            const std::size_t k = first * P::width;
            group<Vectors, P>(x, s + k, g + k, c);
        });
    }
};

/// s_i = a_i b_i; returns their sum.
template <class T> T multiply_entries(const T* a, const T* b, std::size_t n, T* s) {
    pack<T> sum(0);
    std::size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const pack<T> product = pack<T>::load(a + i) * pack<T>::load(b + i);
        product.store(s + i);
        sum += product;
    }
    T total = sum.total();
    for (; i < n; ++i) total += s[i] = a[i] * b[i];
    return total;
}

/// z = X w + b.
template <class T> void multiply(const dense_rows<T>& x, const T* w, T b, T* z) {
    run<multiply_by_vector<T>>(x, w, b, z);
}
/// g += X' s; next: the rows to be read after these.
template <class T> void multiply_transposed(const dense_rows<T>& x, const dense_rows<T>& next, const T* s, T* g) {
    run<multiply_transposed_by_vector<T>>(x, next, s, g);
}
/// Z = X W + 1 b'.
template <class T> void multiply(const dense_rows<T>& x, const T* w, const T* b, T* z, std::size_t c) {
    run<multiply_by_matrix<T>>(x, w, b, z, c);
}
/// G += X' S.
template <class T> void multiply_transposed(const dense_rows<T>& x, const T* s, T* g, std::size_t c) {
    run<multiply_transposed_by_matrix<T>>(x, s, g, c);
}

}  // namespace gamut::backend::detail
