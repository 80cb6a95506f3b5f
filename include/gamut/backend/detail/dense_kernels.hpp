// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/backend/pack.hpp>

/// The two halves of a gradient on a few rows of a dense matrix with one output: z = X w, then g += X' s while the rows are
/// still in cache. Both also prefetch the rows that come next (half of them each), so that memory is never idle: what limits
/// them is one read of the matrix. Built for several instruction sets and chosen at run time; every version adds in the same
/// order.
namespace gamut::backend::detail {

/// Cache lines that are wanted soon.
struct lines_ahead {
    const char* next = nullptr;
    const char* end = nullptr;

    GAMUT_INLINE void fetch() {
        __builtin_prefetch(next, 0, 2);
        __builtin_prefetch(next + 64, 0, 2);
        next += 128;
    }
};

template <class T>
GAMUT_INLINE pack<T> load_tail(const T* p, std::size_t count) {
    pack<T> x(0);
    for (std::size_t i = 0; i < count; ++i) x.v[i] = p[i];
    return x;
}

/// z_i = x_i' w for `Rows` rows.
template <std::size_t Rows, class T>
GAMUT_INLINE void multiply_group(const T* x, std::size_t stride, std::size_t columns, const T* w, T* z, lines_ahead& ahead) {
    constexpr std::size_t width = pack<T>::width;
    pack<T> a[Rows];
    for (std::size_t r = 0; r < Rows; ++r) a[r] = pack<T>(0);
    std::size_t j = 0;
    for (; j + width <= columns; j += width) {
        ahead.fetch();
        const pack<T> wj = pack<T>::load(w + j);
        for (std::size_t r = 0; r < Rows; ++r) a[r] += pack<T>::load(x + r * stride + j) * wj;
    }
    if (j < columns) {
        const pack<T> wj = load_tail(w + j, columns - j);
        for (std::size_t r = 0; r < Rows; ++r) a[r] += load_tail(x + r * stride + j, columns - j) * wj;
    }
    for (std::size_t r = 0; r < Rows; ++r) z[r] = a[r].total();
}

/// g += sum of s_i x_i over `Rows` rows.
template <std::size_t Rows, class T>
GAMUT_INLINE void multiply_transposed_group(const T* x, std::size_t stride, std::size_t columns, const T* s, T* g,
                                            lines_ahead& ahead) {
    constexpr std::size_t width = pack<T>::width;
    pack<T> a[Rows];
    for (std::size_t r = 0; r < Rows; ++r) a[r] = pack<T>(s[r]);
    std::size_t j = 0;
    for (; j + width <= columns; j += width) {
        ahead.fetch();
        pack<T> t = a[0] * pack<T>::load(x + j);
        for (std::size_t r = 1; r < Rows; ++r) t += a[r] * pack<T>::load(x + r * stride + j);
        (pack<T>::load(g + j) + t).store(g + j);
    }
    for (; j < columns; ++j) {
        T t = s[0] * x[j];
        for (std::size_t r = 1; r < Rows; ++r) t += s[r] * x[r * stride + j];
        g[j] += t;
    }
}

template <class T>
GAMUT_INLINE void multiply_body(const T* x, std::size_t stride, std::size_t rows, std::size_t columns, const T* w, T* z,
                                lines_ahead& ahead) {
    std::size_t i = 0;
    for (; i + 4 <= rows; i += 4) multiply_group<4>(x + i * stride, stride, columns, w, z + i, ahead);
    for (; i < rows; ++i) multiply_group<1>(x + i * stride, stride, columns, w, z + i, ahead);
}

template <class T>
GAMUT_INLINE void multiply_transposed_body(const T* x, std::size_t stride, std::size_t rows, std::size_t columns, const T* s,
                                           T* g, lines_ahead& ahead) {
    std::size_t i = 0;
    for (; i + 4 <= rows; i += 4) multiply_transposed_group<4>(x + i * stride, stride, columns, s + i, g, ahead);
    for (; i < rows; ++i) multiply_transposed_group<1>(x + i * stride, stride, columns, s + i, g, ahead);
}

#if defined(__x86_64__) && defined(__GNUC__)
#define GAMUT_AVX512 [[gnu::target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")]]
#define GAMUT_AVX2 [[gnu::target("avx2,fma")]]

template <class T>
GAMUT_AVX512 void multiply_avx512(const T* x, std::size_t stride, std::size_t rows, std::size_t columns, const T* w, T* z,
                                  lines_ahead& ahead) {
    multiply_body(x, stride, rows, columns, w, z, ahead);
}
template <class T>
GAMUT_AVX2 void multiply_avx2(const T* x, std::size_t stride, std::size_t rows, std::size_t columns, const T* w, T* z,
                              lines_ahead& ahead) {
    multiply_body(x, stride, rows, columns, w, z, ahead);
}
template <class T>
GAMUT_AVX512 void multiply_transposed_avx512(const T* x, std::size_t stride, std::size_t rows, std::size_t columns, const T* s,
                                             T* g, lines_ahead& ahead) {
    multiply_transposed_body(x, stride, rows, columns, s, g, ahead);
}
template <class T>
GAMUT_AVX2 void multiply_transposed_avx2(const T* x, std::size_t stride, std::size_t rows, std::size_t columns, const T* s,
                                         T* g, lines_ahead& ahead) {
    multiply_transposed_body(x, stride, rows, columns, s, g, ahead);
}

enum class instructions { baseline, avx2, avx512 };
inline instructions best_instructions() {
    static const instructions best = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                                             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")
                                         ? instructions::avx512
                                     : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? instructions::avx2
                                                                                                       : instructions::baseline;
    return best;
}
#endif

/// z = X w for a few dense rows; `ahead`: the memory to prefetch meanwhile.
template <class T>
void multiply(const T* x, std::size_t stride, std::size_t rows, std::size_t columns, const T* w, T* z, lines_ahead& ahead) {
#if defined(__x86_64__) && defined(__GNUC__)
    if (best_instructions() == instructions::avx512) return multiply_avx512(x, stride, rows, columns, w, z, ahead);
    if (best_instructions() == instructions::avx2) return multiply_avx2(x, stride, rows, columns, w, z, ahead);
#endif
    multiply_body(x, stride, rows, columns, w, z, ahead);
}

/// g += X' s for a few dense rows.
template <class T>
void multiply_transposed(const T* x, std::size_t stride, std::size_t rows, std::size_t columns, const T* s, T* g,
                         lines_ahead& ahead) {
#if defined(__x86_64__) && defined(__GNUC__)
    if (best_instructions() == instructions::avx512)
        return multiply_transposed_avx512(x, stride, rows, columns, s, g, ahead);
    if (best_instructions() == instructions::avx2) return multiply_transposed_avx2(x, stride, rows, columns, s, g, ahead);
#endif
    multiply_transposed_body(x, stride, rows, columns, s, g, ahead);
}

}  // namespace gamut::backend::detail
