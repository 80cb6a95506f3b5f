// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <optional>
#include <string>

#include <gamut/backend/array.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/run.hpp>
#include <gamut/solver/stopping.hpp>

namespace gamut::solver::detail {

/// What sgd says of its weights after an epoch, whether all ranks share one copy or nodes have their own: the objective and the residual
/// there, and whether and how the run ends.
template <class A> class epoch_judge {
    using T = typename A::value_type;

public:
    epoch_judge(const A& start, double tolerance) : start_(start), far_(start), tolerance_(tolerance) {}

    /// Objective and residual at w: one pass. `gradient` and `moved` are scratch.
    template <class P> void look(const P& p, const A& w, A& gradient, A& moved, double rate, core::record& now) {
        const double step = rate > 0 ? rate : 1;  // a rate may begin or end at 0
        now.objective = p.value_and_gradient(w, gradient);
        double length = 0;
        if constexpr (P::smooth) {
            length = backend::norm(gradient);
        } else {
            now.objective += p.penalty(w);
            gradient = w - static_cast<T>(step) * gradient;
            p.prox(gradient, step, moved);
            length = backend::distance(w, moved) / step;
        }
        if (std::isnan(scale_)) scale_ = length, at_start_ = now.objective;
        now.residual = scale_ > 0 ? length / scale_ : length;
    }

    /// How the run ends, if it does. An objective that is not a number was not looked for.
    template <class P>
    ending operator()(const P& p, const A& w, const core::record& now, std::optional<core::status> asked,
                      const core::stop& stop) {
        const bool converged = now.residual <= tolerance_, last = now.iteration >= stop.iterations;
        ending ended;
        auto& [end, why] = ended;
        if (!is_finite(now) || !std::isfinite(backend::norm(w))) {
            end = core::status::diverged;
        } else if (converged || last) {
            ended = far_.end(p, w, now.objective);
            if (!end && converged) {
                ended = confirmed_end(p, w, start_, at_start_ - now.objective, stop.tolerance);
                if (!end) tolerance_ = 0.1 * now.residual;
            }
        }
        if (!end && asked) end = asked, why.clear();
        if (!end && last) {
            end = core::status::iteration_limit;
            if (!why.empty()) why = explanation(*end, stop) + ", and " + why;
        }
        if (end && why.empty()) why = explanation(*end, stop);
        if (!end && now.iteration == 0) far_.begin(w, now.objective);
        if (!end && halting_watch<A>::due(now.iteration)) far_.remember(w);
        return ended;
    }

    /// For checkpoints; see solver/state.hpp.
    template <class Each> void describe(Each& each) {
        each("far", far_);
        each("scale", scale_);
        each("at_start", at_start_);
        each("tolerance", tolerance_);
    }

private:
    static bool is_finite(const core::record& now) { return std::isfinite(now.objective) || was_not_looked_at(now); }
    static bool was_not_looked_at(const core::record& now) { return now.phase == "apart"; }

    A start_;
    halting_watch<A> far_;
    double scale_ = core::record::none, at_start_ = 0, tolerance_;
};

}  // namespace gamut::solver::detail
