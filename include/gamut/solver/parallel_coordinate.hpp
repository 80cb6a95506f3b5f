// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/resume_from.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/fwd.hpp>
#include <gamut/penalty/concept.hpp>
#include <gamut/quadratic/parts_of.hpp>
#include <gamut/solver/column_view.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/detail/column_rounds.hpp>
#include <gamut/solver/detail/coordinate_state.hpp>
#include <gamut/solver/detail/descent_end.hpp>
#include <gamut/solver/run.hpp>
#include <gamut/solver/selection.hpp>

namespace gamut::solver {

/// Coordinate descent with several coordinates at a time, over columns owned by ranks. `Selection` says which: selection::scheduled
/// keeps correlated ones apart, selection::random does not. A round, with a_i the slope of row i's loss:
///     candidates   are drawn; their owners compute  g_j = x~_j'a,  d_j = prox(w_j - g_j / h_j, 1 / h_j) - w_j    one all-reduce
///     selection    who moves together; products of pairs that nobody has needed yet                              (see below)
///     step         w_j += share d_j,  products of the rows with w += sum of share d_j x~_j                       one sum of n numbers
/// h_j = c sum of omega_i x~_ij^2 / Omega, c the model's largest_curvature (1 for least squares, 1/4 for logistic): a step is the best
/// for least squares, and never overshoots alone for others. For penalties that are separable, convex or not. Every rank knows
/// the products of all rows with w, so the slopes of the rows cost no message.
///
/// Sends, per round and rank: 16 bytes a candidate; dense columns: 12 bytes a row (an exact sum), sparse ones: 12 bytes for each entry
/// of the columns that move. 4 all-reduces; sparse: up to two broadcasts a rank besides. scheduled: one all-reduce more, and where
/// pairs are not known yet, at most `together` columns to all ranks and 8 bytes a pair; a pair is computed once. At the start: all
/// data, to every rank. An iteration is some rounds, as many as bring what there is to do down to a tenth or move every weight once,
/// and a measurement: one pass over the rows and two sums, of dimension() and of n numbers.
/// Memory: the owned columns beside the data, `blocks` + 4 numbers per row, and 2048^2 / 2 products of pairs.
///
/// Stops as solver::coordinate does: l1, elastic_net: the duality gap over the objective at zero weights; other penalties: the largest
/// violation of a condition of optimality over the largest slope at the start. `diverged`: the objective is not finite, or far
/// above where it began, or still above it when nothing has got better for 50 measurements.
/// Sources: see solver/selection.hpp. For one process solver::coordinate is faster; docs/which_solver.md has figures.
template <class Selection> struct parallel_coordinate {
    static_assert(solver::Selection<Selection>,
                  "parallel_coordinate: selection needs together, validate() and draw(last, numbers, columns); see "
                  "gamut/solver/selection.hpp");

    Selection selection{};
    std::size_t rounds = 0;   ///< between measurements; 0: until a tenth is left of what the last one found to do
    std::size_t blocks = 16;  ///< of columns, and of rows: the most ranks that have work
    std::uint64_t seed = 1;
    core::stop stop{};
    core::resume_from resume{};  ///< a checkpoint, or a folder of core::checkpoints, to go on from

    template <class P> using penalty_of = std::remove_cvref_t<decltype(std::declval<const P&>().penalty_term())>;

    void validate() const {
        selection.validate();
        if (blocks < 1 || blocks > 4095)
            throw core::option_error(
                core::text("parallel_coordinate: blocks is ", blocks, " (it must be 1 to 4095) try 16"));
        stop.validate("parallel_coordinate");
    }

    template <ColumnOwner P, class... O>
    requires(!P::smooth && penalty::Separable<penalty_of<P>>) core::result<typename P::array> minimize(const P& p,
                                                                                                       O&&... observers)
    const {
        using parts_type = quadratic::parts_of<penalty_of<P>>;
        constexpr bool by_gap = parts_type::has_norm && P::nonnegative_loss;
        constexpr double epsilon = std::numeric_limits<typename P::array::value_type>::epsilon();
        run<P, O...> record("parallel_coordinate", p, stop, observers...);
        communicator::agree(p.communicator(), [&] {
            validate();
            if (p.dataset().has_offsets)
                throw core::option_error(
                    "parallel_coordinate: offsets (its products of the rows know none) use solver::coordinate");
        });
        detail::column_rounds<P, Selection> state(p, selection, blocks, seed, 2048);
        const parts_type parts(p.penalty_term(), state.shape());
        const std::size_t features = state.shape().features, together = std::max<std::size_t>(selection.together, 1);
        const std::size_t most = rounds > 0 ? rounds : 8 * (features / together + 1);

        const double null_objective = state.null_loss() > 0 ? state.null_loss() : 1.0;
        constexpr std::size_t patience = 50;
        detail::descent_end ended(stop, patience, 0.9, epsilon);
        double scale = 1, first = 0, share = 1;
        const auto kept = [&](auto& each) {
            each.shown("weights", [&] { return state.result(); });
            each("state", state);
            each("ended", ended);
            each("scale", scale);
            each("first", first);
        };
        const std::optional<core::record> before = record.resume(resume, kept);
        for (std::size_t k = before ? before->iteration : 1;; ++k) {
            if (!before || k > before->iteration) state.measure();
            const detail::optimality now = detail::assess(state, parts, std::numeric_limits<double>::infinity());
            if (k == 1 && !before) {
                scale = now.largest_slope > 0 ? now.largest_slope : 1.0;
                first = std::max(now.objective, null_objective);
            }
            const double residual = by_gap ? now.gap / null_objective : now.violation / scale;
            const std::optional<core::status> asked = record.report({.iteration = k,
                                                                     .objective = now.objective,
                                                                     .residual = residual,
                                                                     .step = share,
                                                                     .nonzeros = now.nonzeros});
            std::optional<core::status> end = ended(k, now.objective, residual, asked);
            if ((ended.at_rest() && now.objective > first) ||
                now.objective - ended.least_objective() >
                    100 * std::max(first - ended.least_objective(), std::abs(first)))
                end = core::status::diverged;
            if (end) {
                auto result = record.finish(
                    state.result(), now.objective, *end,
                    *end == core::status::stalled
                        ? core::text("nothing got better for ", patience, " measurements; the residual is ", residual)
                        : why<by_gap>(*end, residual, state.rounds()));
                if (by_gap) result.lower_bound = now.objective - std::max(now.gap, 0.0);
                return result;
            }
            share = 1;
            const double enough = 0.1 * state.unrest();
            for (std::size_t r = 0, moves = 0; r < most && state.round(); ++r) {
                share = std::min(share, state.share());
                moves += state.moved().size();
                if (rounds == 0 && (moves >= features || state.unrest() <= enough)) break;
            }
            record.add_passes((state.columns_read() + features / 2) / std::max<std::size_t>(features, 1));
        }
    }

    template <class P, class... O> refused minimize(const P&, O&&...) const {
        static_assert(Problem<P>, "parallel_coordinate: needs a problem with value_and_gradient(w, gradient); see "
                                  "gamut/solver/concept.hpp");
        if constexpr (Problem<P>) {
            static_assert(ColumnOwner<P>, "parallel_coordinate: needs backend::host and a model of one output with "
                                          "largest_curvature; see gamut/solver/column_view.hpp");
            if constexpr (ColumnOwner<P>) {
                static_assert(
                    penalty::Separable<penalty_of<P>>,
                    "parallel_coordinate: needs a penalty of one weight after the other (l1, elastic_net, mcp, "
                    "scad ...); use solver::coordinate for groups");
                static_assert(!P::smooth, "parallel_coordinate: the penalty is smooth (there is no prox to take) use "
                                          "solver::lbfgs, or penalty::elastic_net with l1 = 0");
            }
        }
        return {};
    }

private:
    template <bool ByGap> std::string why(core::status end, double residual, std::size_t made) const {
        if (end == core::status::converged)
            return core::text(ByGap ? "the duality gap" : "the largest violation of a condition of optimality",
                              ", relative, fell to ", residual, " in ", made, " rounds");
        if (end == core::status::diverged)
            return core::text("the objective grew beyond where it began in ", made,
                              " rounds (columns that move together are too correlated?) use selection::scheduled, or "
                              "fewer together");
        return explanation(end, stop);
    }
};

}  // namespace gamut::solver
