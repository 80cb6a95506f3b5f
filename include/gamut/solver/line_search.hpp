// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>

/// How far to go along a descent direction d: phi(t) = f(w + t d), phi'(t) = gradient'd.
///
///   search(phi, value, slope, first) -> outcome
///
/// with phi(t) returning a point, value = phi(0), slope = phi'(0) < 0 and `first` the first t tried. When `found`, the
/// last call of phi was at the accepted point, so the caller has its gradient already.
///
/// Near a minimum phi(t) - phi(0) is rounding noise, of the size that a point says. Both policies then judge by slopes, the approximate Wolfe
/// condition:   (2 decrease - 1) phi'(0) >= phi'(t)   and   phi(t) <= phi(0) + noise |phi(0)|.
/// Hager and Zhang 2005, A new conjugate gradient method with guaranteed descent and an efficient line search.
namespace gamut::solver::line_search {

struct point {
    double step = 0, value = 0, slope = 0;
    double noise = 1e-10;  ///< of the value, relatively
    bool finite() const { return std::isfinite(value) && std::isfinite(slope); }
};

struct outcome {
    point at;
    std::size_t evaluations = 0;
    bool found = false;
    bool endless = false;  ///< downhill as far as was looked
};

namespace detail {

inline bool sufficient(const point& p, double value, double slope, double decrease) {
    return p.value <= value + decrease * p.step * slope ||
           (p.value <= value + p.noise * std::abs(value) && p.slope <= (2 * decrease - 1) * slope);
}

/// The minimiser of the cubic through two points with their slopes; NaN if it has none.
inline double cubic_minimiser(const point& a, const point& b) {
    const double width = b.step - a.step;
    const double u = a.slope + b.slope - 3 * (b.value - a.value) / width;
    const double root = std::sqrt(u * u - a.slope * b.slope);
    const double v = width > 0 ? root : -root;
    return b.step - width * (b.slope + v - u) / (b.slope - a.slope + 2 * v);
}

inline void validate(const char* who, double decrease, std::size_t evaluations) {
    if (!(decrease > 0 && decrease < 0.5))
        throw core::option_error(
            core::text(who, ": decrease is ", decrease, " (it must lie between 0 and 0.5) try 1e-4"));
    if (evaluations < 1) throw core::option_error(core::text(who, ": evaluations is 0 (at least 1 is needed) try 40"));
}

}  // namespace detail

/// Strong Wolfe conditions:   phi(t) <= phi(0) + decrease t phi'(0),   |phi'(t)| <= curvature |phi'(0)|.
/// Brackets such a t, then narrows the bracket by cubic interpolation, safeguarded by bisection.
/// Nocedal and Wright 2006, algorithms 3.5 and 3.6.
struct wolfe {
    double decrease = 1e-4, curvature = 0.9;
    std::size_t evaluations = 40;  ///< at most

    void validate() const {
        detail::validate("line_search::wolfe", decrease, evaluations);
        if (!(curvature > decrease && curvature < 1))
            throw core::option_error(core::text("line_search::wolfe: curvature is ", curvature,
                                                " (it must lie between decrease and 1) try 0.9"));
    }

    template <class Phi> [[gnu::cold]] outcome operator()(Phi&& phi, double value, double slope, double first) const {
        constexpr double unknown = std::numeric_limits<double>::infinity();
        // the interval always contains an acceptable point: low has decreased enough and still slopes down
        point low{0, value, slope}, high{unknown, unknown, 0};
        double t = first, width = unknown;
        outcome result;
        while (result.evaluations < evaluations) {
            const point p = phi(t);
            ++result.evaluations;
            if (!p.finite()) {
                high = {t, unknown, 0};
            } else if (!detail::sufficient(p, value, slope, decrease) ||
                       p.value > low.value + p.noise * std::abs(low.value)) {
                high = p;
            } else if (std::abs(p.slope) <= -curvature * slope) {
                result.at = p;
                result.found = true;
                return result;
            } else if (p.slope > 0) {
                high = p;
            } else {
                if (high.step == unknown) {  // further, as far as the slopes suggest
                    const double bend = p.slope - low.slope, secant = p.step - (p.step - low.step) * p.slope / bend;
                    const bool straight = std::abs(bend) <= 1e-8 * std::abs(low.slope);
                    low = p;
                    t *= straight ? 1000 : bend < 0 ? 4 : std::clamp(secant / t, 2.0, 1000.0);
                    if (!std::isfinite(t)) break;
                    continue;
                }
                low = p;
            }
            const double left = high.step - low.step;
            if (!(left > 1e-15 * high.step)) break;
            const bool shrinking = left < 0.66 * width;
            width = left;
            t = std::isfinite(high.value) && shrinking ? detail::cubic_minimiser(low, high) : low.step + 0.5 * left;
            if (!std::isfinite(high.value)) t = low.step + 0.1 * left;
            if (!(t > low.step + 0.05 * left && t < high.step - 0.05 * left)) {
                t = std::isnan(t) ? low.step + 0.5 * left
                                  : std::clamp(t, low.step + 0.05 * left, high.step - 0.05 * left);
            }
        }
        result.endless = high.step == unknown;
        if (!result.endless && low.step > 0 &&
            low.value <= value + decrease * low.step * slope) {  // not as flat as wished, but lower
            result.at = phi(low.step);
            ++result.evaluations;
            result.found = result.at.finite();
        }
        return result;
    }
};

/// Halves the step until the function has decreased enough:   phi(t) <= phi(0) + decrease t phi'(0).
/// Enough for Newton steps, whose natural length is 1. Armijo 1966.
struct backtracking {
    double decrease = 1e-4, factor = 0.5;
    std::size_t evaluations = 40;  ///< at most

    void validate() const {
        detail::validate("line_search::backtracking", decrease, evaluations);
        if (!(factor > 0 && factor < 1))
            throw core::option_error(
                core::text("line_search::backtracking: factor is ", factor, " (it must lie between 0 and 1) try 0.5"));
    }

    template <class Phi> [[gnu::cold]] outcome operator()(Phi&& phi, double value, double slope, double first) const {
        outcome result;
        for (double t = first; result.evaluations < evaluations && t > 0; t *= factor) {
            const point p = phi(t);
            ++result.evaluations;
            if (!p.finite() || !detail::sufficient(p, value, slope, decrease)) continue;
            result.at = p;
            result.found = true;
            break;
        }
        return result;
    }
};

}  // namespace gamut::solver::line_search
