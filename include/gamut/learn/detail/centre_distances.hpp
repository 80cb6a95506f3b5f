// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/backend/kernel.hpp>
#include <gamut/backend/pack.hpp>
#include <gamut/data/dataset.hpp>
#include <gamut/learn/detail/rows.hpp>
#include <gamut/learn/detail/shards.hpp>

namespace gamut::learn::detail {

/// |x - c|^2 for p numbers each.
struct squared_distance {
    template <std::size_t Bytes> GAMUT_INLINE static double run(const double* x, const double* c, std::size_t p) {
        using P = backend::pack<double, Bytes>;
        P a(0);
        std::size_t j = 0;
        for (; j + 8 <= p; j += 8) {
            const P d = P::load(x + j) - P::load(c + j);
            a += d * d;
        }
        double sum = a.total();
        for (; j < p; ++j) sum += (x[j] - c[j]) * (x[j] - c[j]);
        return sum;
    }
};
inline double distance2(const double* x, const double* c, std::size_t p) {
    return backend::run<squared_distance>(x, c, p);
}

/// Points that rows are measured against: k x p, about `origin` (empty: 0).
struct centre_table {
    std::size_t k = 0, p = 0;
    std::vector<double> values, squares, transposed;  // transposed p x k, for sparse rows
    double largest = 0;                               // of the squares

    void set(std::vector<double> to, std::size_t count, std::size_t columns, bool sparse) {
        k = count;
        p = columns;
        values = std::move(to);
        squares.assign(k, 0);
        for (std::size_t c = 0; c < k; ++c)
            for (std::size_t j = 0; j < p; ++j) squares[c] += values[c * p + j] * values[c * p + j];
        largest = k == 0 ? 0 : *std::max_element(squares.begin(), squares.end());
        transposed.clear();
        if (!sparse) return;
        transposed.resize(k * p);
        for (std::size_t c = 0; c < k; ++c)
            for (std::size_t j = 0; j < p; ++j) transposed[j * k + c] = values[c * p + j];
    }
    const double* row(std::size_t c) const { return values.data() + c * p; }
};

/// The rows of a rank about an origin, and their distances to centres: by blocks of rows as products,
///     |x - c|^2 = |x|^2 - 2 x'c + |c|^2     of which 1e-13 (|x|^2 + |c|^2) may be rounding.
/// Dense rows lie about their mean, so that they are short; sparse ones about 0, so that they stay sparse.
template <class Matrix> class measured_rows {
public:
    static constexpr std::size_t block = 128;

    measured_rows(const Matrix& x, std::vector<double> origin) : x_(x), origin_(std::move(origin)) {}

    std::size_t columns() const { return x_.columns; }
    bool sparse() const { return is_sparse(x_); }
    const std::vector<double>& origin() const { return origin_; }

    /// |x_i|^2 about the origin.
    double square(std::size_t i) const {
        double sum = 0;
        if (sparse())
            visit_row(x_, i, [&](std::size_t, double v) { sum += v * v; });
        else
            visit_row(x_, i, [&](std::size_t j, double v) { sum += (v - origin_[j]) * (v - origin_[j]); });
        return sum;
    }
    /// out: row i about the origin, dense.
    void copy(std::size_t i, double* out) const {
        copy_row(x_, i, out);
        if (!sparse())
            for (std::size_t j = 0; j < x_.columns; ++j) out[j] -= origin_[j];
    }

    /// Some rows at a time: buffers of a thread.
    struct workspace {
        std::vector<double> rows, products;
        std::vector<std::size_t> which;
    };
    /// Row i as `count`-th of the block. Dense: its numbers are at the place that is returned.
    const double* take(workspace& w, std::size_t i) const {
        if (w.rows.empty() && !sparse()) w.rows.resize(block * x_.columns);
        if (sparse()) return nullptr;
        double* const to = w.rows.data() + w.which.size() * x_.columns;
        copy(i, to);
        return to;
    }
    /// Row i to one centre, exact to rounding; `taken`: what take returned.
    double to_one(const double* taken, std::size_t i, double square, const centre_table& c, std::size_t one) const {
        if (!sparse()) return distance2(taken, c.row(one), c.p);
        double product = 0;
        const double* const centre = c.row(one);
        visit_row(x_, i, [&](std::size_t j, double v) { product += v * centre[j]; });
        return std::max(0.0, square - 2 * product + c.squares[one]);
    }
    /// Products with all centres of the rows in the block: products[r * k + c].
    void multiply(workspace& w, const centre_table& c) const {
        w.products.resize(block * c.k);
        if (!sparse()) {
            backend::host<double>::gemm(false, true, w.which.size(), c.k, c.p, 1.0, w.rows.data(), c.p, c.values.data(),
                                        c.p, 0.0, w.products.data(), c.k);
            return;
        }
        std::fill(w.products.begin(), w.products.end(), 0.0);
        for (std::size_t r = 0; r < w.which.size(); ++r) {
            double* const z = w.products.data() + r * c.k;
            visit_row(x_, w.which[r], [&](std::size_t j, double v) {
                const double* const row = c.transposed.data() + j * c.k;
                for (std::size_t l = 0; l < c.k; ++l) z[l] += v * row[l];
            });
        }
    }
    /// sum += weight * row i about the origin.
    void add(const double* taken, std::size_t i, double weight, double* sum) const {
        if (taken)
            for (std::size_t j = 0; j < x_.columns; ++j) sum[j] += weight * taken[j];
        else
            visit_row(x_, i, [&](std::size_t j, double v) { sum[j] += weight * v; });
    }

private:
    const Matrix& x_;
    std::vector<double> origin_;
};

/// The weighted mean of all rows; empty for sparse rows, which stay about 0. Collective: one exact sum of p + 1 numbers.
template <communicator::Communicator C, class Dataset>
std::vector<double> origin_of(const shards<C>& by, const Dataset& rows) {
    if (is_sparse(rows.x)) return {};
    std::vector<double> totals(rows.columns() + 1);
    by.sum(totals, [&](std::size_t, data::range local, std::size_t, double* partial) {
        for (std::size_t i = local.begin; i < local.end; ++i) {
            const auto w = static_cast<double>(rows.weight(i));
            visit_row(rows.x, i, [&](std::size_t j, double v) { partial[j] += w * v; });
            partial[rows.columns()] += w;
        }
    });
    const double weight = totals.back();
    totals.pop_back();
    for (double& mean : totals) mean = weight > 0 && std::isfinite(mean / weight) ? mean / weight : 0;
    return totals;
}

}  // namespace gamut::learn::detail
