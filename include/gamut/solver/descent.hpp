// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include <gamut/backend/array.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/resume_from.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/solver/beginning.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/line_search.hpp>
#include <gamut/solver/run.hpp>
#include <gamut/solver/stopping.hpp>

/// The loop that lbfgs and newton_cg share: direction, step, until the gradient is small.
namespace gamut::solver::descent {

/// What chooses the directions of a descent.
///   direction(f, w, gradient, residual, d)   d = a descent direction; returns the first step length to try
///   update(s, y)                             w moved by s, the gradient changed by y
///   forget()                                 the directions were useless
template <class D, class F>
concept Direction = requires(D& direction, const F& f, const typename F::array& w, typename F::array& d) {
    { direction(f, w, w, 1.0, d) } -> std::convertible_to<double>;
    direction.update(w, w);
    direction.forget();
};

template <class A> struct workspace {
    A gradient, direction, trial, trial_gradient;
    explicit workspace(const A& w) : gradient(w), direction(w), trial(w), trial_gradient(w) {}
};

struct outcome {
    core::status status = core::status::iteration_limit;
    std::string message{};
    double value = std::numeric_limits<double>::quiet_NaN();
    double residual = std::numeric_limits<double>::quiet_NaN();  ///< norm of the gradient
    std::size_t iterations = 0;
};

/// The weights as a user knows them, where those of f are others. A function of its own: nvcc 13 compiles a lambda in a branch
/// of a generic lambda that is not taken, too.
template <Function F, class Each> void show_given(const F& f, const typename F::array& w, Each& each) {
    if constexpr (requires { f.given(w); }) each.shown("weights", [&] { return f.given(w); });
}

/// Minimises f from w, in place. Stops when |gradient| <= stop.tolerance |gradient at the start|, or when rounding
/// hides any further progress. `report(record, w)` is called before every step and may end the run by a status;
/// report.resume(state), if there is such a thing, may take over the state of an earlier run (see state.hpp).
/// A function may have gradient_scale(), the size of a gradient that is not small: it takes the place of the gradient at
/// the start where that is smaller, for a start may be the minimum already and its gradient nothing but rounding.
/// With a `watch`, an end is confirmed by Newton's method (see stopping.hpp) where second derivatives are to be had: it is
/// `converged` only if his step would gain no more than stop.tolerance of what the descent has gained, or than rounding hides;
/// else the descent goes on with a smaller tolerance. Where the loss is strongly convex, f.least_curvature(), that is known.
template <Function F, class D, class Search, class Report>
requires Direction<D, F>
[[gnu::cold]] outcome descend(const F& f, typename F::array& w, workspace<typename F::array>& space, D& direction,
                              const Search& search, const core::stop& stop, halting_watch<typename F::array>* watch,
                              Report&& report) {
    using A = typename F::array;
    using T = typename A::value_type;
    A &g = space.gradient, &d = space.direction, &trial = space.trial, &trial_g = space.trial_gradient;
    outcome result;
    constexpr double epsilon = std::numeric_limits<T>::epsilon();  // a value is a sum of numbers rounded to T
    double scale = 0, step = core::record::none, shortest = 0;
    double curvature = 0;  // the largest along a step so far
    std::size_t stalled = 0;
    [[maybe_unused]] double left = 0;  // what Newton's method says is left to gain
    double value_at_start = 0, tolerance = stop.tolerance;
    const auto state = [&](auto& each) {
        show_given(f, w, each);
        each("at", w);
        each("gradient", g);
        each("value", result.value);
        each("residual", result.residual);
        each("scale", scale);
        each("step", step);
        each("shortest", shortest);
        each("curvature", curvature);
        each("stalled", stalled);
        each("value_at_start", value_at_start);
        each("tolerance", tolerance);
        each("direction", direction);
        if (watch) each("far", *watch);
    };
    std::optional<core::record> last_before;
    if constexpr (requires { report.resume(state); }) last_before = report.resume(state);
    if (!last_before) {
        result.value = value_at_start = f.value_and_gradient(w, g);
        result.residual = scale = backend::norm(g);
        if constexpr (requires { f.gradient_scale(); }) scale = std::max(scale, f.gradient_scale());
        shortest = scale;
    }
    const auto end = [&](core::status status, std::string message = {}) {
        result.status = status;
        result.message = message.empty() ? explanation(status, stop) : std::move(message);
        return result;
    };
    const auto no_minimum = [&](const A& along) {
        std::string columns;
        if constexpr (requires { f.columns_along(along); }) columns = f.columns_along(along);
        return end(core::status::separable, separable_along(columns));
    };
    const auto minimum_at_infinity = [&] {
        return watch && watch->look(w, result.value, [&](const A& far) { return f.value(far); });
    };
    const auto unknown_slope = [&] {
        return epsilon * curvature * backend::norm(w);
    };  // the weights' rounding makes it
    const auto noise_of_value =
        [&] {  // what the rounding of the rows' predictions, about epsilon |w|, makes of the loss
            const double length = epsilon * backend::norm(w);
            return length * std::sqrt(2 * std::abs(result.value) * curvature) + length * length * curvature;
        };
    // nothing: there may be more to gain
    const auto confirm = [&](std::string message) -> std::optional<outcome> {
        if constexpr (TwiceDifferentiable<F>) {
            const double allowed = stop.tolerance * std::max(0.0, value_at_start - result.value) +
                                   std::max(1e-12, 8 * epsilon) * std::abs(result.value) + 16 * noise_of_value();
            double least = 0;
            if constexpr (requires { f.least_curvature(); }) least = f.least_curvature();
            if (watch && result.residual > 0 && !(result.residual * result.residual <= 2 * least * allowed)) {
                if constexpr (requires { f.recession(w); })
                    if (const auto away = f.recession(w)) return no_minimum(*away);
                const auto [says, newton] = judge(f, w, g, result.value, allowed);
                if (says == verdict::unbounded) return no_minimum(newton.direction);
                left = newton.gain;
                if (says == verdict::unfinished) return std::nullopt;
            }
        }
        return end(core::status::converged, std::move(message));
    };
    const auto at_rest = [&] {
        if (auto ended = confirm("the objective has no smaller value to the rounding of the arithmetic"))
            return *std::move(ended);
        return end(
            core::status::stalled,
            core::text(
                "rounding hides in which direction the objective falls, and a step of Newton's method would still "
                "gain about ",
                left, " (columns that are nearly collinear?) give them in other units, or add an l2 penalty"));
    };

    for (std::size_t k = last_before ? last_before->iteration : 0;; ++k) {
        result.iterations = k;
        const double residual = scale > 0 ? result.residual / scale : result.residual;
        const std::optional<core::status> asked =
            report(core::record{.iteration = k, .objective = result.value, .residual = residual, .step = step}, w);
        if (!std::isfinite(result.value) || !std::isfinite(result.residual)) return end(core::status::diverged);
        const bool converged = residual <= tolerance, last = k >= stop.iterations;
        if ((converged || last || (watch && watch->due(k))) && minimum_at_infinity())
            return no_minimum(watch->direction());
        if (converged) {
            if (auto ended = confirm("")) return *std::move(ended);
            tolerance = 0.1 * residual;
        }
        if (asked) return end(*asked);
        if (last)
            return end(core::status::iteration_limit, converged
                                                          ? core::text(explanation(core::status::iteration_limit, stop),
                                                                       ", and a step of Newton's "
                                                                       "method would still gain about ",
                                                                       left)
                                                          : std::string());
        if (watch && k == 0) watch->begin(w, result.value);
        if (watch && watch->due(k)) watch->remember(w);

        double first = direction(f, w, g, residual, d);
        double slope = backend::dot(g, d);
        const double promised = std::abs(slope);  // of the order of what is left to gain
        line_search::outcome found;
        for (bool steepest = false;; steepest = true) {
            if (steepest || !(slope < 0) || !std::isfinite(slope)) {
                direction.forget();
                d = -g;
                slope = -result.residual * result.residual;
                first = std::min(1.0, 1.0 / result.residual);
                steepest = true;
            }
            const auto along = [&](double t) {
                trial = w + static_cast<T>(t) * d;
                const double value = f.value_and_gradient(trial, trial_g);
                return line_search::point{t, value, backend::dot(trial_g, d), std::max(1e-10, 8 * epsilon)};
            };
            found = search(along, result.value, slope, first);
            if (found.found || steepest) break;
        }

        // decreases below the rounding of the objective cannot be told from noise; slopes go on for a while
        const bool rounding = promised <= std::max(1e-12, 8 * epsilon) * std::abs(result.value) ||
                              promised <= 16 * noise_of_value() || result.residual <= 16 * unknown_slope();
        if (found.endless)
            return end(core::status::diverged, "the objective falls for ever along a line (is it bounded below?)");
        if (!found.found && rounding) return at_rest();
        if (!found.found)
            return end(core::status::stalled,
                       "no point along the negative gradient has a smaller objective (is the gradient right?)");
        step = found.at.step;
        const double least = 4 * epsilon * std::abs(result.value) + noise_of_value();
        const bool level = promised <= least && result.value - found.at.value <= least;
        result.value = found.at.value;
        d = static_cast<T>(step) * d;
        g = trial_g - g;  // for the moment, its change
        if (const double length = backend::norm(d); length > 0)
            curvature = std::max(curvature, backend::norm(g) / length);
        direction.update(d, g);
        std::swap(w, trial);
        std::swap(g, trial_g);
        result.residual = backend::norm(g);
        stalled = result.residual < 0.9 * shortest ? 0 : stalled + 1;
        shortest = std::min(shortest, result.residual);
        // mostly rounding is seen by nothing getting better
        if (level && (stalled >= 20 || result.residual <= unknown_slope())) {
            result.iterations = k + 1;
            return at_rest();
        }
    }
}

/// f(w) + rho/2 |w - centre|^2: what a local solver improves. Counts the passes over f's rows.
template <Function F> class near {
public:
    using array = typename F::array;

    near(const F& f, const array& centre, double rho) : f_(f), centre_(centre), rho_(rho) {}

    std::size_t dimension() const { return f_.dimension(); }

    double value(const array& w) const {
        ++passes_;
        const double distance = backend::distance(w, centre_);
        return f_.value(w) + 0.5 * rho_ * distance * distance;
    }

    double value_and_gradient(const array& w, array& gradient) const {
        ++passes_;
        const double value = f_.value_and_gradient(w, gradient);
        const double distance = backend::distance(w, centre_);
        gradient = gradient + static_cast<typename array::value_type>(rho_) * (w - centre_);
        return value + 0.5 * rho_ * distance * distance;
    }

    auto hessian(const array& w) const requires TwiceDifferentiable<F> {
        using inner = decltype(f_.hessian(w));
        struct shifted {
            inner h;
            double rho;
            std::size_t& passes;
            void times(const array& v, array& out) {
                ++passes;
                h.times(v, out);
                out = out + static_cast<typename array::value_type>(rho) * v;
            }
        };
        ++passes_;
        return shifted{f_.hessian(w), rho_, passes_};
    }

    std::size_t passes() const { return passes_; }

private:
    const F& f_;
    const array& centre_;
    double rho_;
    mutable std::size_t passes_ = 0;
};

/// A problem in units in which its weights are alike, with what the problem says about them.
template <SmoothProblem P> class rescaled_problem : public rescaled<P> {
public:
    using array = typename P::array;
    using rescaled<P>::rescaled;
    rescaled_problem(const P& p, const beginning<array>& start)
        : rescaled<P>(p, units_of_weights(p, start)),
          start_(start.weights) {}

    /// In the units of u.
    std::optional<array> recession(const array& u) const {
        auto away = solver::recession(this->original(), this->given(u), start_);
        if (away) *away = this->measured(*away);
        return away;
    }

    std::string columns_along(const array& direction) const {
        return solver::columns_along(this->original(), direction);
    }
    /// Of the smooth penalty, in all directions but the intercepts'; 0: not known.
    [[gnu::cold]] double least_curvature() const {
        using T = typename array::value_type;
        if constexpr (requires(const P& p) { p.penalty_term().second_derivative(T(0)); })
            return static_cast<double>(this->original().penalty_term().second_derivative(T(0)));
        return this->curvature_of_penalty();
    }

private:
    const array& start_;
};

/// What a descent on a problem tells its run.
template <class P, class Run, class A> struct reporting {
    const P& problem;
    Run& record;
    const core::resume_from& from;

    std::optional<core::status> operator()(core::record now, const A& w) const {
        now.nonzeros = nonzeros(problem, w);
        return record.report(now);
    }
    template <class State> std::optional<core::record> resume(const State& state) const {
        return record.resume(from, state);
    }
};

/// A whole run on a problem: options agreed, observers called, the result filled in. It begins at the best intercepts, and
/// measures slopes in units of the weights' curvatures there.
template <SmoothProblem P, class Make, class Search, class... O>
[[gnu::cold]] core::result<typename P::array> minimize(const char* name, const P& p, Make&& make_direction,
                                                       const Search& search, const core::stop& stop,
                                                       const core::resume_from& resume, O&... observers) {
    using A = typename P::array;
    struct state {
        rescaled_problem<P> f;
        A w;
        workspace<A> space;
        halting_watch<A> far;
        std::invoke_result_t<Make&, const A&> direction;
        state(const P& p, const beginning<A>& start, Make& make)
            : f(p, start),
              w(f.measured(start.weights)),
              space(w),
              far(w),
              direction(make(w)) {}
    };
    run record(name, p, stop, observers...);
    communicator::agree(p.communicator(), [&] {
        stop.validate(name);
        search.validate();
        make_direction(p.start());
    });
    const beginning<A> start = best_start(p);
    state s(p, start, make_direction);
    const reporting<P, decltype(record), A> report{p, record, resume};
    const outcome found = descend(s.f, s.w, s.space, s.direction, search, stop, &s.far, report);
    return record.finish(s.f.given(s.w), found.value, found.status, found.message);
}

/// The same on one rank's own function, near a centre.
template <Function F, class D, class Search>
[[gnu::cold]] improvement improve(const F& f, typename F::array& w, const typename F::array& centre, double rho,
                                  D direction, const Search& search, const core::stop& stop) {
    using A = typename F::array;
    const near<F> local(f, centre, rho);
    workspace<A> space(w);
    const auto silent = [](const core::record&, const A&) { return std::optional<core::status>{}; };
    const outcome found =
        descend(local, w, space, direction, search, stop, static_cast<halting_watch<A>*>(nullptr), silent);
    return {local.passes(), found.residual};
}

}  // namespace gamut::solver::descent
