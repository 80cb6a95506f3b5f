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
#include <gamut/quadratic/nodes.hpp>
#include <gamut/quadratic/perspective.hpp>
#include <gamut/quadratic/relaxed.hpp>
#include <gamut/quadratic/semidefinite.hpp>
#include <gamut/solver/certificate.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/polish.hpp>

namespace gamut::solver::detail {

/// Any convex loss: Newton steps on the relaxed problem, each one pass over the data and then all in memory. The second
/// derivatives are those of an earlier point as long as steps are good; renewed, they cost a pass and a sum of dimension()^2.
template <class P> class loss_nodes {
    using A = typename P::array;

public:
    loss_nodes(const P& p, const quadratic::perspective& relaxed, const polish& polishing)
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

    quadratic::relaxation relax(const quadratic::choices& c, const std::vector<double>& start, double cutoff) {
        std::vector<double> x = start, shares;
        for (std::size_t j = 0; j < entries_; ++j)
            if (c.of[relaxed_.group_of(j)] == quadratic::choice::out) x[j] = 0;
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
        quadratic::relaxation best;
        std::vector<double> gains;
        quadratic::perspective::selection selected;
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
        quadratic::describe(relaxed_, c, shares, gains, selected, best);
        return best;
    }

    /// All choices made: the best weights on what is in.
    quadratic::fit_on_support fit(const quadratic::choices& c) {
        std::vector<double> start(d_);
        for (std::size_t j = 0; j < entries_; ++j)
            if (c.of[relaxed_.group_of(j)] == quadratic::choice::in) start[j] = 1e-30;  // names the support
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
        inner_ = quadratic::semidefinite(std::move(inner), intercepts_);
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
    std::pair<std::vector<double>, double> step(const quadratic::choices& c, const std::vector<double>& x,
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
        auto s = quadratic::relaxed(m_, relaxed_, largest_).minimize(c, q, w, enough);
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
    const quadratic::perspective& relaxed_;
    const polish& polishing_;
    std::size_t d_, entries_, intercepts_, own_passes_ = 0;
    std::vector<std::size_t> order_;  ///< all weights, by output, then by feature
    A w_, g_;
    std::vector<double> gradient_, hessian_, gains_;
    std::vector<std::vector<double>> border_;
    quadratic::semidefinite inner_;
    quadratic::symmetric m_;
    double largest_ = 0;
    bool stale_ = true;
};

}  // namespace gamut::solver::detail
