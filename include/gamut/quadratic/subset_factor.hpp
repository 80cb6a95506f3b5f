// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <gamut/backend/orthogonal_factor.hpp>

namespace gamut::quadratic {

/// What rounding may hide of an objective f >= 0, or of a bound of it: the exact one is no less than
///   min(f - added, (root(f) - distance)^2).
struct rounding_error {
    double added = 0, distance = 0;

    double below(double f) const {
        const double root = std::max(0.0, std::sqrt(std::max(f, 0.0)) - distance);
        return std::min(f - added, distance > 0 ? root * root : f);
    }
    rounding_error worst(const rounding_error& other) const {
        return {std::max(added, other.added), std::max(distance, other.distance)};
    }
};

/// Least squares on subsets of columns,  min over w of |A w - b|^2 / (2 Omega),  from the triangle R of [ A | b ]: as accurate as the
/// rows are, where a Gram matrix has lost twice as many digits. A subset of a columns costs 4 a^2 m / 3 operations for m columns in all.
/// Furnival and Wilson, Regressions by leaps and bounds, Technometrics 16 (1974).
class subset_factor {
public:
    /// R of [ A | b ], or with `intercept` of [ A | ones | b ]: the ones are projected out. weight: Omega.
    subset_factor(const backend::orthogonal_factor& r, bool intercept, double weight)
        : columns_(r.columns() - 1 - (intercept ? 1 : 0)),
          weight_(weight),
          without_(columns_ + 1) {
        const std::size_t width = r.columns(), rows = r.rows(), shift = intercept ? 1 : 0;
        std::vector<double> turned(rows * width);  // the ones first
        for (std::size_t i = 0; i < rows; ++i) {
            const double* from = r.row(i);
            double* to = turned.data() + i * width;
            if (intercept) to[0] = from[columns_];
            std::copy_n(from, columns_, to + shift);
            to[width - 1] = from[width - 1];
        }
        backend::orthogonal_factor again(width);
        again.add(turned.data(), rows);
        rows_ = again.rows() > shift ? again.rows() - shift : 0;
        values_.resize(rows_ * without_);
        for (std::size_t i = 0; i < rows_; ++i)
            std::copy_n(again.row(i + shift) + shift, without_, values_.data() + i * without_);
        lengths_.resize(without_);
        for (std::size_t j = 0; j < without_; ++j) {
            double squares = 0;
            for (std::size_t i = 0; i < rows_; ++i) squares += values_[i * without_ + j] * values_[i * without_ + j];
            lengths_[j] = std::sqrt(squares);
        }
    }

    bool is_zero(std::size_t column) const { return lengths_[column] == 0; }

    struct fit {
        double objective = 0;
        std::vector<double> weights,
            cost;  ///< of the columns asked for; what leaving out each one adds to the objective
    };

    /// live: columns, ascending. Of columns that others make up to rounding the weight is 0, and leaving out any costs nothing.
    fit on(std::span<const std::size_t> live) const {
        const std::size_t a = live.size(), width = a + 1;
        std::vector<double> block(rows_ * width);
        for (std::size_t i = 0; i < rows_; ++i) {
            for (std::size_t k = 0; k < a; ++k) block[i * width + k] = values_[i * without_ + live[k]];
            block[i * width + a] = values_[i * without_ + columns_];
        }
        backend::orthogonal_factor r(width);
        r.add(block.data(), rows_);
        const std::size_t m = std::min(r.rows(), a);
        fit found{0, std::vector<double>(a), std::vector<double>(a)};
        if (r.rows() > a) found.objective = 0.5 * r.row(a)[a] * r.row(a)[a] / weight_;
        bool independent = m == a;
        for (std::size_t i = m; i-- > 0;) {
            if (std::abs(r.row(i)[i]) <= 8 * static_cast<double>(width) * epsilon * lengths_[live[i]]) {
                independent = false;
                continue;
            }
            double sum = r.row(i)[a];
            for (std::size_t k = i + 1; k < m; ++k) sum -= r.row(i)[k] * found.weights[k];
            found.weights[i] = sum / r.row(i)[i];
        }
        if (!independent) return found;
        const std::vector<double> squares = row_squares_of_inverse(r, a);
        for (std::size_t j = 0; j < a; ++j)
            found.cost[j] = 0.5 * found.weights[j] * found.weights[j] / squares[j] / weight_;
        return found;
    }

    /// r |b| (1 + root(m) |inverse|), over root(2 Omega), of m columns at length 1 that are not 0: what is computed of a subset belongs to columns that
    /// are off by r of their length (Higham, Accuracy and Stability of Numerical Algorithms, theorem 20.3), and |A w - b| changes by no
    /// more than r (|b| + sum of |A_j| |w_j|); the minimisers w of all subsets are bounded by |b| |inverse of all columns|. r is
    /// 16 + root(rows) + root(m) roundings, which those that don't conspire stay below.
    rounding_error rounding(std::size_t rows) const {
        std::vector<std::size_t> used;
        for (std::size_t j = 0; j < columns_; ++j)
            if (!is_zero(j)) used.push_back(j);
        const std::size_t m = used.size();
        backend::orthogonal_factor r(m);
        std::vector<double> block(rows_ * m);
        for (std::size_t i = 0; i < rows_; ++i)
            for (std::size_t k = 0; k < m; ++k) block[i * m + k] = values_[i * without_ + used[k]] / lengths_[used[k]];
        r.add(block.data(), rows_);
        const auto width = static_cast<double>(m);
        const double entry = epsilon * (16 + std::sqrt(static_cast<double>(rows)) + std::sqrt(width));
        double squares = 0;
        if (r.rows() == m)
            for (const double x : row_squares_of_inverse(r, m)) squares += x;
        if (r.rows() < m || !(squares < std::numeric_limits<double>::infinity()))
            squares = std::numeric_limits<double>::infinity();
        return {0, entry * lengths_[columns_] * (1 + std::sqrt(width * squares)) / std::sqrt(2 * weight_)};
    }

private:
    static constexpr double epsilon = std::numeric_limits<double>::epsilon();

    /// |row j of the inverse of R|^2, which is (A'A)^-1_jj.
    static std::vector<double> row_squares_of_inverse(const backend::orthogonal_factor& r, std::size_t a) {
        std::vector<double> squares(a), column(a);
        for (std::size_t j = 0; j < a; ++j) {
            std::fill(column.begin(), column.end(), 0.0);
            column[j] = 1;
            for (std::size_t i = j + 1; i-- > 0;) {
                for (std::size_t k = i + 1; k <= j; ++k) column[i] -= r.row(i)[k] * column[k];
                column[i] /= r.row(i)[i];
                squares[i] += column[i] * column[i];
            }
        }
        return squares;
    }

    std::size_t columns_, rows_ = 0;
    double weight_;
    std::size_t without_;  // numbers in a row: the columns and b, without the ones
    std::vector<double> values_, lengths_;
};

}  // namespace gamut::quadratic
