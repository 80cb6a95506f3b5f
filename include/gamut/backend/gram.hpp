// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/detail/parallel.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/row_moments.hpp>
#include <gamut/backend/sparse.hpp>
#include <gamut/backend/sweep.hpp>

namespace gamut::backend {

/// A weight per row from `first` on: values[(i - first) * stride]; null: all 1.
template <class T> struct row_weights {
    const T* values = nullptr;
    std::size_t stride = 1, first = 0;
    double operator()(std::size_t i) const { return values ? static_cast<double>(values[(i - first) * stride]) : 1.0; }
};

/// Some columns of A = [ X~ | 1 | y ], in any order: feature j of p is j, the ones are p, the labels p + 1.
class moment_columns {
public:
    moment_columns(std::span<const std::size_t> columns, std::size_t p, column_scaling scaling)
        : scaled_(scaling.means) {
        for (std::size_t k = 0; k < columns.size(); ++k) {
            const std::size_t j = columns[k];
            const bool scaled = j < p && scaling.means;
            if (j >= p) others_.push_back({k, j == p});
            features_.push_back(j < p ? j : 0);
            means_.push_back(scaled ? scaling.means[j] : 0.0);
            inverse_.push_back(scaled ? scaling.inverse_scales[j] : 1.0);
        }
    }

    /// Not a feature, but the ones or the labels, at place k.
    struct other {
        std::size_t k;
        bool ones;
        template <class T> double value(const T* y, std::size_t i) const {
            return ones ? 1.0 : static_cast<double>(y[i]);
        }
    };

    std::size_t size() const { return features_.size(); }
    std::span<const other> others() const { return others_; }
    double mean(std::size_t k) const { return means_[k]; }
    double inverse_scale(std::size_t k) const { return inverse_[k]; }

    /// Per column of X where it stands here, or -1.
    std::vector<std::int32_t> places(std::size_t p) const {
        std::vector<std::int32_t> place(p, -1);
        auto next = others_.begin();
        for (std::size_t k = 0; k < features_.size(); ++k) {
            if (next != others_.end() && next->k == k)
                ++next;
            else
                place[features_[k]] = static_cast<std::int32_t>(k);
        }
        return place;
    }

    /// out: this row of A.
    template <class T> void copy_row(const dense_matrix<T>& x, const T* y, std::size_t i, double* out) const {
        const T* const row = x.row(i);
        const std::size_t* const feature = features_.data();
        const std::size_t count = x.columns > 0 ? features_.size() : 0;
        if (scaled_)
            for (std::size_t k = 0; k < count; ++k)
                out[k] = (static_cast<double>(row[feature[k]]) - means_[k]) * inverse_[k];
        else
            for (std::size_t k = 0; k < count; ++k) out[k] = static_cast<double>(row[feature[k]]);
        for (const other& o : others_) out[o.k] = o.value(y, i);
    }
    template <class T>
    void copy_row(const sparse_matrix<T>& x, const std::vector<std::int32_t>& place, const T* y, std::size_t i,
                  double* out) const {
        for (std::size_t k = 0; k < features_.size(); ++k) out[k] = (0.0 - means_[k]) * inverse_[k];
        for (auto e = static_cast<std::size_t>(x.offsets[i]); e < static_cast<std::size_t>(x.offsets[i + 1]); ++e) {
            const std::int32_t at = place[static_cast<std::size_t>(x.indices[e])];
            if (at < 0) continue;
            const auto k = static_cast<std::size_t>(at);
            out[k] = (static_cast<double>(x.value(e)) - means_[k]) * inverse_[k];
        }
        for (const other& o : others_) out[o.k] = o.value(y, i);
    }

private:
    std::vector<std::size_t> features_;
    std::vector<other> others_;
    std::vector<double> means_, inverse_;
    bool scaled_;
};

/// Places begin <= k < end in some list of columns.
struct place_range {
    std::size_t begin = 0, end = 0;
    std::size_t size() const { return end - begin; }
};

namespace detail {

/// Rows that are standardised (and, if X is sparse, filled out) in a buffer, and multiplied there.
template <class T, class Fill>
void filled_products(row_range rows, const row_weights<T>& weights, std::size_t width, place_range left, Fill&& fill,
                     double* out, std::size_t stride) {
    const std::size_t most = std::clamp<std::size_t>((std::size_t(1) << 17) / width / 8 * 8, 32, 256);
    const std::size_t block = std::min(most, std::max<std::size_t>(rows.end - rows.begin, 1)), height = left.size();
    const auto right = std::make_unique_for_overwrite<double[]>(block * width);
    const auto weighted = std::make_unique_for_overwrite<double[]>(weights.values ? block * height : 0);
    for (std::size_t begin = rows.begin; begin < rows.end; begin += block) {
        const std::size_t end = std::min(begin + block, rows.end);
        std::size_t filled = 0;
        for (std::size_t i = begin; i < end; ++i) {
            const double weight = weights(i);
            if (weight == 0) continue;
            double* const row = right.get() + filled * width;
            fill(i, row);
            if (weights.values) {
                double* const l = weighted.get() + filled * height;
                for (std::size_t k = 0; k < height; ++k) l[k] = weight * row[left.begin + k];
            }
            ++filled;
        }
        const double* const l = weights.values ? weighted.get() : right.get() + left.begin;
        host<double>::gemm(true, false, height, width, filled, 1.0, l, weights.values ? height : width, right.get(),
                           width, begin == rows.begin ? 0.0 : 1.0, out, stride);
    }
}

template <class T>
void products(const dense_matrix<T>& x, row_range rows, const T* y, const row_weights<T>& weights,
              const moment_columns& columns, place_range left, double* out, std::size_t stride) {
    filled_products(
        rows, weights, columns.size(), left, [&](std::size_t i, double* row) { columns.copy_row(x, y, i, row); }, out,
        stride);
}

/// Entry by entry where rows have few entries, as dense ones else: with t = columns' weighted sums, d = the weights' sum,
///     X~' D X~ = (X'DX - t m' - m t' + d m m') / (s s')
template <class T>
void products(const sparse_matrix<T>& x, row_range rows, const T* y, const row_weights<T>& weights,
              const moment_columns& columns, place_range left, double* out, std::size_t stride) {
    const std::vector<std::int32_t> place = columns.places(x.columns);
    const std::size_t width = columns.size();
    std::vector<std::pair<std::size_t, double>> entries;
    const auto read = [&](std::size_t i) {
        entries.clear();
        for (auto e = static_cast<std::size_t>(x.offsets[i]); e < static_cast<std::size_t>(x.offsets[i + 1]); ++e)
            if (const std::int32_t k = place[static_cast<std::size_t>(x.indices[e])]; k >= 0)
                entries.emplace_back(static_cast<std::size_t>(k), static_cast<double>(x.value(e)));
        for (const auto& o : columns.others()) entries.emplace_back(o.k, o.value(y, i));
    };
    const auto in_left = [&](std::size_t k) { return k >= left.begin && k < left.end; };
    double pairs = 0;
    const auto others_left =
        std::count_if(columns.others().begin(), columns.others().end(), [&](const auto& o) { return in_left(o.k); });
    std::size_t used = 0;
    for (std::size_t i = rows.begin; i < rows.end; ++i) {
        if (weights(i) == 0) continue;
        ++used;
        auto l = others_left, all = static_cast<std::ptrdiff_t>(columns.others().size());
        for (auto e = static_cast<std::size_t>(x.offsets[i]); e < static_cast<std::size_t>(x.offsets[i + 1]); ++e) {
            const std::int32_t k = place[static_cast<std::size_t>(x.indices[e])];
            all += k >= 0 ? 1 : 0;
            l += k >= 0 && in_left(static_cast<std::size_t>(k)) ? 1 : 0;
        }
        pairs += static_cast<double>(l) * static_cast<double>(all);
    }
    constexpr double cost_of_a_pair = 24;  // of a multiplication inside gemm
    if (cost_of_a_pair * pairs > static_cast<double>(used) * static_cast<double>(left.size() * width)) {
        filled_products(
            rows, weights, width, left, [&](std::size_t i, double* row) { columns.copy_row(x, place, y, i, row); }, out,
            stride);
        return;
    }
    const bool symmetric = left.size() == width;  // the lower triangle is enough
    for (std::size_t a = 0; a < left.size(); ++a) std::fill_n(out + a * stride, width, 0.0);
    std::vector<double> sums(width);
    double total = 0;
    for (std::size_t i = rows.begin; i < rows.end; ++i) {
        const double weight = weights(i);
        if (weight == 0) continue;
        total += weight;
        read(i);
        for (const auto& [k, value] : entries) {
            sums[k] += weight * value;
            if (!in_left(k)) continue;
            double* const row = out + (k - left.begin) * stride;
            const double scaled = weight * value;
            for (const auto& [c, r] : entries) {
                if (symmetric && c > k) continue;
                row[c] += scaled * r;
            }
        }
    }
    for (std::size_t a = 0; symmetric && a < width; ++a)
        for (std::size_t b = a + 1; b < width; ++b) out[a * stride + b] = out[b * stride + a];
    for (std::size_t a = left.begin; a < left.end; ++a)
        for (std::size_t b = 0; b < width; ++b) {
            double& entry = out[(a - left.begin) * stride + b];
            entry = (entry - sums[a] * columns.mean(b) - columns.mean(a) * sums[b] +
                     total * columns.mean(a) * columns.mean(b)) *
                    columns.inverse_scale(a) * columns.inverse_scale(b);
        }
}

}  // namespace detail

/// out = sum over some rows of d_i a_i,left a_i: left.size() x columns.size() numbers, rows `stride` apart; left: some of the
/// columns. One pass over the rows; as many multiplications and additions per row, or as there are pairs of entries in sparse
/// rows. Always in double, in a fixed order; means far from 0 cost no digits, but for sparse rows of few entries.
template <class T, class Matrix>
void products_of_columns(const Matrix& x, row_range rows, const T* y, const row_weights<T>& weights,
                         const moment_columns& columns, place_range left, double* out, std::size_t stride) {
    if (left.size() == 0) return;
    if (rows.begin == rows.end)
        for (std::size_t a = 0; a < left.size(); ++a) std::fill_n(out + a * stride, columns.size(), 0.0);
    else
        detail::products(x, rows, y, weights, columns, left, out, stride);
}

/// The same for several runs of rows, on that many threads: `out` has left.size() x columns.size() numbers for each.
template <class T, class Matrix>
void products_of_columns(const Matrix& x, std::span<const row_range> runs, const T* y, const row_weights<T>& weights,
                         const moment_columns& columns, place_range left, double* out, std::size_t threads) {
    constexpr std::size_t products_for_an_entry = 8;  // made in the time that one entry is read
    std::size_t rows = 0, entries = 0;
    for (const row_range& run : runs) {
        rows += run.end - run.begin;
        if constexpr (std::is_same_v<Matrix, sparse_matrix<T>>) entries += entries_of(x, run.begin, run.end);
    }
    entries += rows * left.size() * columns.size() / products_for_an_entry;
    threads = detail::threads_for(entries, threads);
    detail::parallel_for(0, runs.size(), threads, [&](std::size_t r, std::size_t) {
        products_of_columns(x, runs[r], y, weights, columns, left, out + r * left.size() * columns.size(),
                            columns.size());
    });
}

namespace detail {
template <class T> struct multiple_adder {
    template <std::size_t Bytes> GAMUT_INLINE static void run(T a, const T* x, T* y, std::size_t n) {
        using P = pack<T, Bytes>;
        const P factor(a);
        std::size_t i = 0;
        for (; i + 8 <= n; i += 8) (P::load(y + i) + factor * P::load(x + i)).store(y + i);
        for (; i < n; ++i) y[i] += a * x[i];
    }
};
}  // namespace detail

/// y += a x, n numbers.
template <class T> void add_multiple(T a, const T* x, T* y, std::size_t n) {
    detail::run<detail::multiple_adder<T>>(a, x, y, n);
}

/// out_j += sum over rows of omega_i x~_ij^2. One pass; sparse: over the entries alone.
template <class T>
void add_squares(const dense_matrix<T>& x, row_range rows, const T* omega, column_scaling scaling, double* out) {
    std::vector<double> zeros(scaling.means ? 0 : x.columns);
    few_rows<T> few{.columns = x.columns};
    for (std::size_t i = rows.begin; i < rows.end; ++i) {
        few.add(x.row(i), omega ? static_cast<double>(omega[i]) : 1.0);
        if (!few.is_full() && i + 1 < rows.end) continue;
        add_squares(few, scaling.means ? scaling.means : zeros.data(), out);
        few.count = 0;
    }
    if (scaling.means)
        for (std::size_t j = 0; j < x.columns; ++j) out[j] *= scaling.inverse_scales[j] * scaling.inverse_scales[j];
}
template <class T>
void add_squares(const sparse_matrix<T>& x, row_range rows, const T* omega, column_scaling scaling, double* out) {
    double total = 0;
    std::vector<double> stored(scaling.means ? x.columns : 0);  // weight of the rows in which the column has an entry
    for (std::size_t i = rows.begin; i < rows.end; ++i) {
        const double weight = omega ? static_cast<double>(omega[i]) : 1.0;
        total += weight;
        for (auto k = static_cast<std::size_t>(x.offsets[i]); k < static_cast<std::size_t>(x.offsets[i + 1]); ++k) {
            const auto j = static_cast<std::size_t>(x.indices[k]);
            const double deviation = static_cast<double>(x.value(k)) - (scaling.means ? scaling.means[j] : 0.0);
            out[j] += weight * deviation * deviation;
            if (scaling.means) stored[j] += weight;
        }
    }
    for (std::size_t j = 0; j < stored.size(); ++j) {
        const double rest = std::max(0.0, total - stored[j]);
        out[j] = (out[j] + rest * scaling.means[j] * scaling.means[j]) * scaling.inverse_scales[j] *
                 scaling.inverse_scales[j];
    }
}

/// y = G x for a symmetric matrix in memory.
template <class T> void multiply(const dense_matrix<T>& g, const T* x, T* y) {
    detail::multiply(detail::part(g, 0, g.rows), x, T(0), y);
}

}  // namespace gamut::backend
