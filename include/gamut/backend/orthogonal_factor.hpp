// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace gamut::backend {

namespace detail {

/// H = I - factor v v' with v = (1, tail): H (first, tail) = (length, 0). It leaves v's tail where the column was.
struct reflection {
    double factor = 0, length = 0;

    /// The column is `first`, then `count` numbers that lie `stride` apart. Nothing overflows that need not.
    static reflection of(double first, double* tail, std::size_t count, std::size_t stride) {
        double largest = 0;
        for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(tail[i * stride]));
        if (largest == 0) return {0, first};
        largest = std::max(largest, std::abs(first));
        if (!std::isfinite(largest)) {
            constexpr double nan = std::numeric_limits<double>::quiet_NaN();
            return {nan, nan};
        }
        const int exponent = -std::ilogb(largest);
        const auto scaled = [&](double x) { return std::ldexp(x, exponent); };
        double squares = scaled(first) * scaled(first);
        for (std::size_t i = 0; i < count; ++i) {
            tail[i * stride] = scaled(tail[i * stride]);
            squares += tail[i * stride] * tail[i * stride];
        }
        const double norm = std::copysign(std::sqrt(squares), -scaled(first)), pivot = scaled(first) - norm;
        for (std::size_t i = 0; i < count; ++i) tail[i * stride] /= pivot;
        return {-pivot / norm, std::ldexp(norm, -exponent)};
    }
};

}  // namespace detail

/// The triangle R of a QR factorisation A = Q R of rows that come in blocks, by Householder reflections; Q is not kept. What is
/// computed belongs exactly to rows that are off by some roundings of their size, so R has the condition of A, where a Gram matrix has
/// its square. Columns of any scale.
///
///     orthogonal_factor f(columns);
///     f.add(block, rows);         4 rows columns^2 / 2 operations
///     f.add(g);                   what another factor has seen: Chan's tree, TSQR
///     f.row(i)[j]                 R_ij, 0 for j < i, i < f.rows() <= columns
///
/// The bits of R follow from the order of these calls alone. Golub and Van Loan, Matrix Computations, 5.2; Demmel, Grigori, Hoemmen and
/// Langou, Communication-optimal parallel and sequential QR (2012).
class orthogonal_factor {
public:
    orthogonal_factor() = default;
    explicit orthogonal_factor(std::size_t columns) : columns_(columns) {}
    /// One that travelled as packed() numbers.
    orthogonal_factor(std::size_t columns, std::size_t rows, std::span<const double> numbers)
        : columns_(columns),
          rows_(rows),
          values_(rows * columns) {
        const double* from = numbers.data();
        for (std::size_t i = 0; i < rows; ++i)
            for (std::size_t j = i; j < columns; ++j) values_[i * columns + j] = *from++;
    }

    std::size_t columns() const { return columns_; }
    std::size_t rows() const { return rows_; }
    const double* row(std::size_t i) const { return values_.data() + i * columns_; }

    /// How many numbers a factor of so many rows is, and these numbers, row after row from the diagonal on.
    static std::size_t packed_size(std::size_t columns, std::size_t rows) {
        return rows == 0 ? 0 : rows * columns - rows * (rows - 1) / 2;
    }
    void pack(double* to) const {
        for (std::size_t i = 0; i < rows_; ++i) to = std::copy(row(i) + i, row(i) + columns_, to);
    }

    /// Rows x columns numbers, row-major, which are spent. `upper`: row i has nothing before column i.
    void add(double* block, std::size_t rows, bool upper = false) {
        std::size_t begin = 0;  // rows before it have become rows of R
        sums_.resize(columns_);
        for (std::size_t j = 0; j < columns_; ++j) {
            const std::size_t end = upper ? std::min(rows, j + 1) : rows;
            if (j == rows_) {
                if (begin == rows) return;
                values_.insert(values_.end(), block + begin * columns_, block + (begin + 1) * columns_);
                std::fill_n(values_.begin() + static_cast<std::ptrdiff_t>(j * columns_), j, 0.0);
                ++rows_;
                ++begin;
            }
            if (begin < end) reflect(j, block + begin * columns_, end - begin);
        }
    }

    void add(const orthogonal_factor& other) {
        std::vector<double> copy = other.values_;
        add(copy.data(), other.rows_, true);
    }

private:
    void reflect(std::size_t j, double* block, std::size_t rows) {
        double* const top = values_.data() + j * columns_;
        const auto h = detail::reflection::of(top[j], block + j, rows, columns_);
        top[j] = h.length;
        if (h.factor == 0) return;
        const std::size_t n = columns_ - j - 1;
        double* const here = top + j + 1;
        double* const sum = sums_.data();
        std::copy_n(here, n, sum);
        for (std::size_t i = 0; i < rows; ++i) {
            const double v = block[i * columns_ + j];
            const double* const x = block + i * columns_ + j + 1;
            for (std::size_t k = 0; k < n; ++k) sum[k] += v * x[k];
        }
        for (std::size_t k = 0; k < n; ++k) {
            sum[k] *= h.factor;
            here[k] -= sum[k];
        }
        for (std::size_t i = 0; i < rows; ++i) {
            const double v = block[i * columns_ + j];
            double* const x = block + i * columns_ + j + 1;
            for (std::size_t k = 0; k < n; ++k) x[k] -= v * sum[k];
        }
    }

    std::size_t columns_ = 0, rows_ = 0;
    std::vector<double> values_, sums_;
};

/// min over w of |A w - b|, from the triangle of [ A | b ], with columns exchanged so that the rank shows: the columns of A are taken at
/// their own scale, and those whose distance from the ones before is below `tolerance` of the largest are said to be collinear with them.
/// Among the minimisers of a singular problem it takes the one of least norm.
class least_squares_factor {
public:
    /// R of [ A | b ]: `unknowns` columns, and one more. tolerance 0: unknowns times 8 roundings.
    explicit least_squares_factor(const orthogonal_factor& r, double tolerance = 0)
        : n_(r.columns() - 1),
          m_(std::min(r.rows(), n_)),
          a_(m_ * n_),
          b_(m_),
          units_(n_, 1.0),
          order_(n_) {
        for (std::size_t j = 0; j < n_; ++j) {
            order_[j] = j;
            double largest = 0, squares = 0;
            for (std::size_t i = 0; i < m_; ++i) largest = std::max(largest, std::abs(r.row(i)[j]));
            finite_ = finite_ && std::isfinite(largest);
            if (!finite_ || largest == 0) continue;
            const int exponent = std::ilogb(largest);
            for (std::size_t i = 0; i < m_; ++i) {
                const double x = std::ldexp(r.row(i)[j], -exponent);
                squares += x * x;
            }
            units_[j] = std::ldexp(std::sqrt(squares), exponent);
        }
        for (std::size_t i = 0; i < m_; ++i) {
            for (std::size_t j = 0; j < n_; ++j) a(i, j) = r.row(i)[j] / units_[j];
            b_[i] = r.row(i)[n_];
        }
        if (tolerance == 0)
            tolerance = 8 * static_cast<double>(std::max<std::size_t>(n_, 1)) * std::numeric_limits<double>::epsilon();
        if (finite_) factorize(tolerance);
    }

    bool is_finite() const { return finite_; }
    std::size_t unknowns() const { return n_; }
    std::size_t rank() const { return rank_; }
    /// |R| |inverse of R| in the 1-norm, the columns at length 1: those that rank() counts.
    double condition() const { return condition_; }

    /// The least |w|, where A w is as near to b as it can be.
    std::vector<double> solution() const {
        std::vector<double> z(b_.begin(), b_.begin() + static_cast<std::ptrdiff_t>(rank_));
        back(z);
        std::vector<double> w = in_place(z);
        if (rank_ < n_) shorten(w);
        return w;
    }

    /// d = (A'A)^-1 g; of a singular problem for the columns that the rank counts, 0 for the others.
    std::vector<double> solve(std::span<const double> g) const {
        std::vector<double> z(rank_);
        for (std::size_t i = 0; i < rank_; ++i) {
            z[i] = g[order_[i]] / units_[order_[i]];
            for (std::size_t k = 0; k < i; ++k) z[i] -= a(k, i) * z[k];
            z[i] /= a(i, i);
        }
        back(z);
        return in_place(z);
    }

    /// A column of length |A_j| is 1 here.
    double length(std::size_t column) const { return units_[column]; }

    /// Columns that others make up, each with those others: for column order()[rank + k] the ones with a coefficient that matters.
    std::vector<std::size_t> collinear(std::size_t k) const {
        std::vector<double> z(rank_);
        for (std::size_t i = 0; i < rank_; ++i) z[i] = a(i, rank_ + k);
        back(z);
        std::vector<std::size_t> columns{order_[rank_ + k]};
        for (std::size_t i = 0; i < rank_; ++i)
            if (std::abs(z[i]) > 1e-6) columns.push_back(order_[i]);
        std::sort(columns.begin(), columns.end());
        return columns;
    }

private:
    double& a(std::size_t i, std::size_t j) { return a_[i * n_ + j]; }
    double a(std::size_t i, std::size_t j) const { return a_[i * n_ + j]; }

    void factorize(double tolerance) {
        std::vector<double> left(n_);  // squared distances from the columns before
        for (std::size_t k = 0; k < m_; ++k) {
            std::fill(left.begin(), left.end(), 0.0);
            for (std::size_t i = k; i < m_; ++i)
                for (std::size_t j = k; j < n_; ++j) left[j] += a(i, j) * a(i, j);
            const auto first = left.begin() + static_cast<std::ptrdiff_t>(k);
            const auto best = static_cast<std::size_t>(std::max_element(first, left.end()) - left.begin());
            if (!(std::sqrt(left[best]) > tolerance)) break;
            if (best != k) {
                for (std::size_t i = 0; i < m_; ++i) std::swap(a(i, k), a(i, best));
                std::swap(order_[k], order_[best]);
            }
            const auto h = detail::reflection::of(a(k, k), k + 1 < m_ ? &a(k + 1, k) : nullptr, m_ - k - 1, n_);
            a(k, k) = h.length;
            ++rank_;
            if (h.factor == 0) continue;
            std::vector<double> sums(a_.begin() + static_cast<std::ptrdiff_t>(k * n_ + k + 1),
                                     a_.begin() + static_cast<std::ptrdiff_t>((k + 1) * n_));
            double of_b = b_[k];
            for (std::size_t i = k + 1; i < m_; ++i) {
                for (std::size_t j = k + 1; j < n_; ++j) sums[j - k - 1] += a(i, k) * a(i, j);
                of_b += a(i, k) * b_[i];
            }
            for (std::size_t j = k + 1; j < n_; ++j) a(k, j) -= h.factor * sums[j - k - 1];
            b_[k] -= h.factor * of_b;
            for (std::size_t i = k + 1; i < m_; ++i) {
                for (std::size_t j = k + 1; j < n_; ++j) a(i, j) -= a(i, k) * h.factor * sums[j - k - 1];
                b_[i] -= a(i, k) * h.factor * of_b;
                a(i, k) = 0;
            }
        }
        estimate();
    }

    void estimate() {
        double of_matrix = 0, of_inverse = 0;
        std::vector<double> column;
        for (std::size_t j = 0; j < rank_; ++j) {
            double sum = 0, inverse = 0;
            column.assign(j + 1, 0.0);
            column[j] = 1;
            for (std::size_t i = j + 1; i-- > 0;) {
                for (std::size_t k = i + 1; k <= j; ++k) column[i] -= a(i, k) * column[k];
                column[i] /= a(i, i);
                sum += std::abs(a(i, j));
                inverse += std::abs(column[i]);
            }
            of_matrix = std::max(of_matrix, sum);
            of_inverse = std::max(of_inverse, inverse);
        }
        condition_ = rank_ == 0 ? 1 : of_matrix * of_inverse;
    }

    /// z = R^-1 z on the columns that the rank counts.
    void back(std::vector<double>& z) const {
        for (std::size_t i = rank_; i-- > 0;) {
            for (std::size_t k = i + 1; k < rank_; ++k) z[i] -= a(i, k) * z[k];
            z[i] /= a(i, i);
        }
    }

    std::vector<double> in_place(const std::vector<double>& z) const {
        std::vector<double> w(n_);
        for (std::size_t i = 0; i < rank_; ++i) w[order_[i]] = z[i] / units_[order_[i]];
        return w;
    }

    /// Adds what A does not see so that |w| becomes least: the residual of w after least squares on a basis of A's null space.
    void shorten(std::vector<double>& w) const {
        const std::size_t free = n_ - rank_;
        std::vector<double> basis(n_ * (free + 1)), z(rank_);
        for (std::size_t f = 0; f < free; ++f) {
            for (std::size_t i = 0; i < rank_; ++i) z[i] = -a(i, rank_ + f);
            back(z);
            std::vector<double> column = in_place(z);
            const std::size_t own = order_[rank_ + f];
            column[own] = 1 / units_[own];
            double largest = 0;
            for (const double x : column) largest = std::max(largest, std::abs(x));
            for (std::size_t j = 0; j < n_; ++j) basis[j * (free + 1) + f] = column[j] / largest;
        }
        for (std::size_t j = 0; j < n_; ++j) basis[j * (free + 1) + free] = w[j];
        std::vector<double> spent = basis;
        orthogonal_factor r(free + 1);
        r.add(spent.data(), n_);
        const std::vector<double> along = least_squares_factor(r).solution();
        for (std::size_t j = 0; j < n_; ++j)
            for (std::size_t f = 0; f < free; ++f) w[j] -= basis[j * (free + 1) + f] * along[f];
    }

    std::size_t n_, m_, rank_ = 0;
    std::vector<double> a_, b_, units_;
    std::vector<std::size_t> order_;
    double condition_ = 1;
    bool finite_ = true;
};

}  // namespace gamut::backend
