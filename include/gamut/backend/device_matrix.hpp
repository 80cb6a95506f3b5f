// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/device.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/sparse.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>

/// Matrices on a device and their products with c weight columns (W, G: columns x c; Z, S: rows x c, all row-major).
/// A sum over rows is cut into slices whose number follows from the rows of the shard alone, and slices are added in order.
namespace gamut::backend {

namespace detail {

/// Rows begin <= i < end, whose numbers are kept from place `packed` on.
struct row_piece {
    std::size_t begin = 0, end = 0, packed = 0;
};

/// Which row the numbers at place q belong to: first + q, or what the pieces say.
struct row_numbers {
    std::size_t first = 0;
    const row_piece* pieces = nullptr;  // on the device; ascending, no gaps between their places
    std::size_t count = 0;

    constexpr std::size_t operator()(std::size_t q) const {
        if (count == 0) return first + q;
        std::size_t low = 0, high = count;  // the last piece that starts at or before q
        while (high - low > 1) {
            const std::size_t middle = low + (high - low) / 2;
            (pieces[middle].packed <= q ? low : high) = middle;
        }
        return pieces[low].begin + (q - pieces[low].packed);
    }
};

/// z = x w + b, entry i % c of row i / c; b may be null.
template <class T> struct dense_product {
    const T* x;
    std::size_t columns, outputs;
    row_numbers rows;
    const T *w, *b;
    T* z;
    constexpr void operator()(std::ptrdiff_t at) const {
        const std::size_t i = static_cast<std::size_t>(at), k = i % outputs;
        const T* row = x + rows(i / outputs) * columns;
        T sum(0);
        for (std::size_t j = 0; j < columns; ++j) sum += row[j] * w[j * outputs + k];
        z[i] = b ? sum + b[k] : sum;
    }
};

template <class T> struct sparse_product {
    const std::int64_t* offsets;
    const std::int32_t* indices;
    const T* values;  // null: all ones
    std::size_t outputs;
    row_numbers rows;
    const T *w, *b;
    T* z;
    constexpr void operator()(std::ptrdiff_t at) const {
        const std::size_t i = static_cast<std::size_t>(at), k = i % outputs, row = rows(i / outputs);
        T sum(0);
        for (std::int64_t e = offsets[row]; e < offsets[row + 1]; ++e) {
            const T weight = w[static_cast<std::size_t>(indices[e]) * outputs + k];
            sum += values ? values[e] * weight : weight;
        }
        z[i] = b ? sum + b[k] : sum;
    }
};

/// Entry e of X' S, summed over rows begin <= i < end, whose S starts at place `packed`.
template <class T> struct dense_transposed {
    const T* x;
    std::size_t columns, outputs;
    const T* s;
    constexpr double operator()(std::size_t begin, std::size_t end, std::size_t packed, std::size_t e) const {
        const T* column = x + e / outputs;
        const T* share = s + packed * outputs + e % outputs;
        double sum = 0;
        for (std::size_t i = begin; i < end; ++i, share += outputs)
            sum += static_cast<double>(column[i * columns]) * static_cast<double>(*share);
        return sum;
    }
};

/// The same from columns: the rows of column j are rows[offsets[j]] < ... < rows[offsets[j + 1] - 1].
template <class T> struct sparse_transposed {
    const std::int64_t* offsets;
    const std::int32_t* rows;
    const T* values;
    std::size_t outputs;
    const T* s;
    constexpr double operator()(std::size_t begin, std::size_t end, std::size_t packed, std::size_t e) const {
        const std::int64_t last = offsets[e / outputs + 1];
        std::int64_t at = offsets[e / outputs];
        for (std::int64_t count = last - at; count > 0;) {  // the first entry at or behind row `begin`
            const std::int64_t half = count / 2;
            if (static_cast<std::size_t>(rows[at + half]) < begin) {
                at += half + 1;
                count -= half + 1;
            } else {
                count = half;
            }
        }
        double sum = 0;
        for (; at < last && static_cast<std::size_t>(rows[at]) < end; ++at) {
            const std::size_t place = packed + (static_cast<std::size_t>(rows[at]) - begin);
            const double share = static_cast<double>(s[place * outputs + e % outputs]);
            sum += values ? static_cast<double>(values[at]) * share : share;
        }
        return sum;
    }
};

/// How the rows of a shard are cut for sums of `width` numbers: slices of at least 64 rows, enough to keep a device busy.
struct slicing {
    std::size_t most;

    explicit slicing(std::size_t width)
        : most(std::clamp<std::size_t>(16384 / std::max<std::size_t>(width, 1), 1, 256)) {}

    static constexpr std::size_t rows_per_slice(std::size_t rows, std::size_t most) {
        const std::size_t even = (rows + most - 1) / most;
        return even < 64 ? 64 : even;
    }
    /// As many as any shard of at most that many rows needs; what lies behind a shard's last slice is empty and adds 0.
    std::size_t slices_of(std::size_t largest_shard) const {
        return std::clamp<std::size_t>((largest_shard + 63) / 64, 1, most);
    }
};

/// Sum `e` of each slice of each shard.
template <class Term, class Out> struct slice_sum {
    Term term;
    const row_piece* shards;
    std::size_t origin, width, slices, most;
    Out* out;
    std::size_t stride;  // from one slice's sums to the next one's
    constexpr void operator()(std::ptrdiff_t at) const {
        const std::size_t i = static_cast<std::size_t>(at), e = i % width, slice = i / width;
        const row_piece shard = shards[slice / slices];
        const std::size_t skipped = slice % slices * slicing::rows_per_slice(shard.end - shard.begin, most);
        const std::size_t begin = shard.begin + skipped,
                          end = begin + slicing::rows_per_slice(shard.end - shard.begin, most);
        const std::size_t stop = end < shard.end ? end : shard.end;
        out[slice * stride + e] =
            begin < stop ? static_cast<Out>(term(begin, stop, shard.packed - origin + skipped, e)) : Out(0);
    }
};

template <class Out> struct shard_sum {
    const double* parts;
    std::size_t width, slices;
    Out* out;
    std::size_t stride;
    constexpr void operator()(std::ptrdiff_t at) const {
        const std::size_t i = static_cast<std::size_t>(at), e = i % width, shard = i / width;
        double sum = 0;
        for (std::size_t t = 0; t < slices; ++t) sum += parts[(shard * slices + t) * width + e];
        out[shard * stride + e] = static_cast<Out>(sum);
    }
};

/// For each of `count` shards v and e < width: out[v * stride + e] = sum over the shard's rows of the term.
///   shards    on the device; the numbers of the first one's first row are at place shards[0].packed - origin
///   largest   rows of the largest of them, or more
///   memory    grows to what is needed
template <class Backend, class Term, class Out>
void sum_rows(const Term& term, const row_piece* shards, std::size_t count, std::size_t origin, std::size_t largest,
              std::size_t width, Out* out, std::size_t stride, typename Backend::template vector<double>& memory) {
    const slicing cut(width);
    const std::size_t slices = cut.slices_of(largest);
    if (slices == 1) {
        Backend::for_each(count * width, slice_sum<Term, Out>{term, shards, origin, width, 1, cut.most, out, stride});
    } else {
        double* parts = Backend::reserve(memory, count * slices * width);
        Backend::for_each(count * slices * width,
                          slice_sum<Term, double>{term, shards, origin, width, slices, cut.most, parts, width});
        Backend::for_each(count * width, shard_sum<Out>{parts, width, slices, out, stride});
    }
}

}  // namespace detail

/// A dense matrix on a device, row-major. Copied there once.
template <class T, class System> class device_dense {
public:
    using backend = device<T, System>;
    using value_type = T;

    explicit device_dense(const dense_matrix<T>& x) : rows_(x.rows), columns_(x.columns) {
        backend::send(x.values.data(), x.values.size(), values_);
    }
    std::size_t rows() const { return rows_; }
    std::size_t columns() const { return columns_; }

    /// `count` rows of Z = X W + b; all pointers are the device's, b may be null.
    void multiply(const detail::row_numbers& rows, std::size_t count, std::size_t outputs, const T* w, const T* b,
                  T* z) const {
        backend::for_each(count * outputs,
                          detail::dense_product<T>{backend::data(values_), columns_, outputs, rows, w, b, z});
    }
    auto transposed(std::size_t outputs, const T* s) const {
        return detail::dense_transposed<T>{backend::data(values_), columns_, outputs, s};
    }

private:
    std::size_t rows_, columns_;
    typename backend::template vector<T> values_;
};

/// A sparse matrix on a device, by rows for X W and by columns for X' S: twice the memory, and no sum that depends on who
/// comes first. Copied there once. Throws shape_error beyond 2^31 - 1 rows.
template <class T, class System> class device_sparse {
public:
    using backend = device<T, System>;
    using value_type = T;

    explicit device_sparse(const sparse_matrix<T>& x) : rows_(x.rows), columns_(x.columns) {
        if (x.rows > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
            throw core::shape_error(
                core::text("device: a rank's sparse matrix has ", x.rows, " rows (at most 2147483647) use more ranks"));
        by_row_.keep(x.offsets, x.indices, x.values);
        aligned_vector<std::int64_t> offsets(columns_ + 1, 0);
        for (const std::int32_t column : x.indices) ++offsets[static_cast<std::size_t>(column) + 1];
        for (std::size_t j = 0; j < columns_; ++j) offsets[j + 1] += offsets[j];
        aligned_vector<std::int64_t> next(offsets.begin(), offsets.end() - 1);
        aligned_vector<std::int32_t> rows(x.indices.size());
        aligned_vector<T> values(x.values.size());
        for (std::size_t i = 0; i < rows_; ++i)
            for (std::int64_t e = x.offsets[i]; e < x.offsets[i + 1]; ++e) {
                const auto from = static_cast<std::size_t>(e);
                const auto to = static_cast<std::size_t>(next[static_cast<std::size_t>(x.indices[from])]++);
                rows[to] = static_cast<std::int32_t>(i);
                if (!values.empty()) values[to] = x.values[from];
            }
        by_column_.keep(offsets, rows, values);
    }
    std::size_t rows() const { return rows_; }
    std::size_t columns() const { return columns_; }

    /// `count` rows of Z = X W + b; all pointers are the device's, b may be null.
    void multiply(const detail::row_numbers& rows, std::size_t count, std::size_t outputs, const T* w, const T* b,
                  T* z) const {
        backend::for_each(count * outputs,
                          detail::sparse_product<T>{backend::data(by_row_.offsets), backend::data(by_row_.indices),
                                                    by_row_.values_or_null(), outputs, rows, w, b, z});
    }
    auto transposed(std::size_t outputs, const T* s) const {
        return detail::sparse_transposed<T>{backend::data(by_column_.offsets), backend::data(by_column_.indices),
                                            by_column_.values_or_null(), outputs, s};
    }

private:
    struct compressed {
        typename backend::template vector<std::int64_t> offsets;
        typename backend::template vector<std::int32_t> indices;
        typename backend::template vector<T> values;

        void keep(std::span<const std::int64_t> o, std::span<const std::int32_t> i, std::span<const T> v) {
            backend::send(o.data(), o.size(), offsets);
            backend::send(i.data(), i.size(), indices);
            backend::send(v.data(), v.size(), values);
        }
        const T* values_or_null() const { return values.empty() ? nullptr : backend::data(values); }
    };

    std::size_t rows_, columns_;
    compressed by_row_, by_column_;
};

namespace detail {

inline void check_product(const char* who, std::size_t inner, std::size_t outer, std::size_t outputs, std::size_t from,
                          std::size_t to) {
    if (from != inner * outputs || to != outer * outputs)
        throw core::shape_error(core::text(who, ": arrays of ", from, " and ", to,
                                           " entries don't fit (the matrix needs ", inner, " x ", outputs, " and ",
                                           outer, " x ", outputs, ") make them so long"));
}

template <class Matrix, class System> struct matrix_on_device;
template <class T, class System> struct matrix_on_device<dense_matrix<T>, System> {
    using type = device_dense<T, System>;
};
template <class T, class System> struct matrix_on_device<sparse_matrix<T>, System> {
    using type = device_sparse<T, System>;
};

}  // namespace detail

/// Z = X W (rows x c) for arrays on the device.
template <class Matrix, class T, class System>
void multiply(const Matrix& x, std::size_t outputs, const array<device<T, System>>& w, array<device<T, System>>& z) {
    using backend = device<T, System>;
    detail::check_product("multiply", x.columns(), x.rows(), outputs, w.size(), z.size());
    x.multiply({}, x.rows(), outputs, backend::data(w.storage()), nullptr, backend::data(z.storage()));
}
/// G = X' S (columns x c) for arrays on the device.
template <class Matrix, class T, class System>
void multiply_transposed(const Matrix& x, std::size_t outputs, const array<device<T, System>>& s,
                         array<device<T, System>>& g) {
    using backend = device<T, System>;
    detail::check_product("multiply_transposed", x.rows(), x.columns(), outputs, s.size(), g.size());
    const detail::row_piece whole{0, x.rows(), 0};
    typename backend::template vector<detail::row_piece> shard;
    typename backend::template vector<double> memory;
    backend::send(&whole, 1, shard);
    detail::sum_rows<backend>(x.transposed(outputs, backend::data(s.storage())), backend::data(shard), 1, 0, x.rows(),
                              x.columns() * outputs, backend::data(g.storage()), x.columns() * outputs, memory);
}

}  // namespace gamut::backend
