// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/resume_from.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/fwd.hpp>
#include <gamut/quadratic/parts_of.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/detail/coordinate_state.hpp>
#include <gamut/solver/detail/descent_end.hpp>
#include <gamut/solver/run.hpp>

namespace gamut::solver {

/// Coordinate descent over a growing working set, for penalties that make zeros: l1, elastic_net, group, mcp, scad, or any
/// separable one. Rows are spread over ranks, so a message per coordinate is out of the question; instead
///   outer   slopes of the loss at all weights, the gap, and the parts that violate their conditions most join W
///   inner   min over W of a quadratic model of the loss plus the penalty, by cyclic coordinate descent in memory with Anderson
///           extrapolation: the same on every rank, without messages
/// Least squares is its own model: its second moments are computed once for each column that enters W. Other losses: prox-Newton
/// on the columns of W, with second derivatives that are renewed when steps stop shrinking the violation five times.
/// Per outer iteration one pass and one global sum of dimension() numbers; per new column |W| more; per Newton step a pass over
/// the columns of W and a sum of |W| numbers, |W|^2 / 2 when the model is renewed. Memory |W|^2 on every rank.
///
/// Stops when residual <= stop.tolerance:
///   l1, elastic_net, group     the duality gap over the objective at zero weights. The dual point is the scaled vector of the
///                              rows' slopes; intercepts count as being within
///                              1 + |b| of the best; least squares: the labels' deviation + |b|
///   other penalties            the largest violation of a condition of optimality over the largest slope at the start: for
///                              mcp and scad, which are not convex, a point that no single weight can improve
/// or when it is at most 64 times the rounding of the weights' type and nothing gets better any more.
/// Massias, Gramfort and Salmon, ICML 2018 (celer); Bertrand et al., NeurIPS 2022 (skglm); Lee, Sun and Saunders 2014.
struct coordinate {
    std::size_t working_set =
        100;                   ///< parts that may join at a time; or a quarter of those that are there, if that is more
    std::size_t anderson = 5;  ///< epochs between extrapolations; 0: none
    std::size_t blocks = 16;   ///< partial sums of second moments, and so the most ranks with work there
    core::stop stop{};
    core::resume_from resume{};  ///< a checkpoint, or a folder of core::checkpoints, to go on from

    void validate() const {
        if (working_set == 0)
            throw core::option_error("coordinate: working_set is 0 (some weight must be worked on) try 100");
        if (anderson > 50)
            throw core::option_error(core::text("coordinate: anderson is ", anderson, " (at most 50) try 5"));
        stop.validate("coordinate");
    }

    template <Coordinatewise P, class... O>
    requires(!P::smooth && !has_nonsmooth_loss<P>) core::result<typename P::array> minimize(const P& p,
                                                                                            O&&... observers)
    const {
        run<P, O...> record("coordinate", p, stop, observers...);
        auto state = prepare(p, [&] {
            validate();
            return detail::coordinate_state<P>(p, anderson);
        });
        state.begin();
        return descend(state, p.penalty_term(), record, std::numeric_limits<double>::infinity(), &resume);
    }

    template <class P, class... O> refused minimize(const P&, O&&...) const {
        static_assert(Problem<P>,
                      "coordinate: needs a problem with value_and_gradient(w, gradient); see gamut/solver/concept.hpp");
        static_assert(!Problem<P> || Coordinatewise<P>,
                      "coordinate: needs columns and second derivatives in this process's memory (backend::host): "
                      "on_columns(columns, penalty), second_derivatives(w, entries); see gamut/solver/concept.hpp");
        static_assert(!has_nonsmooth_loss<P>,
                      "coordinate: the loss has corners (it works on second derivatives) use solver::dual, which "
                      "needs an l2, or solver::admm");
        if constexpr (Coordinatewise<P>)
            static_assert(!P::smooth, "coordinate: the penalty is smooth (it makes no zeros to work around) use "
                                      "solver::lbfgs, or penalty::elastic_net with l1 = 0");
        return {};
    }

    /// The same from where the state is, with any penalty; the state's columns and moments are kept. Parts whose slopes at the
    /// start are at least `likely` join even if they do not have to yet. from: the run may be kept, and goes on from there.
    template <class P, class Penalty, class Run>
    core::result<typename P::array> descend(detail::coordinate_state<P>& state, const Penalty& penalty, Run& record,
                                            double likely = std::numeric_limits<double>::infinity(),
                                            const core::resume_from* from = nullptr) const {
        using parts_type = quadratic::parts_of<Penalty>;
        constexpr bool may_have_gap = parts_type::has_norm && P::nonnegative_loss;
        const parts_type parts(penalty, state.shape());
        const P& problem = state.problem();
        const double null_objective = state.null_loss() > 0 ? state.null_loss() : 1.0;
        constexpr double epsilon = std::numeric_limits<typename P::array::value_type>::epsilon();
        constexpr double infinity = std::numeric_limits<double>::infinity();
        detail::descent_end ended(stop, 5, 0.5, epsilon);
        double scale = 0, sharpness = 0.1;
        const auto kept = [&](auto& each) {
            each.shown("weights", [&] { return state.result(); });
            each("state", state);
            each("ended", ended);
            each("scale", scale);
            each("sharpness", sharpness);
        };
        std::optional<core::record> before;
        if (from != nullptr) before = record.resume(*from, kept);
        for (std::size_t k = before ? before->iteration : 1;; ++k) {
            state.measure();
            const detail::optimality now = detail::assess(state, parts, likely);
            likely = infinity;
            if (k == 1 && !before) scale = now.largest_slope > 0 ? now.largest_slope : 1.0;
            // without any penalty there is no dual point that is not 0
            const bool by_gap = may_have_gap && has_strength(parts);
            const double residual = by_gap ? now.gap / null_objective : now.violation / scale;
            const std::optional<core::status> asked = record.report(
                {.iteration = k, .objective = now.objective, .residual = residual, .nonzeros = now.nonzeros});
            std::optional<core::status> end = ended(k, now.objective, residual, asked);
            if (end) {
                std::string why;
                if (*end == core::status::stalled && now.violation <= std::max(1e-10, 64 * epsilon) * scale) {
                    end = core::status::converged;
                    why = core::text("rounding hides what is left to do; the largest violation of a condition of "
                                     "optimality, relative, is ",
                                     now.violation / scale);
                }
                if (!has_strength(parts) && (*end == core::status::converged || *end == core::status::stalled)) {
                    ending judged = confirmed_end(problem, state.result(), state.null(),
                                                  state.null_loss() - now.objective, stop.tolerance);
                    if (judged.status != core::status::converged) {
                        end = judged.status.value_or(core::status::stalled);
                        why = std::move(judged.why);
                    }
                }
                auto result = record.finish(
                    state.result(), now.objective, *end,
                    !why.empty() ? std::move(why)
                    : *end == core::status::stalled
                        ? core::text("rounding hides what is left to do; the residual is ", residual)
                    : *end == core::status::converged
                        ? core::text(by_gap ? "the duality gap" : "the largest violation of a condition of optimality",
                                     ", relative, fell to ", residual)
                        : explanation(*end, stop));
                if (by_gap) result.lower_bound = now.objective - std::max(now.gap, 0.0);
                return result;
            }
            if (now.newcomers.empty()) sharpness *= 0.1;
            const double wanted = by_gap ? stop.tolerance * null_objective / now.gap_per_violation(null_objective)
                                         : stop.tolerance * scale;
            state.choose(members(state, now), parts);
            state.solve(parts, std::max({0.1 * now.outside, sharpness * wanted, 1e-16 * scale}));
        }
    }

private:
    template <class Parts> static bool has_strength(const Parts& parts) {
        if constexpr (Parts::has_norm)
            return parts.threshold() > 0 || parts.ridge() > 0;
        else
            return true;
    }

    /// The parts that are to join, the most violated first to be chosen; where the whole set is rebuilt, with those that stay.
    template <class P>
    std::vector<std::size_t> members(const detail::coordinate_state<P>& state, const detail::optimality& now) const {
        const std::size_t room = std::max(working_set, state.size() / 4);
        auto best = now.newcomers;
        if (best.size() > room) {
            std::nth_element(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(room), best.end(),
                             [](const auto& a, const auto& b) {
                                 return a.score > b.score || (a.score == b.score && a.part < b.part);
                             });
            best.resize(room);
        }
        std::vector<std::size_t> chosen;
        for (const auto& newcomer : best) chosen.push_back(newcomer.part);
        if constexpr (!detail::coordinate_state<P>::quadratic)
            chosen.insert(chosen.end(), now.members.begin(), now.members.end());
        std::sort(chosen.begin(), chosen.end());
        return chosen;
    }
};

}  // namespace gamut::solver
