// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <utility>

#include <gamut/backend/array.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/fwd.hpp>
#include <gamut/solver/concept.hpp>

namespace gamut::shrink {

/// Where weights may be, and what a gradient there becomes:
///   place(w)       moves the weights to where the problem is evaluated
///   direct(g)      makes of the gradient at that point the one that the solver gets
/// Both the projection onto a linear space (mask, clusters): a solver whose steps are elementwise or sums of gradients stays
/// in it. place rounds and direct does nothing (rounding): the solver has weights of its own, between the levels (straight-through).
template <class R, class T>
concept HoldingRule = requires(const R& rule, std::span<T> numbers) {
    rule.place(numbers);
    rule.direct(numbers);
};

/// A problem whose weights a rule holds: f(place(w)), for any solver.
///     shrink::held_problem pruned(problem, shrink::magnitude{.keep = 0.2}(weights, tensors), start);
///     auto found = solver::sgd{...}.minimize(pruned);   pruned.settle(found.weights);
/// start: placed before the solver sees it. settle(w): what the solver found, placed.
/// Cost: that of the problem, and one pass over the weights or two. The problem is referred to and must live as long.
/// Throws shape_error for a start of another size.
template <class P, class Rule> class held_problem {
    static_assert(solver::Problem<P>, "held_problem: needs a problem; see gamut/solver/concept.hpp");
    static_assert(HoldingRule<Rule, typename P::value_type>,
                  "held_problem: needs a rule with place(weights) and direct(gradient), such as shrink::mask; see "
                  "gamut/shrink/held_problem.hpp");

public:
    using array = typename P::array;
    using value_type = typename P::value_type;
    static constexpr bool smooth = P::smooth;

    held_problem(const P& problem, Rule rule, array start)
        : problem_(problem),
          rule_(std::move(rule)),
          start_(std::move(start)),
          placed_(start_) {
        if (start_.size() != problem.dimension())
            throw core::shape_error(core::text("held_problem: a start of ", start_.size(), " numbers (the problem has ",
                                               problem.dimension(), ") give one for each"));
        rule_.place(start_.span());
    }

    void settle(array& w) const { rule_.place(w.span()); }
    const Rule& rule() const { return rule_; }

    std::size_t dimension() const { return problem_.dimension(); }
    const auto& communicator() const { return problem_.communicator(); }
    const array& start() const { return start_; }
    std::size_t passes() const { return problem_.passes(); }

    double value(const array& w) const { return problem_.value(placed(w)); }
    double value_and_gradient(const array& w, array& gradient) const {
        const double value = problem_.value_and_gradient(placed(w), gradient);
        rule_.direct(gradient.span());
        return value;
    }

    /// D H D, D being what direct does.
    auto hessian(const array& w) const requires solver::TwiceDifferentiable<P> {
        struct product {
            decltype(std::declval<const P&>().hessian(w)) inner;
            const held_problem& self;
            void times(const array& v, array& out) const {
                array direction = v;
                self.rule_.direct(direction.span());
                inner.times(direction, out);
                self.rule_.direct(out.span());
            }
        };
        return product{problem_.hessian(placed(w)), *this};
    }

    double penalty(const array& w) const requires solver::Composite<P> { return problem_.penalty(placed(w)); }
    void prox(const array& v, double step, array& out) const requires solver::Composite<P> {
        problem_.prox(v, step, out);
        rule_.direct(out.span());
    }
    std::size_t nonzeros(const array& w) const requires solver::Composite<P> { return problem_.nonzeros(placed(w)); }

    std::size_t batches(std::size_t size) const requires solver::Stochastic<P> { return problem_.batches(size); }
    double batch_gradient(const array& w, const solver::batch& wanted,
                          array& gradient) const requires solver::Stochastic<P> {
        const double value = problem_.batch_gradient(placed(w), wanted, gradient);
        rule_.direct(gradient.span());
        return value;
    }

private:
    const array& placed(const array& w) const {
        placed_ = w;
        rule_.place(placed_.span());
        return placed_;
    }

    const P& problem_;
    Rule rule_;
    array start_;
    mutable array placed_;
};

}  // namespace gamut::shrink
