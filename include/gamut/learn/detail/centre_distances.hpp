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
#include <gamut/learn/detail/second_moments.hpp>
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

/// The least of squares[a] - 2 products[a], the first of equal ones, and the next least; NaN is no number.
struct two_least {
    struct found {
        std::size_t best = 0;
        float least = std::numeric_limits<float>::infinity(), next = least;

        GAMUT_INLINE void look_at(std::size_t a, float value) {
            if (value < least) {
                next = least;
                least = value;
                best = a;
            } else if (value < next) {
                next = value;
            }
        }
    };
    template <std::size_t Bytes>
    GAMUT_INLINE static found run(const float* squares, const float* products, std::size_t k) {
        found all;
        constexpr std::size_t lanes = 16;
        std::size_t a = 0;
        if (k >= 2 * lanes) {  // per lane, then over lanes
            float least[lanes], next[lanes];
            for (std::size_t l = 0; l < lanes; ++l) least[l] = next[l] = all.least;
            for (; a + lanes <= k; a += lanes)
                for (std::size_t l = 0; l < lanes; ++l) {
                    const float value = squares[a + l] - 2 * products[a + l];
                    const float larger = value < least[l] ? least[l] : value;
                    next[l] = larger < next[l] ? larger : next[l];
                    least[l] = value < least[l] ? value : least[l];
                }
            for (std::size_t l = 0; l < lanes; ++l) {
                all.look_at(l, least[l]);
                if (next[l] < all.next) all.next = next[l];
            }
        }
        const std::size_t rest = a;
        for (; a < k; ++a) all.look_at(a, squares[a] - 2 * products[a]);
        if (all.best < rest) {  // a lane, so far
            std::size_t first = 0;
            while (first + 1 < rest && !(squares[first] - 2 * products[first] == all.least)) ++first;
            all.best = first;
        }
        return all;
    }
};

/// Points that rows are measured against: k x p, about `origin` (empty: 0).
struct centre_table {
    std::size_t k = 0, p = 0;
    std::vector<double> values, squares, transposed;  // transposed p x k, for sparse rows
    std::vector<float> rough, rough_squares;          // of dense rows
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
        rough.assign(values.begin(), sparse ? values.begin() : values.end());
        rough_squares.assign(squares.begin(), sparse ? squares.begin() : squares.end());
        if (!sparse) return;
        transposed.resize(k * p);
        for (std::size_t c = 0; c < k; ++c)
            for (std::size_t j = 0; j < p; ++j) transposed[j * k + c] = values[c * p + j];
    }
    const double* row(std::size_t c) const { return values.data() + c * p; }
};

/// The rows of a rank about an origin, and their distances to centres: by blocks of rows as products,
///     |x - c|^2 = |x|^2 - 2 x'c + |c|^2     of which 1e-13 (|x|^2 + |c|^2) may be rounding.
/// Dense rows lie about their mean, so that they are short; sparse ones about 0, so that they stay sparse. Dense rows can be measured in single
/// precision first (keep_rough, half of their memory): where `doubt` leaves no doubt, that decides as double precision would.
template <class Matrix> class measured_rows {
public:
    static constexpr std::size_t block = 128;

    measured_rows(const Matrix& x, std::vector<double> origin) : x_(x), origin_(std::move(origin)) {}

    std::size_t columns() const { return x_.columns; }
    bool sparse() const { return is_sparse(x_); }
    bool rough() const { return !rough_.empty(); }

    /// Local rows in single precision, for multiply_roughly; each(first, last) calls back for some of them on threads.
    template <class Each> void keep_rough(Each&& each) {
        if (sparse() || x_.rows == 0) return;
        rough_.resize(x_.rows * x_.columns);
        each([&](std::size_t begin, std::size_t end) {
            std::vector<double> row(x_.columns);
            for (std::size_t i = begin; i < end; ++i) {
                copy(i, row.data());
                for (std::size_t j = 0; j < x_.columns; ++j) rough_[i * x_.columns + j] = static_cast<float>(row[j]);
            }
        });
    }
    /// By how much a squared distance in single precision may be wrong, of a row and a centre with these squares: (p + 6.1) 2^-24 of them
    /// (rough_distances.hpp), and underflow; infinite where overflow is near.
    double doubt(double square, double centre) const {
        const auto p = static_cast<double>(x_.columns);
        if (!(square < 1e30 && centre < 1e30)) return std::numeric_limits<double>::infinity();
        return (p + 8) * 0x1p-24 * (square + centre) + p * 0x1p-100 * (1 + square + centre);
    }
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
        std::vector<float> rough, rough_products;
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
    /// The same in single precision, of any rows, or of `count` rows from `first` on.
    void multiply_roughly(workspace& w, const centre_table& c) const {
        w.rough.resize(block * c.p);
        for (std::size_t r = 0; r < w.which.size(); ++r)
            std::copy_n(rough_.data() + w.which[r] * c.p, c.p, w.rough.data() + r * c.p);
        multiply_roughly(w, c, w.rough.data(), w.which.size());
    }
    void multiply_roughly(workspace& w, const centre_table& c, std::size_t first, std::size_t count) const {
        multiply_roughly(w, c, rough_.data() + first * c.p, count);
    }
    /// Row i, which is at `taken`, with all centres, by itself.
    void multiply_one(workspace& w, const double* taken, const centre_table& c) const {
        w.products.resize(std::max(w.products.size(), c.k));
        for (std::size_t a = 0; a < c.k; ++a) w.products[a] = dot(taken, c.row(a), c.p);
    }
    /// sum += weight * row i about the origin.
    void add(const double* taken, std::size_t i, double weight, double* sum) const {
        if (taken)
            for (std::size_t j = 0; j < x_.columns; ++j) sum[j] += weight * taken[j];
        else
            visit_row(x_, i, [&](std::size_t j, double v) { sum[j] += weight * v; });
    }

private:
    void multiply_roughly(workspace& w, const centre_table& c, const float* rows, std::size_t count) const {
        w.rough_products.resize(std::max(w.rough_products.size(), block * c.k));
        backend::host<float>::gemm(false, true, count, c.k, c.p, 1.0F, rows, c.p, c.rough.data(), c.p, 0.0F,
                                   w.rough_products.data(), c.k);
    }

    const Matrix& x_;
    std::vector<double> origin_;
    std::vector<float> rough_;
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
