// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/solver/certificate.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/detail/perspective.hpp>
#include <gamut/solver/detail/relaxed_quadratic.hpp>
#include <gamut/solver/detail/semidefinite.hpp>
#include <gamut/solver/polish.hpp>

/// What a search tree asks of a loss: the bound of a node, and the best weights on a support.
namespace gamut::solver::detail {

/// What is known of a node: no weights with its choices have an objective below `bound`.
struct relaxation {
    double bound = -std::numeric_limits<double>::infinity();
    std::vector<double> weights{};              ///< of the relaxed problem, intercepts last
    std::vector<double> score{};                ///< of each group: how much it speaks for being in
    std::vector<double> doubt{};                ///< of each group: how much there is to decide
    std::vector<double> lift_in{}, lift_out{};  ///< what deciding an open group adds to the bound
};

struct fit_on_support {
    double objective = std::numeric_limits<double>::infinity();
    std::vector<double> weights{};
};

/// Doubt, scores and lifts of a relaxation in perspective form.
inline void describe(const perspective& relaxed, const choices& c, std::span<const double> shares,
                     std::span<const double> gains, const perspective::selection& selected, relaxation& out) {
    const std::size_t groups = relaxed.groups();
    out.score.assign(groups, 0);
    out.doubt.assign(groups, 0);
    out.lift_in.assign(groups, 0);
    out.lift_out.assign(groups, 0);
    for (std::size_t g = 0; g < groups; ++g) {
        if (c.of[g] != choice::open) continue;
        for (std::size_t j = relaxed.first(g); j < relaxed.first(g + 1); ++j)
            out.score[g] += out.weights[j] * out.weights[j];
        out.doubt[g] = std::min(shares[g], 1 - shares[g]);
        const std::size_t m = relaxed.competition(g);
        if (selected.selected[g] != 0)
            out.lift_out[g] = std::max(gains[g] - selected.next[m], 0.0);
        else
            out.lift_in[g] = std::max(selected.last[m] - gains[g], 0.0);
    }
}

/// Least squares in terms of its Gram matrix: all in memory.
/// With l2 > 0 a node is bounded by its relaxation. With l2 = 0 by the sum of squares that all columns leave which are not
/// out; leaving out column j of them adds w_j^2 / (2 (M^-1)_jj), a group no less than any of its columns (Furnival and Wilson 1974,
/// leaps and bounds).
template <class P> class gram_nodes {
public:
    gram_nodes(const P& p, const perspective& relaxed) : relaxed_(relaxed) {
        const auto moments = p.moments();
        const std::size_t d = p.dimension();
        entries_ = relaxed.entries();
        intercepts_ = d - entries_;
        constant_ = moments.constant;
        m_ = {entries_, std::vector<double>(entries_ * entries_)};
        q_.resize(entries_);
        // the intercepts are eliminated: M - B C^-1 B'
        std::vector<double> inner(intercepts_ * intercepts_);
        for (std::size_t k = 0; k < intercepts_; ++k)
            for (std::size_t l = 0; l < intercepts_; ++l)
                inner[k * intercepts_ + l] = moments.gram(entries_ + k, entries_ + l);
        const semidefinite c(std::move(inner), intercepts_);
        std::vector<double> level(intercepts_);
        for (std::size_t k = 0; k < intercepts_; ++k) level[k] = moments.slope[entries_ + k];
        c.solve(level);
        for (std::size_t k = 0; k < intercepts_; ++k)
            constant_ -= 0.5 * level[k] * static_cast<double>(moments.slope[entries_ + k]);
        level_ = level;
        border_.assign(entries_ * intercepts_, 0);
        for (std::size_t i = 0; i < entries_; ++i) {
            std::vector<double> b(intercepts_);
            q_[i] = -static_cast<double>(moments.slope[i]);
            for (std::size_t k = 0; k < intercepts_; ++k) {
                b[k] = moments.gram(entries_ + k, i);
                q_[i] += b[k] * level[k];
            }
            c.solve(b);
            for (std::size_t k = 0; k < intercepts_; ++k) border_[i * intercepts_ + k] = b[k];
            for (std::size_t j = 0; j < entries_; ++j) {
                double entry = moments.gram(i, j);
                for (std::size_t k = 0; k < intercepts_; ++k)
                    entry -= b[k] * static_cast<double>(moments.gram(entries_ + k, j));
                m_.entries[i * entries_ + j] = entry;
            }
        }
        largest_ = m_.largest();
    }

    std::vector<double> start() const { return std::vector<double>(entries_); }

    relaxation relax(const choices& c, const std::vector<double>& start, double cutoff) const {
        if (relaxed_.l2() == 0) return superset(c);
        const auto enough = [&](double primal, double dual) {
            const double p = primal + constant_, d = dual + constant_ - noise({}, dual);
            return d >= cutoff || (p < cutoff && p - d <= 0.05 * (cutoff - d));
        };
        const auto s =
            relaxed_quadratic(m_, relaxed_, largest_)
                .minimize(c, q_,
                          std::vector<double>(start.begin(), start.begin() + static_cast<std::ptrdiff_t>(entries_)),
                          enough);
        relaxation out;
        out.bound = s.dual + constant_ - noise(s.w, s.dual);
        out.weights = s.w;
        describe(relaxed_, c, s.shares, s.gains, s.selected, out);
        return out;
    }

    /// All choices made.
    fit_on_support fit(const choices& c) const {
        fit_on_support out;
        if (relaxed_.l2() == 0) {
            out.weights = least_squares(c).first;
            out.objective = value(out.weights);
        } else {
            const auto s = relaxed_quadratic(m_, relaxed_, largest_)
                               .minimize(
                                   c, q_, std::vector<double>(entries_), [](double, double) { return false; }, 60);
            out.weights = s.w;
            out.objective = s.primal + constant_;
        }
        for (std::size_t k = 0; k < intercepts_; ++k) {
            double b = level_[k];
            for (std::size_t i = 0; i < entries_; ++i) b -= border_[i * intercepts_ + k] * out.weights[i];
            out.weights.push_back(b);
        }
        return out;
    }

    std::size_t own_passes() const { return 0; }

private:
    /// 64 units of rounding of y'y/2 and of what a bound is the difference of.
    double noise(std::span<const double> w, double dual) const {
        double sum = constant_ + std::abs(dual);
        for (std::size_t j = 0; j < w.size(); ++j) sum += std::abs(q_[j] * w[j]);
        return 64 * epsilon * sum;
    }

    double value(std::span<const double> w) const {
        std::vector<double> product;
        m_.multiply_add(w, q_, product);
        double sum = constant_;
        for (std::size_t j = 0; j < w.size(); ++j) sum += 0.5 * w[j] * (product[j] + q_[j]);
        return sum;
    }

    /// The best weights of what is not out, and what leaving out each of them costs (0 if columns depend on each other).
    std::pair<std::vector<double>, std::vector<double>> least_squares(const choices& c) const {
        std::vector<std::size_t> live;
        for (std::size_t j = 0; j < entries_; ++j)
            if (c.of[relaxed_.group_of(j)] != choice::out) live.push_back(j);
        const std::size_t a = live.size();
        std::vector<double> matrix(a * a), w(entries_), cost(relaxed_.groups()), x(a);
        for (std::size_t r = 0; r < a; ++r) {
            x[r] = -q_[live[r]];
            for (std::size_t s = 0; s <= r; ++s) matrix[r * a + s] = m_.row(live[r])[live[s]];
        }
        const semidefinite factor(std::move(matrix), a);
        factor.solve(x);
        bool independent = true;
        for (std::size_t r = 0; r < a; ++r) w[live[r]] = x[r], independent = independent && !factor.left_out(r);
        std::vector<double> unit(a);
        for (std::size_t r = 0; r < a && independent; ++r) {
            const std::size_t g = relaxed_.group_of(live[r]);
            if (c.of[g] != choice::open) continue;
            std::fill(unit.begin(), unit.end(), 0.0);
            unit[r] = 1;
            factor.solve(unit);
            if (unit[r] > 0) cost[g] = std::max(cost[g], 0.5 * x[r] * x[r] / unit[r]);
        }
        return {std::move(w), std::move(cost)};
    }

    relaxation superset(const choices& c) const {
        relaxation out;
        auto [w, cost] = least_squares(c);
        out.bound = value(w) - noise(w, 0);
        for (double& x : cost) x *= 1 - 1e-9;
        out.weights = std::move(w);
        out.lift_in.assign(relaxed_.groups(), 0);
        out.lift_out = cost;
        out.score = cost;
        out.doubt = std::move(cost);
        return out;
    }

    static constexpr double epsilon =
        static_cast<double>(std::numeric_limits<typename P::array::value_type>::epsilon());
    const perspective& relaxed_;
    std::size_t entries_ = 0, intercepts_ = 0;
    double constant_ = 0, largest_ = 0;
    symmetric m_;
    std::vector<double> q_, level_, border_;
};

/// Any convex loss: Newton steps on the relaxed problem, each one pass over the data and then all in memory. The second
/// derivatives are those of an earlier point as long as steps are good; renewed, they cost a pass and a sum of dimension()^2.
template <class P> class loss_nodes {
    using A = typename P::array;

public:
    loss_nodes(const P& p, const perspective& relaxed, const polish& polishing)
        : p_(p),
          relaxed_(relaxed),
          polishing_(polishing),
          d_(p.dimension()),
          entries_(relaxed.entries()),
          intercepts_(d_ - entries_),
          w_(d_),
          g_(d_) {
        const std::size_t outputs = p.layout().outputs;
        for (std::size_t k = 0; k < outputs; ++k)
            for (std::size_t j = k; j < d_; j += outputs) order_.push_back(j);
    }

    std::vector<double> start() const { return doubles(p_.start()); }

    relaxation relax(const choices& c, const std::vector<double>& start, double cutoff) {
        std::vector<double> x = start, shares;
        for (std::size_t j = 0; j < entries_; ++j)
            if (c.of[relaxed_.group_of(j)] == choice::out) x[j] = 0;
        double loss = evaluate(x);
        std::vector<double> gradient = gradient_;
        double primal = loss + relaxed_.value(c, weights_of(x), shares);
        if (hessian_.empty() || !std::isfinite(primal)) {
            if (!std::isfinite(primal)) {  // a start that is no point of this node
                std::fill(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(entries_), 0.0);
                loss = evaluate(x);
                gradient = gradient_;
                primal = loss + relaxed_.value(c, weights_of(x), shares);
            }
            renew(x);
        }
        relaxation best;
        std::vector<double> gains;
        perspective::selection selected;
        double last_gap = std::numeric_limits<double>::infinity();
        // a bound that holds: with the best intercepts for x, and the second derivative there
        const auto certify = [&] {
            set(w_, x);
            const plane below = centre(p_, relaxed_, w_);
            x = doubles(w_);
            auto chosen = relaxed_.select(c, below.gains);
            const double bound = below.bound(relaxed_, chosen);
            if (bound > best.bound || gains.empty())
                best.bound = bound, gains = below.gains, selected = std::move(chosen);
        };
        for (std::size_t round = 0; round < 100; ++round) {
            // as if the intercepts were the best: what certify() would come to, nearly
            relaxed_.gains(std::span<const double>(gradient).first(entries_), gains_);
            double dual = loss - relaxed_.select(c, gains_).worth;
            for (std::size_t j = 0; j < entries_; ++j) dual -= gradient[j] * x[j];
            std::vector<double> delta(intercepts_);
            for (std::size_t k = 0; k < intercepts_; ++k) delta[k] = -gradient[entries_ + k];
            inner_.solve(delta);
            double away = 0;
            for (std::size_t k = 0; k < intercepts_; ++k) away += std::abs(delta[k] * gradient[entries_ + k]);
            const double gap = std::max(primal - dual, 0.0) + away;
            if (dual >= cutoff && away <= 0.1 * (dual - cutoff)) {
                certify();
                if (best.bound >= cutoff) break;
            }
            if (!(gap > 1e-11 * std::abs(primal)) || (primal < cutoff && gap <= 0.3 * (cutoff - dual))) break;
            if (gap > 0.6 * last_gap && stale_) renew(x);
            last_gap = gap;

            const auto [next, promised] = step(c, x, gradient, gap);
            bool moved = false;
            std::vector<double> trial(d_);
            for (double t = 1; t > 1e-6 && !moved; t *= 0.5) {
                for (std::size_t j = 0; j < d_; ++j) trial[j] = x[j] + t * (next[j] - x[j]);
                const double there = evaluate(trial);
                const double value = there + relaxed_.value(c, weights_of(trial), shares);
                moved = value <= primal - 1e-4 * t * promised || promised <= 1e-12 * std::abs(primal);
                if (moved) {
                    loss = there, primal = value, gradient = gradient_;
                    if (trial != x) stale_ = true;
                } else if (stale_) {
                    break;
                }
            }
            if (moved)
                x = trial;
            else if (stale_)
                renew(x);
            else
                break;
        }
        if (!(best.bound >= cutoff)) certify();
        relaxed_.value(c, weights_of(x), shares);
        best.weights = std::move(x);
        describe(relaxed_, c, shares, gains, selected, best);
        return best;
    }

    /// All choices made: the best weights on what is in.
    fit_on_support fit(const choices& c) {
        std::vector<double> start(d_);
        for (std::size_t j = 0; j < entries_; ++j)
            if (c.of[relaxed_.group_of(j)] == choice::in) start[j] = 1e-30;  // names the support
        set(w_, start);
        const std::size_t before = p_.passes();
        const auto found = polishing_.improve(p_, w_);
        own_passes_ += found.passes - std::min(found.passes, p_.passes() - before);
        return {found.objective, doubles(found.weights)};
    }

    /// Passes that the problem did not count.
    std::size_t own_passes() { return std::exchange(own_passes_, 0); }

private:
    std::span<const double> weights_of(const std::vector<double>& x) const { return std::span(x).first(entries_); }

    double evaluate(const std::vector<double>& x) {
        set(w_, x);
        const double loss = p_.value_and_gradient(w_, g_);
        gradient_ = doubles(g_);
        return loss;
    }

    /// The second derivative at x, and the same without intercepts (they follow): M - B C^-1 B'.
    void renew(const std::vector<double>& x) {
        set(w_, x);
        const auto h = p_.second_derivatives(w_, order_);
        hessian_.resize(d_ * d_);
        for (std::size_t i = 0; i < d_; ++i)
            for (std::size_t j = 0; j < d_; ++j) hessian_[order_[i] * d_ + order_[j]] = h(i, j);
        std::vector<double> inner(intercepts_ * intercepts_);
        border_.assign(intercepts_, {});
        for (std::size_t k = 0; k < intercepts_; ++k) {
            const double* const row = hessian_.data() + (entries_ + k) * d_;
            border_[k].assign(row, row + d_);
            for (std::size_t l = 0; l < intercepts_; ++l) inner[k * intercepts_ + l] = row[entries_ + l];
        }
        inner_ = semidefinite(std::move(inner), intercepts_);
        m_ = {entries_, std::vector<double>(entries_ * entries_)};
        std::vector<double> b(intercepts_);
        for (std::size_t i = 0; i < entries_; ++i) {
            for (std::size_t k = 0; k < intercepts_; ++k) b[k] = border_[k][i];
            inner_.solve(b);
            for (std::size_t j = 0; j < entries_; ++j) {
                double entry = hessian_[i * d_ + j];
                for (std::size_t k = 0; k < intercepts_; ++k) entry -= b[k] * border_[k][j];
                m_.entries[i * entries_ + j] = entry;
            }
        }
        largest_ = m_.largest();
        stale_ = false;
    }

    /// The minimum of the quadratic model and the relaxed penalty, and how much lower that is than x.
    std::pair<std::vector<double>, double> step(const choices& c, const std::vector<double>& x,
                                                const std::vector<double>& gradient, double gap) const {
        std::vector<double> r(intercepts_),
            q(gradient.begin(), gradient.begin() + static_cast<std::ptrdiff_t>(entries_)), mw;
        for (std::size_t k = 0; k < intercepts_; ++k) r[k] = gradient[entries_ + k];
        inner_.solve(r);
        double promised = 0;
        for (std::size_t k = 0; k < intercepts_; ++k) promised += 0.5 * r[k] * gradient[entries_ + k];
        const std::vector<double> zero(entries_), w(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(entries_));
        m_.multiply_add(w, zero, mw);
        double here = 0;
        for (std::size_t j = 0; j < entries_; ++j) {
            for (std::size_t k = 0; k < intercepts_; ++k) q[j] -= border_[k][j] * r[k];
            q[j] -= mw[j];
            here += w[j] * (q[j] + 0.5 * mw[j]);
        }
        std::vector<double> shares;
        here += relaxed_.value(c, w, shares);
        const auto enough = [&](double primal, double dual) { return primal - dual <= 0.02 * gap && primal <= here; };
        auto s = relaxed_quadratic(m_, relaxed_, largest_).minimize(c, q, w, enough);
        promised += here - s.primal;
        std::vector<double> next = x, turn(intercepts_);
        for (std::size_t k = 0; k < intercepts_; ++k)
            for (std::size_t j = 0; j < entries_; ++j) turn[k] += border_[k][j] * (s.w[j] - w[j]);
        inner_.solve(turn);
        std::copy(s.w.begin(), s.w.end(), next.begin());
        for (std::size_t k = 0; k < intercepts_; ++k) next[entries_ + k] -= r[k] + turn[k];
        return {std::move(next), promised};
    }

    const P& p_;
    const perspective& relaxed_;
    const polish& polishing_;
    std::size_t d_, entries_, intercepts_, own_passes_ = 0;
    std::vector<std::size_t> order_;  ///< all weights, by output, then by feature
    A w_, g_;
    std::vector<double> gradient_, hessian_, gains_;
    std::vector<std::vector<double>> border_;
    semidefinite inner_;
    symmetric m_;
    double largest_ = 0;
    bool stale_ = true;
};

}  // namespace gamut::solver::detail
