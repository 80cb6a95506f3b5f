// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/fwd.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/quadratic/bounded_support.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/lbfgs.hpp>
#include <gamut/solver/polish.hpp>
#include <gamut/solver/run.hpp>

namespace gamut::solver {

/// Backward elimination in stages: fits all weights, then keeps ever fewer, each time those that are worth most,
///   w_j^2 (h mean(x~_j^2) + l2)       (added up over a row or group, if those are counted)
/// with h the loss's mean second derivative in the weight's output, and fits what is left, until kappa are. Then rounds: the weights
/// with the steepest slopes, gradient_j^2 / mean(x~_j^2), join, a share `grow` of kappa; all are fitted, and again those that are
/// worth most stay; while that gains, `grow` is kept, else it is halved; when it gains next to nothing, that was the last. Quick where a fit of all weights is, and good where many
/// weights share the work. Fits of the stages have l1 and bounds, too, if there are any. A heuristic, worst where columns are much alike. Needs l2 > 0 or more rows than columns, or the first
/// fit says little.
///
/// Costs about iterations x (1 + log(p / kappa) / -log(keep) + 2 rounds) passes, each over the columns that are left, with a sum of
/// as many numbers; then solver::polish. An iteration of the history is a stage, or a round.
/// Dai and Milenkovic, Subspace pursuit for compressive sensing signal reconstruction, IEEE Trans. Information Theory 55 (2009),
/// for the rounds.
struct prune {
    static constexpr bool takes_any_problem = true;
    double keep = 0.85;          ///< share of the weights that a stage keeps
    std::size_t first = 60;      ///< iterations of L-BFGS for the fit of all
    std::size_t iterations = 8;  ///< and for each stage
    double grow = 0.3;           ///< share of kappa that joins in a round
    std::size_t rounds = 6;  ///< at most; one that gains, but less than a ten-thousandth of the objective, is the last
    polish polishing{.largest = 512, .stop = {.iterations = 30, .tolerance = 1e-8}};  ///< more by conjugate gradients
    core::stop stop{.iterations = 100};                                               ///< stages

    void validate() const {
        if (!(keep > 0 && keep < 1))
            throw core::option_error(core::text("prune: keep is ", keep, " (it must lie between 0 and 1) try 0.85"));
        if (!(grow >= 0 && std::isfinite(grow)))
            throw core::option_error(
                core::text("prune: grow is ", grow, " (it must be finite, and 0 or more) try 0.3"));
        stop.validate("prune");
    }

    template <Cardinality P, class... O>
    requires ColumnAccess<P> core::result<typename P::array> minimize(const P& p, O&&... observers)
    const {
        communicator::agree(p.communicator(), [&] { validate(); });
        run<P, std::remove_reference_t<O>...> record("prune", p, stop, observers...);
        core::status status = core::status::converged;
        auto found = eliminate(p, [&](core::record now) {
            if (const auto asked = record.report(now)) status = *asked;
            return status == core::status::converged;
        });
        std::string message = status == core::status::converged
                                  ? core::text("the weights that were worth most at each of ", found.iterations,
                                               " stages; a heuristic, without a certificate")
                                  : explanation(status, stop);
        if (status == core::status::converged)
            if (auto nowhere = no_minimum_on_support(p, found.weights)) {
                status = core::status::separable;
                message = *std::move(nowhere);
            }
        return record.finish(std::move(found.weights), found.objective, status, std::move(message));
    }

    template <class P, class... O> refused minimize(const P&, O&&...) const {
        static_assert(
            Cardinality<P>,
            "prune: needs penalty::l0 (it keeps kappa weights); leave the solver out: its default suits the penalty");
        static_assert(!Cardinality<P> || ColumnAccess<P>,
                      "prune: needs on_columns(columns, penalty, from); see gamut/solver/concept.hpp");
        return {};
    }

    /// report(record) after each stage; false: no more stages, the next one is the last.
    template <Cardinality P, class Report>
    requires ColumnAccess<P> core::result<typename P::array> eliminate(const P& p, Report&& report)
    const {
        using A = typename P::array;
        using T = typename A::value_type;
        const penalty::layout shape = p.layout();
        const std::size_t competitors =
                              p.penalty_term().units_of(shape).count() / p.penalty_term().competitions_of(shape),
                          kappa = p.penalty_term().kappa;
        const std::vector<double> squares = p.column_squares();
        std::vector<T> w(p.dimension());
        std::fill_n(w.begin(), shape.size(), T(1));  // everything is in
        fitted_part<T> now = fit(p, squares, std::move(w), first, true);
        std::size_t stage = 0;
        bool go_on = true;
        const auto tell = [&](const char* phase) {
            go_on = report(core::record{.phase = phase,
                                        .iteration = ++stage,
                                        .objective = now.objective,
                                        .nonzeros = p.nonzeros(A(std::span<const T>(now.weights)))}) &&
                    stage < stop.iterations;
        };
        for (std::size_t left = competitors; left > kappa;) {
            const auto fewer = static_cast<std::size_t>(keep * static_cast<double>(left));
            left = go_on ? std::max(kappa, std::min(left - 1, fewer)) : kappa;
            select(p, left, worth(p, squares, now), now.weights);
            now = fit(p, squares, std::move(now.weights), iterations, false);
            tell("stages");
        }
        double share = competitors > kappa && kappa > 0 ? grow : 0;
        for (std::size_t round = 0; round < rounds && go_on; ++round) {
            const auto joining = static_cast<std::size_t>(share * static_cast<double>(kappa));
            if (joining == 0) break;
            fitted_part<T> other =
                fit(p, squares, enlarged(p, std::min(competitors, kappa + joining), squares, now.weights), iterations,
                    false);
            select(p, kappa, worth(p, squares, other), other.weights);
            other = fit(p, squares, std::move(other.weights), iterations, false);
            const double gain = now.objective - other.objective;
            if (gain > 0)
                now = std::move(other);
            else
                share /= 2;
            tell("rounds");
            if (gain > 0 && gain < 1e-4 * std::abs(now.objective)) break;
        }
        auto found = polishing.improve(p, A(std::span<const T>(now.weights)));
        found.iterations = stage;
        return found;
    }

private:
    template <class T> struct fitted_part {
        std::vector<T> weights;
        double objective = core::record::none;
        std::vector<double> curvature = {};  // per output; see curvature_of
    };

    template <class P, class T>
    static std::vector<T> worth(const P& p, const std::vector<double>& squares, const fitted_part<T>& now) {
        const std::size_t c = p.layout().outputs;
        std::vector<T> worth(p.layout().size());
        for (std::size_t e = 0; e < worth.size(); ++e)
            worth[e] =
                now.weights[e] * static_cast<T>(std::sqrt(now.curvature[e % c] * squares[e / c] + p.penalty_term().l2));
        return worth;
    }

    /// Mean second derivatives of the rows' losses in each output, as some of the columns see them: those of the largest mean
    /// squares. 1 where there are no second derivatives.
    template <class P, class A>
    static std::vector<double> curvature_of(const P& p, const A& w, const std::vector<double>& squares) {
        const std::size_t c = p.layout().outputs, some = std::min<std::size_t>(4, squares.size());
        std::vector<double> curvature(c, 1.0);
        if constexpr (SecondDerivatives<P>) {
            std::vector<std::size_t> columns(squares.size()), entries;
            std::iota(columns.begin(), columns.end(), std::size_t(0));
            std::partial_sort(columns.begin(), columns.begin() + static_cast<std::ptrdiff_t>(some), columns.end(),
                              [&](std::size_t i, std::size_t j) {
                                  return squares[i] > squares[j] || (squares[i] == squares[j] && i < j);
                              });
            columns.resize(some);
            std::sort(columns.begin(), columns.end());
            double all = 0;
            for (const std::size_t j : columns) all += squares[j];
            if (!(all > 0)) return curvature;
            for (std::size_t k = 0; k < c; ++k)  // the order of restricted::entries
                for (const std::size_t j : columns) entries.push_back(j * c + k);
            const auto h = p.second_derivatives(w, entries);
            for (std::size_t k = 0; k < c; ++k) {
                double seen = 0;
                for (std::size_t i = 0; i < some; ++i) seen += h(k * some + i, k * some + i);
                if (seen > 0) curvature[k] = seen / all;
            }
        }
        return curvature;
    }

    /// w with the weights of the steepest slopes as new members, `size` in all: those are as good as 0, but not 0.
    template <class P, class T>
    static std::vector<T> enlarged(const P& p, std::size_t size, const std::vector<double>& squares, std::vector<T> w) {
        using A = typename P::array;
        const penalty::layout shape = p.layout();
        A gradient(p.dimension());
        p.value_and_gradient(A(std::span<const T>(w)), gradient);
        const std::vector<T> slopes = gradient.download();
        std::vector<T> worth(shape.size());
        for (std::size_t e = 0; e < shape.size(); ++e) {
            const double square = squares[e / shape.outputs];
            const penalty::l0& term = p.penalty_term();
            const quadratic::best_alone step(-static_cast<double>(slopes[e]), square > 0 ? square : 1, term.l1,
                                             term.lower, term.upper);
            worth[e] = w[e] != 0    ? T(1e15)  // stays
                       : square > 0 ? static_cast<T>(std::sqrt(2 * std::max(step.gain, 0.0)))
                                    : T(0);
            if (w[e] == 0) w[e] = std::numeric_limits<T>::min();
        }
        select(p, size, worth, w);
        return w;
    }

    /// Sets all weights to 0 but the `left` of the largest worth.
    template <class P, class T>
    static void select(const P& p, std::size_t left, const std::vector<T>& worth, std::vector<T>& w) {
        const penalty::layout shape = p.layout();
        penalty::l0 counting = p.penalty_term();
        counting.kappa = left;
        counting.l1 = counting.l2 = 0;
        counting.lower = -std::numeric_limits<double>::infinity();
        counting.upper = std::numeric_limits<double>::infinity();
        std::vector<T> kept(worth.size());
        penalty::prox(counting, std::span<const T>(worth), T(1), std::span<T>(kept), shape);
        for (std::size_t e = 0; e < shape.size(); ++e)
            if (kept[e] == 0) w[e] = 0;
    }

    /// Some iterations of L-BFGS on the support of w, from w or from 0; with l1 or bounds, of polish's proximal gradient steps.
    template <class P, class T>
    fitted_part<T> fit(const P& p, const std::vector<double>& squares, std::vector<T> w, std::size_t steps,
                       bool from_zero) const {
        using A = typename P::array;
        const penalty::layout shape = p.layout();
        const std::vector<std::size_t> features = used_features(p, std::span<const T>(w));
        std::vector<T> few = gather_features(std::span<const T>(w), features, shape);
        const auto part = p.on_columns(features, on_features(p.penalty_term(), features));
        core::result<A> found;
        if (p.penalty_term().is_smooth()) {
            const A support{std::span<const T>(few)};
            if (from_zero) std::fill(few.begin(), few.end(), T(0));
            const A start{std::span<const T>(few)};
            const restricted inside(*part, support, start);
            found = lbfgs<>{.stop = {.iterations = steps, .tolerance = 1e-4}}.minimize(inside);
        } else {
            if (from_zero)  // members, but as good as 0
                for (T& weight : few) weight = weight != 0 ? std::numeric_limits<T>::min() : T(0);
            found = polish{.stop = {.iterations = std::max<std::size_t>(steps / 10, 1), .tolerance = 1e-4}}.improve(
                *part, A(std::span<const T>(few)));
        }
        few = found.weights.download();
        std::vector<double> used;
        for (const std::size_t j : features) used.push_back(squares[j]);
        return {scatter_features(std::span<const T>(few), std::span<const std::size_t>(features), shape),
                found.objective, curvature_of(*part, found.weights, used)};
    }
};

}  // namespace gamut::solver
