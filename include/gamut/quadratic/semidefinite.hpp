// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace gamut::quadratic {

/// A = L L' of a small symmetric matrix, positive semidefinite: what depends linearly on earlier rows is left out, its unknowns
/// are 0. n^3/3 operations in a fixed order, n^2 numbers; solve(x), x = A^-1 x, takes 2 n^2 more. A row counts as dependent where what
/// earlier rows leave of its diagonal is not above 1e-13 of it.
class semidefinite {
public:
    semidefinite() = default;
    /// A: n x n, row-major; the lower triangle is read.
    semidefinite(std::vector<double> a, std::size_t n) : l_(std::move(a)), n_(n) {
        for (std::size_t j = 0; j < n; ++j) {
            double* const row = l_.data() + j * n;
            const double whole = row[j];
            for (std::size_t k = 0; k < j; ++k) {
                const double* const other = l_.data() + k * n;
                double sum = row[k];
                for (std::size_t i = 0; i < k; ++i) sum -= row[i] * other[i];
                row[k] = other[k] > 0 ? sum / other[k] : 0;
            }
            double pivot = whole;
            for (std::size_t k = 0; k < j; ++k) pivot -= row[k] * row[k];
            row[j] = pivot > 1e-13 * whole ? std::sqrt(pivot) : 0;
        }
    }

    std::size_t size() const { return n_; }
    bool left_out(std::size_t j) const { return !(l_[j * n_ + j] > 0); }

    /// x = A^-1 x.
    void solve(std::span<double> x) const {
        for (std::size_t j = 0; j < n_; ++j) {
            const double* const row = l_.data() + j * n_;
            double sum = x[j];
            for (std::size_t k = 0; k < j; ++k) sum -= row[k] * x[k];
            x[j] = row[j] > 0 ? sum / row[j] : 0;
        }
        for (std::size_t j = n_; j-- > 0;) {
            const double* const row = l_.data() + j * n_;
            x[j] = row[j] > 0 ? x[j] / row[j] : 0;
            for (std::size_t k = 0; k < j; ++k) x[k] -= row[k] * x[j];
        }
    }

    /// The sum of the diagonal of A^-1, at least 1 / its least eigenvalue; infinite if a row was left out. n^3/6 operations.
    double inverse_trace() const {
        double sum = 0;
        std::vector<double> x(n_);
        for (std::size_t j = 0; j < n_; ++j) {  // column j of L^-1
            if (left_out(j)) return std::numeric_limits<double>::infinity();
            for (std::size_t i = j; i < n_; ++i) {
                const double* const row = l_.data() + i * n_;
                x[i] = i == j ? 1 : 0;
                for (std::size_t k = j; k < i; ++k) x[i] -= row[k] * x[k];
                x[i] /= row[i];
                sum += x[i] * x[i];
            }
        }
        return sum;
    }

private:
    std::vector<double> l_;
    std::size_t n_ = 0;
};

}  // namespace gamut::quadratic
