// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/quadratic/perspective.hpp>
#include <gamut/quadratic/relaxed.hpp>
#include <gamut/quadratic/semidefinite.hpp>
#include <gamut/quadratic/subset_factor.hpp>

/// What a search tree asks of a loss: the bound of a node, and the best weights on a support.
namespace gamut::quadratic {

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

/// Nodes of a search tree for  min over w of  1/2 w'Gw - q'w + constant + l2/2 |w|^2  with at most kappa groups that are not 0:
///   relax(c)   a lower bound for all weights that the choices c allow, and what deciding each open group adds to it;
///   fit(c)     the best weights once everything is decided.
/// Given are the moments, all in memory. Intercepts are eliminated once, O(d^2) for each. A fit with l2 = 0 is one factorisation, a^3/3
/// for a live columns; with l2 > 0 see relaxed.hpp. Bounds are lowered by 64 units of rounding of what they are differences of.
/// With l2 > 0 a node is bounded by its relaxation. With l2 = 0 by the sum of squares that all columns leave which are not
/// out; leaving out column j of them adds w_j^2 / (2 (M^-1)_jj), a group no less than any of its columns (Furnival and Wilson 1974,
/// leaps and bounds).
class nodes {
public:
    /// moments: gram (d x d), slope and constant of the loss; intercepts last.
    template <class Moments>
    nodes(const Moments& moments, const perspective& relaxed)
        : relaxed_(relaxed),
          epsilon_(std::numeric_limits<typename std::remove_cvref_t<decltype(moments.slope)>::value_type>::epsilon()) {
        const std::size_t d = moments.slope.size();
        entries_ = relaxed.entries();
        intercepts_ = d - entries_;
        constant_ = moments.constant;
        given_ = std::abs(constant_);
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

    /// What the rounding of the moments of so many rows, and of what is computed from them, may make of the objective of any support,
    /// or of its bound:  r (m t / 2 + root(m t)) y'y,  for m columns at length 1 with t = trace(G^-1) >= 1 / (least eigenvalue of G):
    /// a change of G by R changes the minimum by w'R w / 2 <= r m |w|^2 / 2, and |w|^2 <= t y'y. r, the error of an entry, is
    /// 16 + root(rows) + root(m) roundings, which roundings that don't conspire stay below (Higham and Mary, A new approach to
    /// probabilistic rounding error analysis, 2019). To it comes what eliminating the intercepts has cancelled.
    /// From a factor of the rows: what subset_factor says.
    rounding_error rounding(std::size_t rows) const {
        if (factor_) return factor_->rounding(rows);
        std::vector<double> g, lengths;
        std::vector<std::size_t> used;
        for (std::size_t i = 0; i < entries_; ++i)
            if (const double square = m_.entries[i * entries_ + i] + relaxed_.l2(); square > 0) {
                used.push_back(i);
                lengths.push_back(std::sqrt(square));
            }
        const std::size_t m = used.size();
        g.resize(m * m);
        for (std::size_t a = 0; a < m; ++a)
            for (std::size_t b = 0; b < m; ++b)
                g[a * m + b] = a == b ? 1 : m_.entries[used[a] * entries_ + used[b]] / lengths[a] / lengths[b];
        const double entry = epsilon_ * (16 + std::sqrt(static_cast<double>(rows)) + std::sqrt(static_cast<double>(m)));
        if (!(constant_ > 0) || m == 0) return {entry * given_, 0};
        const double trace = semidefinite(std::move(g), m).inverse_trace(), width = static_cast<double>(m);
        return {entry * ((0.5 * width * trace + std::sqrt(width * trace)) * 2 * constant_ + given_), 0};
    }

    /// From here on the rows' own factor says what a subset of columns leaves, l2 among its rows, and bounds nodes, with l2 > 0 too: where
    /// columns are so nearly collinear that the Gram matrix has too few digits left, an l2 that cures that would have cured both.
    void refine(subset_factor factor) { factor_ = std::move(factor); }
    bool is_refined() const { return factor_.has_value(); }

    /// The loss without weights, at the best intercepts.
    double at_zero() const { return constant_; }

    std::vector<double> start() const { return std::vector<double>(entries_); }

    relaxation relax(const choices& c, const std::vector<double>& start, double cutoff) const {
        if (relaxed_.l2() == 0 || factor_) return superset(c);
        const auto enough = [&](double primal, double dual) {
            const double p = primal + constant_, d = dual + constant_ - noise({}, dual);
            return d >= cutoff || (p < cutoff && p - d <= 0.05 * (cutoff - d));
        };
        const auto s =
            relaxed(m_, relaxed_, largest_)
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
        if (relaxed_.l2() == 0 || factor_) {
            subset_factor::fit found = least_squares(c);
            out.weights = std::move(found.weights);
            out.objective = found.objective;
        } else {
            const auto s = relaxed(m_, relaxed_, largest_)
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
        return 64 * epsilon_ * sum;
    }

    double value(std::span<const double> w) const {
        std::vector<double> product;
        m_.multiply_add(w, q_, product);
        double sum = constant_;
        for (std::size_t j = 0; j < w.size(); ++j) sum += 0.5 * w[j] * (product[j] + q_[j]);
        return sum;
    }

    /// The best weights of what is not out, and what leaving out each of them costs (0 if columns depend on each other).
    subset_factor::fit least_squares(const choices& c) const {
        std::vector<std::size_t> live;
        for (std::size_t j = 0; j < entries_; ++j)
            if (c.of[relaxed_.group_of(j)] != choice::out && !(factor_ && factor_->is_zero(j))) live.push_back(j);
        subset_factor::fit all{0, std::vector<double>(entries_), std::vector<double>(relaxed_.groups())};
        if (factor_) {
            const subset_factor::fit found = factor_->on(live);
            all.objective = found.objective;
            for (std::size_t r = 0; r < live.size(); ++r) {
                const std::size_t g = relaxed_.group_of(live[r]);
                all.weights[live[r]] = found.weights[r];
                if (c.of[g] == choice::open) all.cost[g] = std::max(all.cost[g], found.cost[r]);
            }
            return all;
        }
        const std::size_t a = live.size();
        std::vector<double> matrix(a * a), x(a);
        for (std::size_t r = 0; r < a; ++r) {
            x[r] = -q_[live[r]];
            for (std::size_t s = 0; s <= r; ++s) matrix[r * a + s] = m_.row(live[r])[live[s]];
        }
        const semidefinite factor(std::move(matrix), a);
        factor.solve(x);
        bool independent = true;
        for (std::size_t r = 0; r < a; ++r)
            all.weights[live[r]] = x[r], independent = independent && !factor.left_out(r);
        std::vector<double> unit(a);
        for (std::size_t r = 0; r < a && independent; ++r) {
            const std::size_t g = relaxed_.group_of(live[r]);
            if (c.of[g] != choice::open) continue;
            std::fill(unit.begin(), unit.end(), 0.0);
            unit[r] = 1;
            factor.solve(unit);
            if (unit[r] > 0) all.cost[g] = std::max(all.cost[g], 0.5 * x[r] * x[r] / unit[r]);
        }
        all.objective = value(all.weights);
        return all;
    }

    relaxation superset(const choices& c) const {
        relaxation out;
        auto [objective, w, cost] = least_squares(c);
        out.bound = factor_ ? objective : objective - noise(w, 0);
        for (double& x : cost) x *= 1 - 1e-9;
        out.weights = std::move(w);
        out.lift_in.assign(relaxed_.groups(), 0);
        out.lift_out = cost;
        out.score = cost;
        out.doubt = std::move(cost);
        return out;
    }

    const perspective& relaxed_;
    double epsilon_;  // rounding of the numbers that the moments are given in
    std::size_t entries_ = 0, intercepts_ = 0;
    double constant_ = 0, given_ = 0, largest_ = 0;  // given_: before the intercepts were eliminated
    symmetric m_;
    std::vector<double> q_, level_, border_;
    std::optional<subset_factor> factor_;
};

}  // namespace gamut::quadratic
