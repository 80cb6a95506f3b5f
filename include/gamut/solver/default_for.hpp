// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include <gamut/core/stop.hpp>
#include <gamut/fwd.hpp>
#include <gamut/model/concept.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/penalty/concept.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/penalty/none.hpp>
#include <gamut/solver/admm.hpp>
#include <gamut/solver/coordinate.hpp>
#include <gamut/solver/disadmm.hpp>
#include <gamut/solver/dual.hpp>
#include <gamut/solver/erased_problem.hpp>
#include <gamut/solver/lbfgs.hpp>
#include <gamut/solver/least_squares.hpp>

namespace gamut::solver {

namespace detail {

/// coordinate where columns can be looked at; admm elsewhere, on a device for instance.
struct coordinate_or_admm {
    std::size_t blocks = coordinate{}.blocks;
    core::stop stop{};

    template <class P, class... O> auto minimize(const P& p, O&&... observers) const {
        if constexpr (Coordinatewise<P>)
            return coordinate{.blocks = blocks, .stop = stop}.minimize(p, observers...);
        else
            return admm<>{.blocks = blocks, .stop = stop}.minimize(p, observers...);
    }
};

/// dual where the model has a conjugate, in this process's memory, and what is fitted has an l2 and no offsets; admm elsewhere.
struct dual_or_admm {
    std::size_t blocks = dual{}.blocks;
    core::stop stop = dual{}.stop;

    template <class P, class... O> auto minimize(const P& p, O&&... observers) const {
        if constexpr (DualProblem<P>)
            if (ridge_of(p.penalty_term()).l2 > 0 && !p.dataset().has_offsets)
                return dual{.blocks = blocks, .stop = stop}.minimize(p, observers...);
        return admm<>{.blocks = blocks}.minimize(p, observers...);
    }
};

/// least_squares where the rows are in this process's memory and an orthogonal factorisation of them takes a second or few; else lbfgs.
struct least_squares_or_lbfgs {
    core::stop stop{};

    template <class P, class... O> auto minimize(const P& p, O&&... observers) const {
        if constexpr (DirectlySolvable<P>)
            if (is_quick(p)) return least_squares{}.minimize(p, observers...);
        return solver::minimize(lbfgs<>{.stop = stop}, p, observers...);
    }

    /// 4 operations for each row and pair of columns, and the same for merging the shards' triangles.
    template <class P> static bool is_quick(const P& p) {
        const auto width = static_cast<double>(p.layout().features + 2), rows = static_cast<double>(p.dataset().rows()),
                   shards = static_cast<double>(p.dataset().partition.shards);
        return width <= 1002 && (rows + shards * std::min(width, rows / shards) / 3) * width * width <= 4e9;
    }
};

template <class Penalty>
inline constexpr bool for_coordinates =
    std::is_same_v<Penalty, penalty::l1> || std::is_same_v<Penalty, penalty::elastic_net> ||
    std::is_same_v<Penalty, penalty::group> || std::is_same_v<Penalty, penalty::mcp> ||
    std::is_same_v<Penalty, penalty::scad>;

}  // namespace detail

/// The solver that suits a model and a penalty: disadmm searches for the best kappa weights, least_squares solves least squares without
/// or with l2 while columns and rows are moderate, lbfgs is fast where everything is smooth, coordinate where a penalty makes zeros, admm takes whatever has a prox. A loss with corners (the hinge) takes dual
/// where l2 allows it, else admm.
template <class Model, class Penalty> struct default_for {
private:
    static constexpr bool has_l2 =
        std::is_same_v<Penalty, penalty::l2> || std::is_same_v<Penalty, penalty::elastic_net>;
    static constexpr bool is_direct = std::is_same_v<Model, model::linear> &&
                                      (std::is_same_v<Penalty, penalty::none> || std::is_same_v<Penalty, penalty::l2>);
    using smooth = std::conditional_t<is_direct, detail::least_squares_or_lbfgs, lbfgs<>>;
    using smooth_loss =
        std::conditional_t<penalty::Smooth<Penalty>, smooth,
                           std::conditional_t<detail::for_coordinates<Penalty>, detail::coordinate_or_admm, admm<>>>;
    using any_loss = std::conditional_t<model::is_nonsmooth<Model>,
                                        std::conditional_t<has_l2, detail::dual_or_admm, admm<>>, smooth_loss>;

public:
    using type = std::conditional_t<std::is_same_v<Penalty, penalty::l0>, disadmm<>, any_loss>;
};

}  // namespace gamut::solver
