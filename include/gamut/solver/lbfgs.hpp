// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/resume_from.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/fwd.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/descent.hpp>
#include <gamut/solver/line_search.hpp>

namespace gamut::solver {

namespace detail {

/// d = -H g, H the inverse Hessian that the last steps s and gradient changes y suggest: the two-loop recursion.
template <class A> class lbfgs_direction {
    using T = typename A::value_type;

public:
    lbfgs_direction(std::size_t memory, const A& like)
        : s_(memory, like),
          y_(memory, like),
          curvature_(memory),
          weight_(memory) {}

    template <class F> double operator()(const F& f, const A& w, const A& g, double /*residual*/, A& d) {
        d = -g;
        if (stored_ == 0) return first_step(f, w, g, d);
        for (std::size_t i = 0; i < stored_; ++i) {  // newest to oldest
            const std::size_t j = place(i);
            weight_[j] = backend::dot(s_[j], d) / curvature_[j];
            d = d - static_cast<T>(weight_[j]) * y_[j];
        }
        d = static_cast<T>(scale_) * d;
        for (std::size_t i = stored_; i-- > 0;) {
            const std::size_t j = place(i);
            d = d + static_cast<T>(weight_[j] - backend::dot(y_[j], d) / curvature_[j]) * s_[j];
        }
        return 1;
    }

    void update(const A& s, const A& y) {
        const double sy = backend::dot(s, y), yy = backend::dot(y, y);
        // a pair without positive curvature, beyond rounding, would spoil the matrix
        if (!(sy > 1e-16 * backend::norm(s) * std::sqrt(yy)) || !std::isfinite(yy)) return;
        newest_ = stored_ == 0 ? 0 : (newest_ + 1) % s_.size();
        if (stored_ < s_.size()) ++stored_;
        s_[newest_] = s;
        y_[newest_] = y;
        curvature_[newest_] = sy;
        scale_ = sy / yy;
    }

    void forget() { stored_ = 0; }

    /// See state.hpp.
    template <class Each> [[gnu::cold]] void describe(Each& each) {
        each("steps", s_);
        each("changes", y_);
        each("curvature", curvature_);
        each("scale", scale_);
        each("stored", stored_);
        each("newest", newest_);
    }

private:
    std::size_t place(std::size_t age) const { return (newest_ + s_.size() - age) % s_.size(); }

    // the minimiser of the quadratic along the gradient, if its curvature is to be had; otherwise a step of length 1
    template <class F> double first_step(const F& f, const A& w, const A& g, const A& d) {
        const double gg = backend::dot(g, g);
        if constexpr (TwiceDifferentiable<F>) {
            A& product = s_[0];  // free: nothing is stored
            f.hessian(w).times(d, product);
            const double curvature = backend::dot(d, product);
            if (curvature > 0 && std::isfinite(gg / curvature)) return gg / curvature;
        }
        return 1 / std::sqrt(gg);
    }

    std::vector<A> s_, y_;
    std::vector<double> curvature_, weight_;
    double scale_ = 1;
    std::size_t stored_ = 0, newest_ = 0;
};

}  // namespace detail

/// Limited-memory BFGS: minimises a smooth objective by quasi-Newton steps made of the last `memory` gradient changes.
/// Stops when |gradient| <= stop.tolerance |gradient at the start|, or when rounding hides any further progress.
/// Per iteration: about one value and gradient (one pass, one reduction); keeps 2 memory + 6 arrays.
/// As a local solver it moves a block's weights towards argmin f(w) + rho/2 |w - centre|^2 by the same rule.
/// Liu and Nocedal 1989; Nocedal and Wright 2006, algorithms 7.4 and 7.5.
template <class Search> struct lbfgs {
    static constexpr bool takes_any_problem = true;
    std::size_t memory = 10;
    Search search{};
    core::stop stop{};
    core::resume_from resume{};  ///< a checkpoint, or a folder of core::checkpoints, to go on from

    void validate() const {
        if (memory < 1) throw core::option_error("lbfgs: memory is 0 (at least one step must be remembered) try 10");
        stop.validate("lbfgs");
        search.validate();
    }

    template <SmoothProblem P, class... O>
    [[gnu::cold]] core::result<typename P::array> minimize(const P& p, O&&... observers) const {
        const auto direction = [this](const typename P::array& w) {
            validate();
            return detail::lbfgs_direction<typename P::array>(memory, w);
        };
        return descent::minimize("lbfgs", p, direction, search, stop, resume, observers...);
    }

    template <class P, class... O> [[gnu::cold]] refused minimize(const P&, O&&...) const {
        static_assert(Problem<P>,
                      "lbfgs: needs a problem with value_and_gradient(w, gradient); see gamut/solver/concept.hpp");
        static_assert(!Problem<P> || SmoothProblem<P>,
                      "lbfgs: needs a smooth penalty (l1 has a corner at 0); use solver::admm");
        return {};
    }

    template <Function F>
    improvement improve(const F& f, typename F::array& w, const typename F::array& centre, double rho) const {
        return descent::improve(f, w, centre, rho, detail::lbfgs_direction<typename F::array>(memory, w), search, stop);
    }
};

}  // namespace gamut::solver
