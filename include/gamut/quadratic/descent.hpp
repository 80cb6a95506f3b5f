// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include <gamut/backend/gram.hpp>
#include <gamut/penalty/concept.hpp>
#include <gamut/penalty/elastic_net.hpp>
#include <gamut/penalty/group.hpp>
#include <gamut/penalty/l1.hpp>

namespace gamut::quadratic {

/// How coordinate descent sees a penalty: parts, each of some consecutive features with all their outputs, and the prox and the
/// thresholds of a part alone. Of a separable penalty every feature is a part.
template <class Penalty> class parts_of {
public:
    static constexpr bool whole = false;  ///< the weights of a part are updated one by one

    parts_of(const Penalty& p, penalty::layout shape) : p_(p), shape_(shape) {}

    std::size_t size() const { return shape_.features; }
    std::size_t begin(std::size_t part) const { return part; }  // features
    std::size_t end(std::size_t part) const { return part + 1; }

    double value(std::size_t, std::span<const double> w) const {
        double sum = 0;
        for (const double x : w) sum += p_.value(x);
        return sum;
    }
    void prox(std::size_t, std::span<const double> v, double step, std::span<double> out) const {
        for (std::size_t j = 0; j < v.size(); ++j) out[j] = p_.prox(v[j], step);
    }
    /// The length of the least step that a slope makes at 0, over the step: 0 where 0 is optimal.
    double excess(std::size_t, std::span<const double> slope) const {
        double largest = 0;
        for (const double s : slope) largest = std::max(largest, std::abs(p_.prox(-tiny * s, tiny)) / tiny);
        return largest;
    }
    /// Parts with the largest come first into the working set.
    double score(std::size_t, std::span<const double> slope) const {
        double largest = 0;
        for (const double s : slope) largest = std::max(largest, std::abs(s));
        return largest;
    }

    /// Convex penalties: theirs is `l2/2 |w|^2` and a norm; the largest t <= 1 such that no excess of t slope is above 0.
    static constexpr bool has_norm =
        std::is_same_v<Penalty, penalty::l1> || std::is_same_v<Penalty, penalty::elastic_net>;
    double ridge() const {
        if constexpr (requires { p_.l2; })
            return p_.l2;
        else
            return 0;
    }
    double threshold() const {
        if constexpr (requires { p_.l1; })
            return p_.l1;
        else
            return p_.strength;
    }
    double feasible(std::size_t part, std::span<const double> slope) const {
        const double largest = score(part, slope);
        return largest > threshold() ? threshold() / largest : 1.0;
    }

private:
    static constexpr double tiny = 0x1p-20;
    const Penalty& p_;
    penalty::layout shape_;
};

template <> class parts_of<penalty::group> {
public:
    static constexpr bool whole = true;
    static constexpr bool has_norm = true;

    parts_of(const penalty::group& p, penalty::layout shape) : p_(p), begins_(1, 0) {
        for (std::size_t g = 0; g < p.groups(shape); ++g) begins_.push_back(begins_.back() + p.size(g));
    }

    std::size_t size() const { return begins_.size() - 1; }
    std::size_t begin(std::size_t part) const { return begins_[part]; }
    std::size_t end(std::size_t part) const { return begins_[part + 1]; }

    double value(std::size_t part, std::span<const double> w) const { return p_.value_of(part, w); }
    void prox(std::size_t part, std::span<const double> v, double step, std::span<double> out) const {
        p_.prox_of(part, v, step, out);
    }
    double excess(std::size_t part, std::span<const double> slope) const {
        return std::max(0.0, length_above(slope, 1.0) - p_.strength * p_.weight(part));
    }
    double score(std::size_t part, std::span<const double> slope) const {
        const double weight = p_.weight(part);
        return length_above(slope, 1.0) / (weight > 0 ? weight : 1e-300);
    }
    double ridge() const { return 0; }
    double threshold() const { return p_.strength + p_.l1; }
    double feasible(std::size_t part, std::span<const double> slope) const {
        const double limit = p_.strength * p_.weight(part);
        if (length_above(slope, 1.0) <= limit) return 1;
        double low = 0, high = 1;
        if (p_.l1 == 0) return limit / length_above(slope, 1.0);
        for (int i = 0; i < 60; ++i) {
            const double middle = 0.5 * (low + high);
            (length_above(slope, middle) <= limit ? low : high) = middle;
        }
        return low;
    }

private:
    // |soft(t slope, l1)|
    double length_above(std::span<const double> slope, double t) const {
        double sum = 0;
        for (const double s : slope) {
            const double above = std::max(0.0, std::abs(t * s) - p_.l1);
            sum += above * above;
        }
        return std::sqrt(sum);
    }

    const penalty::group& p_;
    std::vector<std::size_t> begins_;
};

/// Weights that are updated together: entries begin <= j < end, of a part; free: not penalised.
struct unit {
    std::size_t begin = 0, end = 0, part = 0;
    bool free = false;
    double curvature = 0;  ///< at least the largest eigenvalue of H over these entries
};

/// An upper bound of the largest eigenvalue of a block of H: |B^16|_F^(1/16), at most n^(1/32) above it.
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
