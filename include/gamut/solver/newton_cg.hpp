// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

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

/// d = an approximate solution of H d = -g by conjugate gradients, which only need products with H.
template <class A> class newton_direction {
    using T = typename A::value_type;

public:
    newton_direction(double forcing, std::size_t products, double tolerance, const A& like)
        : forcing_(forcing),
          products_(products),
          tolerance_(tolerance),
          remainder_(like),
          search_(like),
          product_(like) {}

    template <class F> [[gnu::cold]] double operator()(const F& f, const A& w, const A& g, double residual, A& d) {
        // solve well only near the minimum, and no better than the run's own tolerance needs
        const double wanted =
            std::min(0.5, std::max(std::min(forcing_, std::sqrt(residual)), 0.5 * tolerance_ / residual));
        auto h = f.hessian(w);
        A &r = remainder_, &s = search_, &hs = product_;
        d = T(0) * g;
        r = -g;
        s = r;
        double rr = backend::dot(r, r);
        const double enough = wanted * wanted * rr;
        for (std::size_t k = 0; k < products_ && rr > enough; ++k) {
            h.times(s, hs);
            const double curvature = backend::dot(s, hs);
            if (!(curvature > 0)) {  // not convex this way: what there is of d goes down, else the gradient does
                if (k == 0) d = -g;
                break;
            }
            const double t = rr / curvature;
            d = d + static_cast<T>(t) * s;
            r = r - static_cast<T>(t) * hs;
            const double before = rr;
            rr = backend::dot(r, r);
            if (!std::isfinite(rr)) break;
            s = r + static_cast<T>(rr / before) * s;
        }
        return 1;
    }

    void update(const A&, const A&) {}
    void forget() {}
    template <class Each> void describe(Each&) {}  // keeps nothing from step to step

private:
    double forcing_;
    std::size_t products_;
    double tolerance_;
    A remainder_, search_, product_;
};

}  // namespace detail

/// Truncated Newton: minimises a smooth objective by steps that solve H d = -gradient with conjugate gradients, to
/// |H d + g| <= min(forcing, sqrt(|g| / |g at the start|)) |g|, which makes it converge superlinearly.
/// Where H has a direction of negative curvature the step follows the last direction before it.
/// Stops when |gradient| <= stop.tolerance |gradient at the start|, or when rounding hides any further progress.
/// Per iteration: one value and gradient and some products with H, one pass and one reduction each; keeps 9 arrays.
/// As a local solver it moves a block's weights towards argmin f(w) + rho/2 |w - centre|^2 by the same rule.
/// Nocedal and Wright 2006, algorithm 7.1; Dembo, Eisenstat and Steihaug 1982.
template <class Search> struct newton_cg {
    static constexpr bool takes_any_problem = true;
    double forcing = 0.5;
    std::size_t products = 250;  ///< with H, at most, per iteration
    Search search{};
    core::stop stop{};
    core::resume_from resume{};  ///< a checkpoint, or a folder of core::checkpoints, to go on from

    void validate() const {
        if (!(forcing > 0 && forcing < 1))
            throw core::option_error(
                core::text("newton_cg: forcing is ", forcing, " (it must lie between 0 and 1) try 0.5"));
        if (products < 1) throw core::option_error("newton_cg: products is 0 (at least 1 is needed) try 250");
        stop.validate("newton_cg");
        search.validate();
    }

    template <SmoothProblem P, class... O>
    requires TwiceDifferentiable<P> core::result<typename P::array> minimize(const P& p, O&&... observers)
    const {
        const auto direction = [this](const typename P::array& w) {
            validate();
            return detail::newton_direction<typename P::array>(forcing, products, stop.tolerance, w);
        };
        return descent::minimize("newton_cg", p, direction, search, stop, resume, observers...);
    }

    template <class P, class... O> refused minimize(const P&, O&&...) const {
        static_assert(Problem<P>,
                      "newton_cg: needs a problem with value_and_gradient(w, gradient); see gamut/solver/concept.hpp");
        static_assert(!Problem<P> || SmoothProblem<P>,
                      "newton_cg: needs a smooth penalty (l1 has a corner at 0); use solver::admm");
        static_assert(!SmoothProblem<P> || TwiceDifferentiable<P>,
                      "newton_cg: needs hessian(w) with times(v, out); use solver::lbfgs");
        return {};
    }

    template <TwiceDifferentiable F>
    improvement improve(const F& f, typename F::array& w, const typename F::array& centre, double rho) const {
        const detail::newton_direction<typename F::array> direction(forcing, products, stop.tolerance, w);
        return descent::improve(f, w, centre, rho, direction, search, stop);
    }
};

}  // namespace gamut::solver
