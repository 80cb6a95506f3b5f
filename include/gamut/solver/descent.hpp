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
#include <gamut/core/stop.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/line_search.hpp>
#include <gamut/solver/run.hpp>

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

/// Minimises f from w, in place. Stops when |gradient| <= stop.tolerance |gradient at the start|, or when rounding
/// hides any further progress. `report(record, w)` is called before every step and may end the run by a status.
/// A function may have gradient_scale(), the size of a gradient that is not small: it takes the place of the gradient at
/// the start where that is smaller, for a start may be the minimum already and its gradient nothing but rounding.
template <Function F, class D, class Search, class Report>
requires Direction<D, F>
[[gnu::cold]] outcome descend(const F& f, typename F::array& w, workspace<typename F::array>& space, D& direction,
                              const Search& search, const core::stop& stop, horizon<typename F::array>* horizon,
                              Report&& report) {
    using A = typename F::array;
    using T = typename A::value_type;
    A &g = space.gradient, &d = space.direction, &trial = space.trial, &trial_g = space.trial_gradient;
    outcome result;
    result.value = f.value_and_gradient(w, g);
    result.residual = backend::norm(g);
    double scale = result.residual;
    if constexpr (requires { f.gradient_scale(); }) scale = std::max(scale, f.gradient_scale());
    constexpr double epsilon = std::numeric_limits<T>::epsilon();  // a value is a sum of numbers rounded to T
    double step = core::record::none, shortest = scale;
    double curvature = 0;  // the largest along a step so far
    std::size_t stalled = 0;
    const auto end = [&](core::status status, std::string message = {}) {
        result.status = status;
        result.message = message.empty() ? explanation(status, stop) : std::move(message);
        return result;
    };
    const auto minimum_at_infinity = [&]() -> std::optional<core::status> {
        return horizon ? horizon->look(w, result.value, [&](const A& far) { return f.value(far); }) : std::nullopt;
    };

    for (std::size_t k = 0;; ++k) {
        result.iterations = k;
        const double residual = scale > 0 ? result.residual / scale : result.residual;
        const std::optional<core::status> asked =
            report(core::record{.iteration = k, .objective = result.value, .residual = residual, .step = step}, w);
        if (!std::isfinite(result.value) || !std::isfinite(result.residual)) return end(core::status::diverged);
        const bool converged = residual <= stop.tolerance, last = k >= stop.iterations;
        if (converged || last || (horizon && horizon->due(k)))
            if (const auto status = minimum_at_infinity()) return end(*status);
        if (converged) return end(core::status::converged);
        if (asked) return end(*asked);
        if (last) return end(core::status::iteration_limit);
        if (horizon && k == 0) horizon->begin(w, result.value);
        if (horizon && horizon->due(k)) horizon->remember(w);

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
        const bool rounding = promised <= std::max(1e-12, 8 * epsilon) * std::abs(result.value);
        if (found.endless)
            return end(core::status::diverged, "the objective falls for ever along a line (is it bounded below?)");
        if (!found.found && rounding)
            return end(core::status::converged, "the objective has no smaller value to the rounding of the arithmetic");
        if (!found.found)
            return end(core::status::stopped,
                       "no point along the negative gradient has a smaller objective (is the gradient right?)");
        step = found.at.step;
        const double least = 4 * epsilon * std::abs(result.value);
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
        // the weights' own rounding makes that much of a gradient; mostly it is seen by nothing getting better
        const bool unknown = result.residual <= epsilon * curvature * backend::norm(w);
        if (level && (stalled >= 20 || unknown)) {
            result.iterations = k + 1;
            return end(core::status::converged, "the objective has no smaller value to the rounding of the arithmetic");
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

/// A whole run on a problem: options agreed, observers called, the result filled in.
template <SmoothProblem P, class Make, class Search, class... O>
[[gnu::cold]] core::result<typename P::array> minimize(const char* name, const P& p, Make&& make_direction,
                                                       const Search& search, const core::stop& stop, O&... observers) {
    using A = typename P::array;
    struct state {
        A w;
        workspace<A> space;
        horizon<A> far;
        std::invoke_result_t<Make&, const A&> direction;
        explicit state(const A& start, Make& make) : w(start), space(start), far(start), direction(make(start)) {}
    };
    auto s = prepare(p, [&] {
        stop.validate(name);
        search.validate();
        return state(p.start(), make_direction);
    });
    run record(name, p, stop, observers...);
    const outcome found =
        descend(p, s.w, s.space, s.direction, search, stop, &s.far, [&](core::record now, const A& w) {
            now.nonzeros = nonzeros(p, w);
            return record.report(now);
        });
    return record.finish(std::move(s.w), found.value, found.status, found.message);
}

/// The same on one rank's own function, near a centre.
template <Function F, class D, class Search>
[[gnu::cold]] improvement improve(const F& f, typename F::array& w, const typename F::array& centre, double rho,
                                  D direction, const Search& search, const core::stop& stop) {
    using A = typename F::array;
    const near<F> local(f, centre, rho);
    workspace<A> space(w);
    const auto silent = [](const core::record&, const A&) { return std::optional<core::status>{}; };
    const outcome found = descend(local, w, space, direction, search, stop, static_cast<horizon<A>*>(nullptr), silent);
    return {local.passes(), found.residual};
}

}  // namespace gamut::solver::descent
