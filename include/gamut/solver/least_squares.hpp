// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/core/text.hpp>
#include <gamut/fwd.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/penalty/none.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/refit.hpp>
#include <gamut/solver/run.hpp>

namespace gamut::solver {

/// Least squares without a penalty, or with l2: what one orthogonal factorisation solves.
template <class P>
concept DirectlySolvable = LeastSquares<P> && requires(const P& p) {
    requires std::is_same_v<std::remove_cvref_t<decltype(p.penalty_term())>, penalty::none> ||
        std::is_same_v<std::remove_cvref_t<decltype(p.penalty_term())>, penalty::l2>;
};

/// Least squares, with or without an l2, solved directly: an orthogonal factorisation of the rows and iterative refinement, see
/// solver/refit.hpp for the formula, the accuracy and what it costs. Where columns are collinear it takes, among the weights that minimise,
/// those of least norm (standardised as the problem has them), and the message names the columns.
/// `converged`: another step would move no weight by more than its rounding. `iteration_limit`: columns so nearly collinear that
/// `steps` steps did not get there; the message says by how much the last one moved a weight.
/// Memory: a triangle of (columns + 2)^2 / 2 numbers per shard.
struct least_squares {
    std::size_t steps = 10;  ///< of refinement, at most; each is a pass

    void validate() const {
        if (steps < 1)
            throw core::option_error("least_squares: steps is 0 (one step tells how near the end is) try 10");
    }

    template <DirectlySolvable P, class... O>
    [[gnu::cold]] core::result<typename P::array> minimize(const P& p, O&&... observers) const {
        using A = typename P::array;
        using T = typename A::value_type;
        prepare(p, [&] {
            validate();
            return 0;
        });
        const core::stop stop{};
        run<P, std::remove_reference_t<O>...> process("least_squares", p, stop, observers...);
        double l2 = 0;
        if constexpr (requires { p.penalty_term().strength; }) l2 = p.penalty_term().strength;
        std::vector<std::size_t> columns(p.layout().features);
        std::iota(columns.begin(), columns.end(), std::size_t(0));

        const refitted found = refit(p, columns, l2, steps);
        process.add_passes(found.passes);
        const std::vector<T> rounded(found.weights.begin(), found.weights.end());
        A w{std::span<const T>(rounded)};
        // weights in float are not those that were found: what is reported is theirs
        const double objective = std::is_same_v<T, double> || !found.finite ? found.objective : p.value(w);
        const auto asked = process.report(core::record{.iteration = found.passes - 1,
                                                       .objective = objective,
                                                       .residual = found.correction,
                                                       .nonzeros = nonzeros(p, w)});
        if (!found.finite)
            return process.finish(
                std::move(w), objective, core::status::diverged,
                "numbers overflow (columns or labels are not finite when squared) give them in other units");
        if (asked) return process.finish(std::move(w), objective, *asked, explanation(*asked, stop));
        return process.finish(
            std::move(w), objective, found.settled ? core::status::converged : core::status::iteration_limit,
            core::text(found.settled
                           ? "solved directly, no step would move a weight by more than rounding"
                           : core::text("not settled, the last step still moved a weight by ", found.correction,
                                        " of itself (columns are nearly collinear) add an l2 penalty"),
                       found.rank == 0 ? std::string() : core::text("; condition about ", found.condition),
                       of_rank(p, found)));
    }

    template <class P, class... O> refused minimize(const P&, O&&...) const {
        static_assert(Problem<P>, "least_squares: needs a problem; see gamut/solver/concept.hpp");
        static_assert(
            !Problem<P> || DirectlySolvable<P>,
            "least_squares: needs model::linear with penalty::none or penalty::l2, and rows in this process's "
            "memory; use solver::lbfgs");
        return {};
    }

private:
    /// Which columns the others make up; constant ones need no mention where there is an intercept.
    template <class P> static std::string of_rank(const P& p, const refitted& found) {
        const auto& constant = p.scaling().constant;
        const auto is_zero = [&](std::size_t j) { return std::binary_search(constant.begin(), constant.end(), j); };
        const auto name = [&](std::size_t j) {
            return j < p.layout().features ? core::text("'", p.dataset().features[j], "'")
                                           : std::string("the intercept");
        };
        std::string sets;
        std::size_t told = 0, all = 0;
        for (const auto& set : found.collinear) {
            if (set.size() == 1 && is_zero(set.front())) continue;
            if (++all > 3) continue;
            ++told;
            if (told > 1) sets += "; ";
            if (set.size() == 1) {
                sets += core::text(name(set.front()), " is 0 everywhere");
                continue;
            }
            for (std::size_t k = 0; k < std::min<std::size_t>(set.size(), 6); ++k)
                sets += core::text(k == 0 ? "" : ", ", name(set[k]));
            if (set.size() > 6) sets += core::text(" and ", set.size() - 6, " more");
            sets += " are collinear";
        }
        if (all == 0) return {};
        if (all > told) sets += core::text("; and ", all - told, " more columns");
        return core::text("; rank ", found.rank, " of ", found.unknowns(), ", weights of least norm (", sets, ")");
    }
};

}  // namespace gamut::solver
