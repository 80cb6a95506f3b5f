// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/text.hpp>
#include <gamut/model/concept.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/quadratic/perspective.hpp>
#include <gamut/quadratic/semidefinite.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/polish.hpp>

namespace gamut::solver {

/// Between which two numbers the least objective of a cardinality problem lies, and what follows from that.
struct bounds {
    double lower = -std::numeric_limits<double>::infinity();  ///< no allowed weights have a smaller objective
    double upper = std::numeric_limits<double>::infinity();   ///< the objective of the weights that were looked at
    /// What every better solution uses, and what none does: entries j * outputs + k of W, features with
    /// support::rows, or groups.
    std::vector<std::size_t> in{}, out{};
    std::size_t passes = 0;

    double gap() const { return core::relative_gap(upper, lower); }
    /// The weights are as good as any: the bounds agree to nine digits, and no more can be asked of rounded numbers.
    bool optimal() const { return gap() <= 1e-9; }
};

namespace detail {

/// A plane below the loss, F(V, c) >= F(W, b) + G'(V - W) for all V and all intercepts c, where b is the best intercept for W.
/// With the conjugate of a relaxed penalty it bounds the objective from below,
///   D = F - G'W - psi*(-G) <= min over V of  F(V) + psi(V),
/// the Fenchel dual at the slopes of the rows' losses: by their convexity -F*(A) = F - G'W, whatever the loss.
///
/// In rounded numbers an allowance is subtracted: 64 units of rounding of F, and of |G_j| + sqrt(2 F) for every |W_j| and |V_j|
/// (rounding of gradients; columns of about unit scale). The intercept that was evaluated lies `delta` from the best one by
/// Newton's formula; twice the change of D that this makes to first order is subtracted too, and delta^2 times the weights.
struct plane {
    std::vector<double> weights, gradient, gains;
    double constant = 0;  ///< F - G'W
    double noise = 0;     ///< the allowance for F and W
    std::vector<double> noise_per_weight;

    /// b: intercepts' gradient; delta: the way to the best intercepts; slopes: d gradient / d intercepts, for each intercept all
    /// dimension() entries.
    plane(const quadratic::perspective& relaxed, std::span<const double> w, double loss, std::span<const double> g,
          std::span<const double> delta, std::span<const std::vector<double>> slopes, double epsilon)
        : weights(w.begin(), w.begin() + static_cast<std::ptrdiff_t>(relaxed.entries())),
          gradient(g.begin(), g.begin() + static_cast<std::ptrdiff_t>(relaxed.entries())),
          constant(loss),
          noise_per_weight(relaxed.entries()) {
        relaxed.gains(gradient, gains);
        const double unit = 64 * epsilon, root = std::sqrt(2 * std::abs(loss));
        double square = 0, largest = 0;
        for (const double d : delta) square += d * d, largest = std::max(largest, std::abs(d));
        noise = unit * std::abs(loss);
        for (std::size_t k = 0; k < delta.size(); ++k) noise += std::abs(delta[k] * g[relaxed.entries() + k]);
        for (std::size_t j = 0; j < weights.size(); ++j) {
            double turn = 0;
            for (std::size_t k = 0; k < delta.size(); ++k) turn += delta[k] * slopes[k][j];
            noise_per_weight[j] = unit * (std::abs(gradient[j]) + root) + 2 * std::abs(turn) + square;
            noise += noise_per_weight[j] * std::abs(weights[j]);
            constant -= gradient[j] * weights[j];
        }
        // too far from the best intercept for the formula, or not a number
        if (!(largest <= 0.1) || !std::isfinite(constant)) noise = std::numeric_limits<double>::infinity();
    }

    double bound(const quadratic::perspective& relaxed, const quadratic::perspective::selection& s) const {
        double allowance = noise;
        for (std::size_t j = 0; j < gradient.size(); ++j)
            if (s.selected[relaxed.group_of(j)] != 0)
                allowance += noise_per_weight[j] * std::abs(relaxed.best_entry(gradient[j]).first);
        const double d = constant - s.worth - allowance;
        return d == d ? d : -std::numeric_limits<double>::infinity();
    }
};

template <class A> std::vector<double> doubles(const A& a) {
    const auto values = a.download();
    return {values.begin(), values.end()};
}
template <class A> void set(A& a, std::span<const double> values) {
    using T = typename A::value_type;
    std::vector<T> converted(values.size());
    std::transform(values.begin(), values.end(), converted.begin(), [](double x) { return static_cast<T>(x); });
    a.upload(converted);
}

/// The loss at W with the best intercepts for it: Newton's method on the intercepts alone, from those of w, which move.
/// Without intercepts one pass; with c of them 2 + c passes where w is stationary already, and that many more for each step.
template <class P>
[[gnu::cold]] plane centre(const P& p, const quadratic::perspective& relaxed, typename P::array& w,
                           double* loss_at_w = nullptr) {
    using A = typename P::array;
    const std::size_t d = p.dimension(), entries = relaxed.entries(), c = d - entries;
    A g(d), direction(d), product(d);
    std::vector<double> point = doubles(w), delta(c);
    std::vector<std::vector<double>> slopes(c);
    constexpr double epsilon = static_cast<double>(std::numeric_limits<typename A::value_type>::epsilon());
    double before = std::numeric_limits<double>::infinity();
    for (std::size_t step = 0;; ++step) {
        const double loss = p.value_and_gradient(w, g);
        if (step == 0 && loss_at_w) *loss_at_w = loss;
        const std::vector<double> gradient = doubles(g);
        const auto here = [&] { return plane(relaxed, point, loss, gradient, delta, slopes, epsilon); };
        if (c == 0) return here();
        if (loss > before + 64 * epsilon * std::abs(before) && step < 60) {  // too far: halfway back
            for (std::size_t k = 0; k < c; ++k) point[entries + k] -= delta[k] *= 0.5;
            set(w, point);
            continue;
        }
        before = loss;
        const auto h = p.hessian(w);
        std::vector<double> inner(c * c);
        for (std::size_t k = 0; k < c; ++k) {
            std::vector<double> unit(d);
            unit[entries + k] = 1;
            set(direction, unit);
            h.times(direction, product);
            slopes[k] = doubles(product);
            for (std::size_t l = 0; l < c; ++l) inner[k * c + l] = slopes[k][entries + l];
        }
        for (std::size_t k = 0; k < c; ++k) delta[k] = -gradient[entries + k];
        quadratic::semidefinite(std::move(inner), c).solve(delta);
        double largest = 0;
        for (const double x : delta) largest = std::max(largest, std::abs(x));
        if (!(largest > std::max(1e-8, 4 * epsilon)) || !std::isfinite(largest) || step >= 60) return here();
        for (std::size_t k = 0; k < c; ++k) point[entries + k] += delta[k];
        set(w, point);
    }
}

}  // namespace detail

/// How far weights can be from the best ones: a lower bound of the objective over all supports, for a convex loss.
///   D = F(W) - G'W - sum of the kappa largest gain_j,     G the gradient of the loss, gain_j = |soft(G_j, l1)|^2 / (2 l2)
/// D equals the objective, and so W is optimal, if W is stationary on its support and l2 |W_j| there is no less than |G_j|
/// anywhere else. What every better solution uses or avoids follows from D and the gains alone (in, out).
/// Needs l2 > 0, or finite bounds; then gain_j is the largest -G_j v - l1 |v| - l2/2 v^2 within them. A loss that is not convex
/// has no such bound, and nothing here can notice.
///
/// At the weights themselves D costs 2 passes and one more per intercept, and is good near a clear optimum only. `steps` more
/// passes move on to where D is largest: a minimum of the relaxed problem F(W) + psi(W), psi = the penalty in perspective form
/// with shares s of a kappa that add up (convex), by proximal gradient steps of Barzilai and Borwein's length.
/// Sends what the passes send; all ranks get the same. Atamturk and Gomez 2020 (screening); Wright, Nowak and Figueiredo
/// 2009 (SpaRSA); sources of psi: quadratic/perspective.hpp.
struct certificate {
    std::size_t steps = 0;  ///< passes spent on a better bound, at most
    double tolerance =
        1e-6;  ///< stop when the gap that is left, or the possible improvement, is that small, relatively

    /// Whether there is a bound at all.
    static bool possible(const penalty::l0& term) {
        return term.l2 > 0 || (std::isfinite(term.lower) && std::isfinite(term.upper));
    }

    /// Whether steps are of use. psi knows no bounds on the weights: steps look for where the problem without them is bounded best, and
    /// the bound there is that with them.
    static bool tightens(const penalty::l0& term) { return term.l2 > 0; }

    /// W: weights that the penalty allows (others give no upper bound).
    template <Cardinality P>
    requires TwiceDifferentiable<P>
    [[gnu::cold]] solver::bounds bound(const P& p, const typename P::array& w) const {
        const penalty::l0& term = p.penalty_term();
        communicator::agree(p.communicator(), [&] {
            if (!(tolerance >= 0))
                throw core::option_error(
                    core::text("certificate: tolerance is ", tolerance, " (it must be 0 or more)"));
            if (!possible(term))
                throw core::option_error("certificate: l2 is 0 and the weights are not bounded (then there is no lower "
                                         "bound) give penalty::l0 "
                                         "an l2, such as 1e-3");
        });
        const std::size_t before = p.passes();
        const quadratic::perspective relaxed(term, p.layout());
        const quadratic::choices undecided = relaxed.undecided();
        quadratic::choices all = undecided;
        solver::bounds result;

        typename P::array at = w;
        double loss = 0;
        std::vector<detail::plane> planes{detail::centre(p, relaxed, at, &loss)};
        result.upper = loss + p.penalty(w);
        std::vector<quadratic::perspective::selection> selected{relaxed.select(all, planes[0].gains)};
        result.lower = planes[0].bound(relaxed, selected[0]);
        if (steps > 0 && tightens(term) && !(result.gap() <= tolerance)) {
            ascend(p, quadratic::perspective(unbounded(term), p.layout()), all, at, result.upper);
            planes.push_back(detail::centre(p, relaxed, at));
            selected.push_back(relaxed.select(all, planes[1].gains));
            result.lower = std::max(result.lower, planes[1].bound(relaxed, selected[1]));
        }
        if (std::isfinite(result.upper)) {
            for (std::size_t i = 0; i < planes.size(); ++i) {
                quadratic::choices seen = undecided;
                const double slack = result.upper - planes[i].bound(relaxed, selected[i]);
                relaxed.screen(seen, planes[i].gains, selected[i],
                               std::max(slack, 0.0) + 1e-11 * std::abs(result.upper));
                for (std::size_t g = 0; g < seen.of.size(); ++g)
                    if (seen.of[g] != quadratic::choice::open) all.of[g] = seen.of[g];
            }
        }
        for (std::size_t g = 0; g < all.of.size(); ++g) {
            if (undecided.of[g] != quadratic::choice::open) continue;
            if (all.of[g] == quadratic::choice::in) result.in.push_back(g);
            if (all.of[g] == quadratic::choice::out) result.out.push_back(g);
        }
        if (has_nonnegative_loss(p)) result.lower = std::max(result.lower, 0.0);  // nor is the penalty below 0
        // the weights are a solution: rounding must not say that they are better than possible
        result.lower = std::min(result.lower, result.upper);
        result.passes = p.passes() - before;
        return result;
    }

    /// The lower bound alone, for the result of a solver; NaN if there is none, or the model does not say that it is convex.
    template <Cardinality P> double below(const P& p, const typename P::array& w, double objective) const {
        if constexpr (requires { p.loss_model(); })
            if (!model::is_convex<std::remove_cvref_t<decltype(p.loss_model())>>)
                return std::numeric_limits<double>::quiet_NaN();
        if (!possible(p.penalty_term()) || !std::isfinite(objective)) return std::numeric_limits<double>::quiet_NaN();
        return std::min(bound(p, w).lower, objective);
    }

    /// What that says about a result, as the end of a sentence.
    static std::string says(double objective, double lower_bound) {
        const double gap = core::relative_gap(objective, lower_bound);
        if (gap <= 1e-9) return "no support is better";
        if (gap < 1) return core::text("no support is better by more than ", gap, " of the objective");
        return std::isnan(gap)
                   ? "there is no lower bound (for one the loss must be convex, and l2 above 0 or the weights bounded)"
                   : "the lower bound is far below (more bounding.steps or l2 raise it)";
    }

    template <class P> solver::bounds bound(const P&, const typename P::array&) const {
        static_assert(Cardinality<P>, "certificate: needs penalty::l0 (a convex problem has no gap to prove)");
        static_assert(!Cardinality<P> || TwiceDifferentiable<P>,
                      "certificate: needs hessian(w) with times(v, out); see gamut/solver/concept.hpp");
        return {};
    }

private:
    static penalty::l0 unbounded(penalty::l0 term) {
        term.lower = -std::numeric_limits<double>::infinity();
        term.upper = std::numeric_limits<double>::infinity();
        return term;
    }

    /// Moves x to a minimum of loss + psi; monotone over ten steps.
    template <class P>
    [[gnu::cold]] void ascend(const P& p, const quadratic::perspective& relaxed, const quadratic::choices& all,
                              typename P::array& x, double upper) const {
        using A = typename P::array;
        const std::size_t d = p.dimension(), entries = relaxed.entries();
        A trial(d), g(d);
        std::vector<double> w = detail::doubles(x), gradient, shares, gains, next(d), best;
        double loss = p.value_and_gradient(x, g);
        gradient = detail::doubles(g);
        double curvature = 1;
        {
            const auto h = p.hessian(x);
            h.times(g, trial);
            const double gg = backend::dot(g, g), ghg = backend::dot(g, trial);
            if (ghg > 0 && gg > 0) curvature = ghg / gg;
        }
        const double least = 1e-8 * curvature, most = 1e8 * curvature;
        const auto front = [&](std::vector<double>& v) { return std::span(v).first(entries); };
        double primal = loss + relaxed.value(all, front(w), shares);
        std::vector<double> recent{primal};
        double highest = -std::numeric_limits<double>::infinity();
        for (const std::size_t begin = p.passes(); p.passes() - begin < steps;) {
            relaxed.gains(gradient, gains);
            double dual = loss - relaxed.select(all, gains).worth;
            for (std::size_t j = 0; j < entries; ++j) dual -= gradient[j] * w[j];
            double off = 0;  // how far the intercepts are from their best
            for (std::size_t j = entries; j < d; ++j) off += std::abs(gradient[j]);
            const double merit = dual - off * off / curvature;
            if (merit > highest || best.empty()) highest = merit, best = w;
            const double enough = tolerance * std::abs(primal);
            if (off * off <= enough * curvature && (primal - dual <= enough || upper - dual <= enough)) break;

            const double reference = *std::max_element(recent.begin(), recent.end());
            double change = 0;
            bool moved = false;
            const std::vector<double> old = gradient;
            for (int tries = 0; tries < 40 && !moved; ++tries) {
                for (std::size_t j = 0; j < d; ++j) next[j] = w[j] - gradient[j] / curvature;
                relaxed.prox(all, front(next), 1 / curvature, front(next), shares);
                change = 0;
                for (std::size_t j = 0; j < d; ++j) change += (next[j] - w[j]) * (next[j] - w[j]);
                detail::set(trial, next);
                const double there = p.value_and_gradient(trial, g),
                             value = there + relaxed.value(all, front(next), shares);
                moved = value <= reference - 1e-4 * curvature * change || change == 0;
                if (moved)
                    loss = there, primal = value;
                else
                    curvature = std::min(2 * curvature, most);
            }
            if (!moved || change == 0) break;
            gradient = detail::doubles(g);
            double bend = 0;
            for (std::size_t j = 0; j < d; ++j) bend += (next[j] - w[j]) * (gradient[j] - old[j]);
            curvature = std::clamp(bend / change, least, most);
            w = next;
            recent.push_back(primal);
            if (recent.size() > 10) recent.erase(recent.begin());
        }
        if (!best.empty()) detail::set(x, best);
    }
};

}  // namespace gamut::solver
