// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/newton_cg.hpp>

namespace gamut::solver {

/// A composite problem whose penalty counts weights.
template <class P>
concept Cardinality = Composite<P> && requires(const P& p) {
    { p.penalty_term() } -> std::convertible_to<const penalty::l0&>;
    { p.layout() } -> std::convertible_to<penalty::layout>;
};

/// A problem with a cardinality penalty, on one support: all other weights stay 0, the counting is done with, and what
/// is left of the penalty is l2/2 |w|^2. Smooth and convex if the loss is.
template <Cardinality P> class restricted {
public:
    using array = typename P::array;
    using value_type = typename array::value_type;
    static constexpr bool smooth = true;

    /// The support is that of `w`, with the free features and the intercepts. scale: the size of a gradient, or 0.
    restricted(const P& p, const array& w, double scale = 0)
        : problem_(p),
          start_(w),
          scale_(scale),
          mask_(w.size()),
          ridge_(w.size()) {
        const penalty::layout shape = p.layout();
        const penalty::l0& term = p.penalty_term();
        std::vector<value_type> mask = w.download(), ridge(mask.size(), value_type(0));
        std::vector<bool> free(shape.features);
        for (const std::size_t feature : term.free) free[feature] = true;
        for (std::size_t i = 0; i < shape.features; ++i) {
            bool row = free[i];
            if (term.over == penalty::support::rows)
                for (std::size_t k = 0; k < shape.outputs; ++k) row = row || mask[i * shape.outputs + k] != 0;
            for (std::size_t k = 0; k < shape.outputs; ++k) {
                value_type& entry = mask[i * shape.outputs + k];
                entry = row || entry != 0 ? 1 : 0;
                ridge[i * shape.outputs + k] = static_cast<value_type>(term.l2);
            }
        }
        for (std::size_t j = shape.size(); j < mask.size(); ++j) mask[j] = 1;
        mask_.upload(mask);
        ridge_.upload(ridge);
    }

    std::size_t dimension() const { return problem_.dimension(); }
    decltype(auto) communicator() const { return problem_.communicator(); }
    const array& start() const { return start_; }
    std::size_t passes() const { return problem_.passes(); }
    double gradient_scale() const { return scale_; }
    std::size_t nonzeros(const array& w) const { return problem_.nonzeros(w); }

    double value(const array& w) const { return problem_.value(w) + ridge_value(w); }
    double value_and_gradient(const array& w, array& gradient) const {
        const double loss = problem_.value_and_gradient(w, gradient);
        gradient = mask_ * (gradient + ridge_ * w);
        return loss + ridge_value(w);
    }
    auto hessian(const array& w) const {
        struct masked {
            decltype(std::declval<const P&>().hessian(w)) inner;
            const restricted& self;
            void times(const array& v, array& out) const {
                inner.times(v, out);
                out = self.mask_ * (out + self.ridge_ * v);
            }
        };
        return masked{problem_.hessian(w), *this};
    }

private:
    double ridge_value(const array& w) const {
        const array squares = ridge_ * w * w;
        return 0.5 * backend::total(squares);
    }

    const P& problem_;
    const array& start_;
    double scale_;
    array mask_, ridge_;
};

/// The best weights on the support of the given ones.
///
/// Smooth case (l1 = 0, no bounds): restricted Newton, conjugate gradients on the support; few steps when warm.
/// With l1 or bounds: accelerated proximal gradient on the support with restarts (O'Donoghue and Candes 2015), then done.
/// Each step costs what newton_cg's does: passes over the data with one reduction each.
/// Stops at stop.tolerance times the gradient at w, or times `scale` where that is more: w may be the best already.
struct polish {
    core::stop stop{.iterations = 30, .tolerance = 1e-10};

    template <Cardinality P>
    core::result<typename P::array> improve(const P& p, const typename P::array& w, double scale = 0) const {
        const penalty::l0& term = p.penalty_term();
        constexpr double infinity = std::numeric_limits<double>::infinity();
        if (term.l1 == 0 && term.lower == -infinity && term.upper == infinity) {
            const restricted<P> inside(p, w, scale);
            return newton_cg<>{.stop = stop}.minimize(inside);
        }
        return proximal(p, w);
    }

private:
    /// The prox of the whole penalty on the support alone: kappa does not bind there, and what is masked stays 0.
    template <Cardinality P> core::result<typename P::array> proximal(const P& p, const typename P::array& w) const {
        using A = typename P::array;
        using T = typename A::value_type;
        const A mask = autodiff::choose(w == T(0), T(0), T(1));
        const std::size_t before = p.passes();
        A x = w, y = w, previous = w, g(w.size()), trial(w.size());
        const auto whole = [&](const A& v) { return p.value(v) + p.penalty(v); };
        double objective = whole(x), lipschitz = 0, momentum = 1;
        core::result<A> result;
        result.status = core::status::iteration_limit;
        const std::size_t most = stop.iterations * 20;
        for (std::size_t k = 0; k < most; ++k) {
            const double loss = p.value_and_gradient(y, g);
            if (lipschitz == 0) lipschitz = std::max(backend::norm(g) / std::max(backend::norm(x), 1e-3), 1e-12);
            double change = 0;
            for (;;) {  // backtracking on the quadratic model
                trial = mask * (y - static_cast<T>(1 / lipschitz) * g);
                p.prox(trial, 1 / lipschitz, trial);
                change = backend::distance(trial, y);
                const A step = trial - y;
                const double model = loss + backend::dot(g, step) + 0.5 * lipschitz * change * change;
                if (p.value(trial) <= model + 1e-12 * std::abs(model) || !std::isfinite(model)) break;
                lipschitz *= 2;
            }
            const double now = whole(trial);
            if (now > objective && momentum > 1) {  // restart from the last good point
                y = x;
                momentum = 1;
                continue;
            }
            previous = x;
            x = trial;
            objective = std::min(objective, now);
            const double next = 0.5 * (1 + std::sqrt(1 + 4 * momentum * momentum));
            y = x + static_cast<T>((momentum - 1) / next) * (x - previous);
            momentum = next;
            result.iterations = k + 1;
            if (change <= stop.tolerance * std::max(1.0, backend::norm(x))) {
                result.status = core::status::converged;
                break;
            }
        }
        result.weights = std::move(x);
        result.objective = objective;
        result.passes = p.passes() - before;
        return result;
    }
};

}  // namespace gamut::solver
