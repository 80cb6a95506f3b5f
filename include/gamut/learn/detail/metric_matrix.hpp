// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/learn/detail/kept.hpp>
#include <gamut/learn/detail/pairs.hpp>
#include <gamut/learn/detail/shards.hpp>
#include <gamut/quadratic/semidefinite.hpp>

namespace gamut::learn::detail {

/// minimise  <A, M> + lambda sum over different pairs of w max(0, 1 - d'Md)  over symmetric M without eigenvalues below 0, by the
/// alternating direction method of multipliers (Boyd et al. 2011) on  z = d'Md for each pair, and Z = M:
///     M = argmin <A, M> + rho/2 sum (d'Md - z + u)^2 + sigma/2 |M - Z + U|^2     one system, factored once
///     z = prox of the hinge at d'Md + u                                       Z = M + U without its negative eigenvalues
///     u += d'Md - z                                                           U += M - Z
/// Matrices are vectors of s = p (p + 1) / 2 numbers, off the diagonal times sqrt(2), so that <A, M> = a'm. Differences are in units of
/// their root mean square.
template <communicator::Communicator C> class metric_matrix {
public:
    metric_matrix(const shards<C>& by, const row_pairs& pairs, double lambda)
        : by_(by),
          pairs_(pairs),
          p_(pairs.columns()),
          s_(p_ * (p_ + 1) / 2),
          lambda_(lambda),
          z_(pairs.count()),
          u_(pairs.count()),
          m_(s_),
          positive_(s_),
          dual_(s_) {
        std::vector<double> totals(3 + s_);
        sum(totals, [&](std::size_t k, const double* d, double* partial) {
            double square = 0;
            for (std::size_t j = 0; j < p_; ++j) square += d[j] * d[j];
            partial[0] += square;
            partial[1] += 1;
            partial[2] += pairs_[k].similar ? 0 : 1;
            if (pairs_[k].similar) add(d, pairs_[k].weight, partial + 3);
        });
        unit_ = totals[0] > 0 ? totals[0] / totals[1] : 1;
        a_.assign(totals.begin() + 3, totals.end());
        for (double& v : a_) v /= unit_;
        std::vector<double> gram(s_ * s_ + 1);
        sum(gram, [&](std::size_t k, const double* d, double* partial) {
            if (pairs_[k].similar) return;
            std::vector<double> q(s_);
            add(d, 1 / unit_, q.data());
            for (std::size_t i = 0; i < s_; ++i)
                for (std::size_t j = 0; j <= i; ++j) partial[i * s_ + j] += q[i] * q[j];
        });
        gram.pop_back();
        double trace = 0;
        for (std::size_t i = 0; i < s_; ++i) trace += gram[i * s_ + i];
        rho_ = std::max(lambda_, 1e-3);
        sigma_ = rho_ * std::max(trace / static_cast<double>(s_), 1.0);
        for (std::size_t i = 0; i < s_; ++i)
            for (std::size_t j = 0; j <= i; ++j) gram[i * s_ + j] = rho_ * gram[i * s_ + j] + (i == j ? sigma_ : 0);
        system_ = quadratic::semidefinite(std::move(gram), s_);
        for (std::size_t i = 0, k = 0; i < p_; ++i)
            for (std::size_t j = 0; j <= i; ++j, ++k) m_[k] = positive_[k] = i == j ? 1 : 0;
    }

    /// What must outlive an interruption (solver/state.hpp); pairs lie with the shards of their first rows.
    template <class Each> void describe(Each& each) {
        const kept_blocks<C> shards{by_.ranks(), by_.mine().begin, by_.mine().end, by_.count()};
        const auto of_shard = [&](std::size_t shard) { return pairs_.of_shard(shard); };
        keep_parts(each, "z", shards, of_shard, z_);
        keep_parts(each, "u", shards, of_shard, u_);
        keep_numbers(each, "matrix", m_);
        keep_numbers(each, "positive", positive_);
        keep_numbers(each, "dual", dual_);
    }

    /// One iteration; returns the objective at Z before it, and how far the copies are from each other and from where they were.
    std::pair<double, double> step() {
        std::vector<double> totals(s_ + 3);
        sum(totals, [&](std::size_t k, const double* d, double* partial) {
            if (pairs_[k].similar) return;
            const double along = product(m_, d), weight = lambda_ * pairs_[k].weight;
            const double v = along + u_[k];
            const double z = v >= 1 ? v : std::min(1.0, v + weight / rho_);
            u_[k] += along - z;
            partial[s_] += weight * std::max(0.0, 1 - product(positive_, d));
            partial[s_ + 1] += (along - z) * (along - z);
            partial[s_ + 2] += 1;
            z_[k] = z;
            add(d, rho_ * (z - u_[k]) / unit_, partial);
        });
        double objective = totals[s_];
        for (std::size_t k = 0; k < s_; ++k) objective += a_[k] * positive_[k];
        std::vector<double> right(s_);
        for (std::size_t k = 0; k < s_; ++k) right[k] = totals[k] + sigma_ * (positive_[k] - dual_[k]) - a_[k];
        system_.solve(right);
        m_ = right;
        std::vector<double> next(s_);
        for (std::size_t k = 0; k < s_; ++k) next[k] = m_[k] + dual_[k];
        next = without_negative(next);
        double apart = 0, moved = 0, size = 1e-300;
        for (std::size_t k = 0; k < s_; ++k) {
            dual_[k] += m_[k] - next[k];
            apart += (m_[k] - next[k]) * (m_[k] - next[k]);
            moved += (positive_[k] - next[k]) * (positive_[k] - next[k]);
            size += next[k] * next[k];
        }
        positive_ = std::move(next);
        const double of_pairs = totals[s_ + 2] > 0 ? std::sqrt(totals[s_ + 1] / totals[s_ + 2]) : 0;
        return {objective, std::max(of_pairs, std::sqrt(std::max(apart, moved) / size))};
    }

    /// Rows l with sum l l' = Z, in the units of the columns; at least one. p numbers each.
    std::vector<double> factor() const {
        std::vector<double> full = matrix_of(positive_), values(p_), rows;
        if (!backend::host<double>::eigen(p_, full.data(), values.data())) return {};
        for (std::size_t k = p_; k-- > 0;) {
            if (k + 1 < p_ && !(values[k] > 1e-9 * values[p_ - 1])) break;
            const double root = std::sqrt(std::max(0.0, values[k]) / unit_);
            for (std::size_t j = 0; j < p_; ++j) rows.push_back(root * full[k * p_ + j]);
        }
        return rows;
    }

private:
    template <class Add> void sum(std::vector<double>& totals, Add&& add_pair) {
        by_.sum(totals, [&](std::size_t shard, data::range, std::size_t, double* partial) {
            std::vector<double> d(p_);
            const data::range mine = pairs_.of_shard(shard);
            for (std::size_t k = mine.begin; k < mine.end; ++k) {
                pairs_.difference(k, d.data());
                add_pair(k, d.data(), partial);
            }
        });
    }
    /// to += w d d' as a vector
    void add(const double* d, double w, double* to) const {
        for (std::size_t i = 0; i < p_; ++i) {
            for (std::size_t j = 0; j < i; ++j) *to++ += root2 * w * d[i] * d[j];
            *to++ += w * d[i] * d[i];
        }
    }
    /// d'Md in units
    double product(const std::vector<double>& m, const double* d) const {
        double total = 0;
        const double* v = m.data();
        for (std::size_t i = 0; i < p_; ++i) {
            double row = 0;
            for (std::size_t j = 0; j < i; ++j) row += root2 * *v++ * d[j];
            total += d[i] * (row + *v++ * d[i]);
        }
        return total / unit_;
    }
    std::vector<double> matrix_of(const std::vector<double>& m) const {
        std::vector<double> full(p_ * p_);
        for (std::size_t i = 0, k = 0; i < p_; ++i)
            for (std::size_t j = 0; j <= i; ++j, ++k)
                full[i * p_ + j] = full[j * p_ + i] = i == j ? m[k] : m[k] / root2;
        return full;
    }
    std::vector<double> without_negative(const std::vector<double>& m) const {
        std::vector<double> full = matrix_of(m), values(p_), out(s_);
        if (!backend::host<double>::eigen(p_, full.data(), values.data()))
            return m;  // not finite: the objective says so
        for (std::size_t e = 0; e < p_; ++e)
            if (values[e] > 0) add(full.data() + e * p_, values[e], out.data());
        return out;
    }

    static constexpr double root2 = 1.4142135623730951;
    const shards<C>& by_;
    const row_pairs& pairs_;
    std::size_t p_, s_;
    double lambda_, unit_ = 1, rho_ = 1, sigma_ = 1;
    std::vector<double> z_, u_, a_, m_, positive_, dual_;
    quadratic::semidefinite system_;
};

}  // namespace gamut::learn::detail
