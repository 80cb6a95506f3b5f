// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include <gamut/backend/gram.hpp>

namespace gamut::quadratic {

/// Weights that are updated together: entries begin <= j < end, of a part; free: not penalised.
struct unit {
    std::size_t begin = 0, end = 0, part = 0;
    bool free = false;
    double curvature = 0;  ///< at least the largest eigenvalue of H over these entries
};

/// |B^16|_F^(1/16) >= the largest eigenvalue of a positive semidefinite n x n block B of H, and at most n^(1/32) times it: four squarings,
/// 4 n^3. For n > 64 the least of |B|_F and the largest sum of a row, n^2.
inline double largest_eigenvalue(const double* h, std::size_t stride, std::size_t n) {
    if (n == 1) return h[0];
    double frobenius = 0, rows = 0;
    for (std::size_t i = 0; i < n; ++i) {
        double row = 0;
        for (std::size_t j = 0; j < n; ++j) {
            frobenius += h[i * stride + j] * h[i * stride + j];
            row += std::abs(h[i * stride + j]);
        }
        rows = std::max(rows, row);
    }
    frobenius = std::sqrt(frobenius);
    if (n > 64 || !(frobenius > 0)) return std::min(frobenius, rows);
    std::vector<double> b(n * n), square(n * n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) b[i * n + j] = h[i * stride + j] / frobenius;
    double bound = frobenius, power = 1;
    for (int k = 0; k < 4; ++k) {
        double norm = 0;
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < n; ++j) {
                double sum = 0;
                for (std::size_t l = 0; l < n; ++l) sum += b[i * n + l] * b[l * n + j];
                square[i * n + j] = sum;
                norm += sum * sum;
            }
        norm = std::sqrt(norm);
        power *= 2;
        if (!(norm > 0)) return frobenius;
        bound *= std::pow(norm, 1 / power);
        for (std::size_t i = 0; i < n * n; ++i) b[i] = square[i] / norm;
    }
    return bound * (1 + 1e-12);
}

/// min over v of  slope'(v - v0) + 1/2 (v - v0)'H(v - v0) + penalty(v), all of it in memory, by cyclic coordinate descent with
/// Anderson extrapolation: of the last `memory` epochs' points the affine combination whose change is least, where the
/// objective is lower there. An epoch costs d for weights that stay 0, and d more for each that changes.
/// Bertrand and Massias, Anderson acceleration of coordinate descent, AISTATS 2021.
template <class Parts> class descent {
public:
    /// h: d rows of d numbers, `stride` apart; v: where to start, and the result; slope: at v, kept up to date.
    descent(const Parts& parts, const double* h, std::size_t stride, std::span<const unit> units, std::size_t memory)
        : parts_(parts),
          h_(h),
          stride_(stride),
          units_(units),
          memory_(memory) {}

    /// Until no weight violates its optimality condition by more than `tolerance`, in units of the slope. Returns epochs.
    std::size_t minimize(std::span<double> v, std::span<double> slope, double tolerance, std::size_t most_epochs) {
        const std::size_t d = v.size();
        start_.assign(v.begin(), v.end());
        first_slope_.assign(slope.begin(), slope.end());
        points_.assign((memory_ + 1) * d, 0.0);
        slopes_.assign((memory_ + 1) * d, 0.0);
        std::size_t stored = 0, epoch = 0;
        while (epoch < most_epochs) {
            if (memory_ > 1) {
                std::copy(v.begin(), v.end(), points_.begin() + static_cast<std::ptrdiff_t>(stored * d));
                std::copy(slope.begin(), slope.end(), slopes_.begin() + static_cast<std::ptrdiff_t>(stored * d));
                if (stored == memory_) {
                    extrapolate(v, slope);
                    stored = 0;
                    std::copy(v.begin(), v.end(), points_.begin());
                    std::copy(slope.begin(), slope.end(), slopes_.begin());
                }
                ++stored;
            }
            ++epoch;
            const double largest = descend(v, slope);
            if (!(largest > tolerance)) break;
        }
        return epoch;
    }

private:
    /// One epoch; the largest violation met.
    double descend(std::span<double> v, std::span<double> slope) {
        double largest = 0;
        for (const unit& u : units_) {
            if (!(u.curvature > 0)) continue;
            if (u.end - u.begin == 1) {
                const std::size_t j = u.begin;
                double next = v[j] - slope[j] / u.curvature;
                if (!u.free) parts_.prox(u.part, {&next, 1}, 1 / u.curvature, {&next, 1});
                if (next == v[j]) continue;
                largest = std::max(largest, u.curvature * std::abs(next - v[j]));
                move(v, slope, j, next);
            } else {
                const std::size_t n = u.end - u.begin;
                next_.resize(n);
                for (std::size_t j = 0; j < n; ++j) next_[j] = v[u.begin + j] - slope[u.begin + j] / u.curvature;
                parts_.prox(u.part, next_, 1 / u.curvature, next_);
                double change = 0;
                for (std::size_t j = 0; j < n; ++j) {
                    const double step = next_[j] - v[u.begin + j];
                    change += step * step;
                }
                if (change == 0) continue;
                largest = std::max(largest, u.curvature * std::sqrt(change));
                for (std::size_t j = 0; j < n; ++j)
                    if (next_[j] != v[u.begin + j]) move(v, slope, u.begin + j, next_[j]);
            }
        }
        return largest;
    }

    void move(std::span<double> v, std::span<double> slope, std::size_t j, double to) const {
        backend::add_multiple(to - v[j], h_ + j * stride_, slope.data(), slope.size());
        v[j] = to;
    }

    double objective(std::span<const double> v, std::span<const double> slope) const {
        double sum = 0;
        for (std::size_t j = 0; j < v.size(); ++j) sum += 0.5 * (slope[j] + first_slope_[j]) * (v[j] - start_[j]);
        for (const unit& u : units_)
            if (!u.free) sum += parts_.value(u.part, v.subspan(u.begin, u.end - u.begin));
        return sum;
    }

    void extrapolate(std::span<double> v, std::span<double> slope) {
        const std::size_t d = v.size(), m = memory_;
        std::vector<double> gram(m * m), c(m, 1.0);
        double trace = 0;
        for (std::size_t a = 0; a < m; ++a)
            for (std::size_t b = 0; b <= a; ++b) {
                double sum = 0;
                for (std::size_t j = 0; j < d; ++j)
                    sum += (points_[(a + 1) * d + j] - points_[a * d + j]) *
                           (points_[(b + 1) * d + j] - points_[b * d + j]);
                gram[a * m + b] = sum;
                if (a == b) trace += sum;
            }
        if (!(trace > 0)) return;
        for (std::size_t a = 0; a < m; ++a) {  // Cholesky of gram + a little, and the solution of gram c = 1
            for (std::size_t b = 0; b <= a; ++b) {
                double sum = gram[a * m + b] + (a == b ? 1e-12 * trace : 0.0);
                for (std::size_t k = 0; k < b; ++k) sum -= gram[a * m + k] * gram[b * m + k];
                if (a == b && !(sum > 0)) return;
                gram[a * m + b] = a == b ? std::sqrt(sum) : sum / gram[b * m + b];
            }
            for (std::size_t k = 0; k < a; ++k) c[a] -= gram[a * m + k] * c[k];
            c[a] /= gram[a * m + a];
        }
        double total = 0;
        for (std::size_t a = m; a-- > 0;) {
            for (std::size_t k = a + 1; k < m; ++k) c[a] -= gram[k * m + a] * c[k];
            c[a] /= gram[a * m + a];
            total += c[a];
        }
        if (!(std::abs(total) > 0) || !std::isfinite(1 / total)) return;
        point_.assign(d, 0.0);
        point_slope_.assign(d, 0.0);
        for (std::size_t a = 0; a < m; ++a) {
            backend::add_multiple(c[a] / total, points_.data() + (a + 1) * d, point_.data(), d);
            backend::add_multiple(c[a] / total, slopes_.data() + (a + 1) * d, point_slope_.data(), d);
        }
        if (objective(point_, point_slope_) < objective(v, slope)) {
            std::copy(point_.begin(), point_.end(), v.begin());
            std::copy(point_slope_.begin(), point_slope_.end(), slope.begin());
        }
    }

    const Parts& parts_;
    const double* h_;
    std::size_t stride_;
    std::span<const unit> units_;
    std::size_t memory_;
    std::vector<double> start_, first_slope_, points_, slopes_, point_, point_slope_, next_;
};

}  // namespace gamut::quadratic
