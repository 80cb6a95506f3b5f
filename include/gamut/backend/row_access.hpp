// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <gamut/backend/detail/sparse_kernels.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/pack.hpp>
#include <gamut/backend/sparse.hpp>

/// One row at a time, in any order: for methods that change the weights after every row. What a product costs here is a row
/// from memory and one addition after another; who can wait for many rows takes backend::sweep.
namespace gamut::backend {

/// rows.product<Bytes>(i, u)      x_i'u
/// rows.square<Bytes>(i)          x_i'x_i
/// rows.stored(i)                 how many entries row i has
/// rows.add<Bytes>(i, t, a, u)    u += t a .* x_i; a null: all 1
/// rows.visit(i, f)               f(j, x_ij) for what is stored of row i
/// rows.fetch(i)                  row i will be read soon
/// Bytes is the size of the machine's vectors; see backend/kernel.hpp. The order of every sum follows from the row alone.
template <class Matrix> class row_access;

template <class T> class row_access<dense_matrix<T>> {
public:
    explicit row_access(const dense_matrix<T>& x) : values_(x.values.data()), columns_(x.columns) {}

    template <std::size_t Bytes> GAMUT_INLINE T product(std::size_t i, const T* u) const {
        using P = pack<T, Bytes>;
        const T* const x = values_ + i * columns_;
        P a(0), b(0);
        std::size_t j = 0;
        for (; j + 16 <= columns_; j += 16) {
            a += P::load(x + j) * P::load(u + j);
            b += P::load(x + j + 8) * P::load(u + j + 8);
        }
        for (; j + 8 <= columns_; j += 8) a += P::load(x + j) * P::load(u + j);
        T sum = (a + b).total();
        for (; j < columns_; ++j) sum += x[j] * u[j];
        return sum;
    }

    template <std::size_t Bytes> GAMUT_INLINE T square(std::size_t i) const {
        return product<Bytes>(i, values_ + i * columns_);
    }
    std::size_t stored(std::size_t) const { return columns_; }

    template <std::size_t Bytes> GAMUT_INLINE void add(std::size_t i, T t, const T* a, T* u) const {
        using P = pack<T, Bytes>;
        const T* const x = values_ + i * columns_;
        const P factor(t);
        std::size_t j = 0;
        if (a) {
            for (; j + 8 <= columns_; j += 8) (P::load(u + j) + factor * P::load(a + j) * P::load(x + j)).store(u + j);
            for (; j < columns_; ++j) u[j] += t * a[j] * x[j];
        } else {
            for (; j + 8 <= columns_; j += 8) (P::load(u + j) + factor * P::load(x + j)).store(u + j);
            for (; j < columns_; ++j) u[j] += t * x[j];
        }
    }

    template <class F> void visit(std::size_t i, F&& f) const {
        const T* const x = values_ + i * columns_;
        for (std::size_t j = 0; j < columns_; ++j) f(j, x[j]);
    }

    GAMUT_INLINE void fetch(std::size_t i) const {
        const char* const x = reinterpret_cast<const char*>(values_ + i * columns_);
        for (std::size_t k = 0; k < 4; ++k) __builtin_prefetch(x + 64 * k);
    }

private:
    const T* values_;
    std::size_t columns_;
};

template <class T> class row_access<sparse_matrix<T>> {
public:
    explicit row_access(const sparse_matrix<T>& x)
        : offsets_(x.offsets.data()),
          indices_(x.indices.data()),
          values_(x.values.empty() ? nullptr : x.values.data()) {}

    template <std::size_t Bytes> GAMUT_INLINE T product(std::size_t i, const T* u) const {
        return detail::product_of_entries<Bytes>(indices_, values_, offsets_[i], offsets_[i + 1], u, T(0));
    }

    template <std::size_t> GAMUT_INLINE T square(std::size_t i) const {
        std::int64_t k = offsets_[i];
        const std::int64_t last = offsets_[i + 1];
        if (!values_) return static_cast<T>(last - k);
        T a[4] = {0, 0, 0, 0};
        for (; k + 4 <= last; k += 4)
            for (int l = 0; l < 4; ++l) a[l] += values_[k + l] * values_[k + l];
        for (; k < last; ++k) a[0] += values_[k] * values_[k];
        return (a[0] + a[2]) + (a[1] + a[3]);
    }
    std::size_t stored(std::size_t i) const { return static_cast<std::size_t>(offsets_[i + 1] - offsets_[i]); }

    template <std::size_t Bytes> GAMUT_INLINE void add(std::size_t i, T t, const T* a, T* u) const {
        const std::int64_t first = offsets_[i], last = offsets_[i + 1];
        if (!a) return detail::add_entries<Bytes>(indices_, values_, first, last, t, u);
        const std::int32_t* const j = indices_;
        for (std::int64_t k = first; k < last; ++k) u[j[k]] += t * a[j[k]] * (values_ ? values_[k] : T(1));
    }

    template <class F> void visit(std::size_t i, F&& f) const {
        for (std::int64_t k = offsets_[i]; k < offsets_[i + 1]; ++k)
            f(static_cast<std::size_t>(indices_[k]), values_ ? values_[k] : T(1));
    }

    GAMUT_INLINE void fetch(std::size_t i) const {
        const std::int64_t k = offsets_[i];
        __builtin_prefetch(indices_ + k);
        __builtin_prefetch(indices_ + k + 16);
        if (values_) {
            __builtin_prefetch(values_ + k);
            __builtin_prefetch(values_ + k + 8);
        }
    }

private:
    const std::int64_t* offsets_;
    const std::int32_t* indices_;
    const T* values_;
};

}  // namespace gamut::backend
