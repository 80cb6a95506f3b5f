// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/fwd.hpp>
#include <gamut/penalty/elastic_net.hpp>
#include <gamut/penalty/group.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/penalty/mcp.hpp>
#include <gamut/penalty/scad.hpp>
#include <gamut/quadratic/parts_of.hpp>
#include <gamut/solver/coordinate.hpp>
#include <gamut/solver/run.hpp>

namespace gamut::solver {

/// The penalty with another strength; what it has beside its first strength keeps its proportion to that.
template <class Penalty> Penalty of_strength(Penalty penalty, double strength) {
    if constexpr (requires { penalty.strength; }) {
        if constexpr (requires { penalty.l1; }) penalty.l1 *= penalty.strength > 0 ? strength / penalty.strength : 0.0;
        penalty.strength = strength;
    } else {
        static_assert(
            requires { penalty.l1, penalty.l2; },
            "strengths: needs a penalty with a strength: l1, elastic_net, group, mcp, scad");
        penalty.l2 *= penalty.l1 > 0 ? strength / penalty.l1 : 0.0;
        penalty.l1 = strength;
    }
    return penalty;
}

/// A solution, and the strength of the penalty that it is for.
template <class Array> struct at_strength {
    double strength = 0;
    double loss = 0;  ///< without the penalty
    core::result<Array> result{};
};

/// The path of a Lagrangian penalty: the solutions along falling strengths of the problem's penalty, each begun at the one before, with the columns and second
/// moments that it had. At each strength s after s' the parts with slopes of at least 2 s - s' go to work at once, the sequential
/// strong rule; what it misses the solver's own check of all conditions finds. The l2 of an elastic net (the l1 of a sparse
/// group lasso) keeps its proportion.   Tibshirani et al. 2012, section 7.
/// Costs what each strength costs: usually one pass, and the products of the columns that join.
struct strengths {
    std::size_t count = 100;
    double least = 0.01;           ///< the last strength over the largest
    std::vector<double> values{};  ///< falling, instead of `count` that fall by a constant factor from the largest
    coordinate solver{};

    void validate() const {
        if (!(least > 0 && least <= 1))
            throw core::option_error(
                core::text("strengths: least is ", least, " (it must lie between 0 and 1) try 0.01"));
        for (std::size_t i = 0; i < values.size(); ++i)
            if (!(values[i] >= 0 && std::isfinite(values[i]) && (i == 0 || values[i] <= values[i - 1])))
                throw core::option_error(
                    core::text("strengths: values has ", values[i], " (they must be finite, not negative, and fall)"));
        solver.validate();
    }

    /// The least strength that makes all weights 0. One pass, and some over rows without columns for the intercepts.
    template <Coordinatewise P> static double largest(const P& p) {
        auto state = prepare(p, [&] { return detail::coordinate_state<P>(p, 0); });
        return largest(p, state);
    }

    template <Coordinatewise P, class... O>
    std::vector<at_strength<typename P::array>> minimize(const P& p, O&&... observers) const {
        static_assert(!P::smooth,
                      "strengths: the penalty is smooth (no strength of it makes weights 0) use l1 or its like");
        static_assert(!has_nonsmooth_loss<P>, "strengths: the loss has corners (it works on second derivatives) use "
                                              "solver::admm at one strength after the other");
        auto state = prepare(p, [&] {
            validate();
            return detail::coordinate_state<P>(p, solver.anderson);
        });
        double before = largest(p, state);
        std::vector<double> falling = values;
        for (std::size_t i = 0; values.empty() && i < count; ++i)
            falling.push_back(
                before * std::pow(least, count > 1 ? static_cast<double>(i) / static_cast<double>(count - 1) : 0.0));
        std::vector<at_strength<typename P::array>> path;
        for (const double strength : falling) {
            run<P, O...> record("coordinate", p, solver.stop, observers...);
            const auto penalty = of_strength(p.penalty_term(), strength);
            auto found = solver.descend(state, penalty, record, 2 * strength - std::max(before, strength));
            const double loss = found.objective - value_of(penalty, state.shape(), found.weights);
            path.push_back({strength, std::max(loss, P::nonnegative_loss ? 0 : loss), std::move(found)});
            before = strength;
        }
        return path;
    }

private:
    template <class Penalty, class Array>
    static double value_of(const Penalty& penalty, penalty::layout shape, const Array& weights) {
        const auto w = weights.download();
        const std::vector<double> entries(w.begin(), w.end());
        const quadratic::parts_of parts(penalty, shape);
        double sum = 0;
        for (std::size_t part = 0; part < parts.size(); ++part) {
            const std::size_t begin = parts.begin(part) * shape.outputs, end = parts.end(part) * shape.outputs;
            sum += parts.value(part, std::span(entries).subspan(begin, end - begin));
        }
        return sum;
    }

    /// Leaves the state at weights 0, measured.
    template <class P> static double largest(const P& p, detail::coordinate_state<P>& state) {
        state.clear_weights();
        state.begin();
        state.measure();
        const auto all_zero = [&](double strength) {
            const auto penalty = of_strength(p.penalty_term(), strength);
            const quadratic::parts_of parts(penalty, state.shape());
            for (std::size_t part = 0; part < parts.size(); ++part)
                if (parts.excess(part, state.of(state.slopes(), parts.begin(part), parts.end(part))) > 0) return false;
            return true;
        };
        double high = 0;
        for (std::size_t j = 0; j < state.shape().size(); ++j) high = std::max(high, std::abs(state.slopes()[j]));
        if (!(high > 0)) return 0;
        while (!all_zero(high)) high *= 2;  // weights of groups may be small
        double low = 0;
        if (all_zero(0.5 * high))
            while (all_zero(0.5 * high)) high *= 0.5;
        low = 0.5 * high;
        for (int i = 0; i < 60 && low < high; ++i) {
            const double middle = low + 0.5 * (high - low);
            if (middle == low || middle == high) break;
            (all_zero(middle) ? high : low) = middle;
        }
        return high;
    }
};

}  // namespace gamut::solver
