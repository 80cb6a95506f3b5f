// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/penalty/none.hpp>
#include <gamut/solver/concept.hpp>

/// Where descents begin, and the units in which they measure slopes. See docs/decisions/0021-what-converged-means.md.
namespace gamut::solver {

/// A problem whose intercepts can be fitted alone, by passes over labels, weights and offsets without columns.
template <class P>
concept FreeIntercepts = Problem<P> && P::backend_type::host_memory &&
    requires(const P& p, typename P::array from, std::span<const std::size_t> none) {
    { p.has_intercept() } -> std::convertible_to<bool>;
    p.on_columns(none, penalty::none{}, from)->second_derivatives(from, none);
};

/// Where a descent begins.
///   weights        0, with the intercepts that are best for that; or what the problem's start says if it is not 0
///   curvature      the mean second derivative of the loss with respect to each output there; empty: not known
template <class A> struct beginning {
    A weights;
    std::vector<double> curvature;
};

/// argmin over b of loss(0, b) by Newton's method with backtracking: exact in one step for squares, 3 to 6 steps for others, to
/// 1e-6 in b. Any model, offsets included; the same bits on any number of ranks. Per step two passes over the rows without their
/// columns, and sums of c^2 + c numbers. Problems with more than 64 outputs, and those that cannot do it, begin at their start.
/// anew: also where the problem has a start of its own.
template <Problem P> [[gnu::cold]] beginning<typename P::array> best_start(const P& p, bool anew = false) {
    using A = typename P::array;
    using T = typename A::value_type;
    beginning<A> found{anew ? A(p.dimension()) : p.start(), {}};
    if constexpr (FreeIntercepts<P>) {
        const std::size_t c = p.layout().outputs;
        if (!p.has_intercept() || c > 64 || backend::count_nonzeros(found.weights) > 0) return found;
        const auto rows = p.on_columns(std::span<const std::size_t>(), penalty::none{}, A(c));
        std::vector<std::size_t> all(c);
        for (std::size_t k = 0; k < c; ++k) all[k] = k;
        A at(c), g(c), trial(c), trial_g(c);
        double value = rows->value_and_gradient(at, g);
        std::vector<double> b(c), step(c);
        for (int k = 0; k < 2000 && std::isfinite(value); ++k) {
            auto h = rows->second_derivatives(at, all);
            double trace = 0;
            for (std::size_t i = 0; i < c; ++i) trace += h(i, i);
            found.curvature.resize(c);
            for (std::size_t i = 0; i < c; ++i) found.curvature[i] = h(i, i);
            if (c > 1)  // a shift of all outputs may change nothing
                for (std::size_t i = 0; i < c; ++i) h(i, i) += 1e-10 * trace / static_cast<double>(c);
            if (!(trace > 0) || !backend::host<double>::factorize(c, h.values.data())) break;
            const std::vector<T> slopes = g.download();
            double decrease = 0, longest = 0, largest = 0;
            for (std::size_t i = 0; i < c; ++i) step[i] = -static_cast<double>(slopes[i]);
            backend::host<double>::solve(c, h.values.data(), step.data());
            for (std::size_t i = 0; i < c; ++i) {
                decrease -= step[i] * static_cast<double>(slopes[i]);
                longest = std::max(longest, std::abs(step[i]));
                largest = std::max(largest, std::abs(b[i]));
            }
            if (!std::isfinite(decrease)) break;
            constexpr double epsilon = std::numeric_limits<T>::epsilon();
            const bool close = longest <= 1e-3 || longest <= 16 * epsilon * largest ||
                               decrease <= std::max(1e-9, 8 * epsilon) * std::abs(value);
            bool moved = false;
            for (double length = 1; length > 1e-60; length *= length > 1e-3 ? 0.5 : 0.01) {
                std::vector<T> there(c);
                for (std::size_t i = 0; i < c; ++i) there[i] = static_cast<T>(b[i] + length * step[i]);
                trial.upload(there);
                const double now = close ? value : rows->value_and_gradient(trial, trial_g);
                if (!close && !(now <= value - 1e-4 * length * decrease)) continue;
                for (std::size_t i = 0; i < c; ++i) b[i] = static_cast<double>(there[i]);
                std::swap(at, trial);
                std::swap(g, trial_g);
                value = now;
                moved = true;
                break;
            }
            if (close || !moved) break;
        }
        std::vector<T> w = found.weights.download();
        for (std::size_t i = 0; i < c; ++i) w[w.size() - c + i] = static_cast<T>(b[i]);
        found.weights.upload(w);
    }
    return found;
}

/// The units in which each weight's slope is measured, and descent walks: 1 / sqrt(D), D the second derivative of the objective
/// with respect to that weight alone, where the descent begins. Empty: all alike, to a factor of 4; standardised columns are so.
/// One pass over the data for columns as given, none for others.
template <Problem P>
[[gnu::cold]] std::vector<typename P::array::value_type> units_of_weights(const P& p,
                                                                          const beginning<typename P::array>& start) {
    using T = typename P::array::value_type;
    std::vector<T> units;
    if constexpr (requires {
                      p.column_squares();
                      p.scaling().scales;
                      p.layout().outputs;
                      p.has_intercept();
                  }) {
        const auto& scales = p.scaling().scales;
        if (std::any_of(scales.begin(), scales.end(), [](double s) { return s != 1; })) return units;
        const std::size_t c = p.layout().outputs;
        const std::vector<double> squares = p.column_squares();
        double bend = 0, least = std::numeric_limits<double>::infinity(), most = 0;
        if constexpr (P::smooth && requires { p.penalty_term().second_derivative(T(0)); })
            bend = static_cast<double>(p.penalty_term().second_derivative(T(0)));
        std::vector<double> curvatures;
        const auto add = [&](double curvature) {
            curvatures.push_back(curvature);
            if (!(curvature > 0)) return;
            least = std::min(least, curvature);
            most = std::max(most, curvature);
        };
        const auto of_output = [&](std::size_t k) { return start.curvature.empty() ? 1.0 : start.curvature[k]; };
        for (const double square : squares)
            for (std::size_t k = 0; k < c; ++k) add(of_output(k) * square + bend);
        if (p.has_intercept())
            for (std::size_t k = 0; k < c; ++k) add(of_output(k));
        if (!(most > 16 * least) || !std::isfinite(most)) return units;
        for (const double curvature : curvatures)
            units.push_back(static_cast<T>(curvature > 0 ? std::sqrt(most / curvature) : 1.0));
    }
    return units;
}

/// f(S u), S the diagonal matrix of the given units: a function whose weights are alike. Without units it is f itself.
template <Function F> class rescaled {
public:
    using array = typename F::array;
    using value_type = typename array::value_type;

    rescaled(const F& f, const std::vector<value_type>& units) : f_(f), scaled_(!units.empty()), units_(f.dimension()) {
        if (scaled_) units_.upload(units);
    }

    std::size_t dimension() const { return f_.dimension(); }
    double value(const array& u) const { return scaled_ ? f_.value(given(u)) : f_.value(u); }
    double value_and_gradient(const array& u, array& gradient) const {
        if (!scaled_) return f_.value_and_gradient(u, gradient);
        const double value = f_.value_and_gradient(given(u), gradient);
        gradient = units_ * gradient;
        return value;
    }
    auto hessian(const array& u) const requires TwiceDifferentiable<F> {
        struct product {
            decltype(std::declval<const F&>().hessian(u)) inner;
            const rescaled& self;
            void times(const array& v, array& out) const {
                if (!self.scaled_) return inner.times(v, out);
                inner.times(self.given(v), out);
                out = self.units_ * out;
            }
        };
        return product{scaled_ ? f_.hessian(given(u)) : f_.hessian(u), *this};
    }

    const F& original() const { return f_; }
    double curvature_of_penalty() const {
        if constexpr (requires { f_.least_curvature(); }) return f_.least_curvature();
        return 0;
    }
    double gradient_scale() const {
        if constexpr (requires { f_.gradient_scale(); }) return f_.gradient_scale();
        return 0;
    }

    /// w = S u and back.
    array given(const array& u) const {
        array w = u;
        if (scaled_) w = units_ * u;
        return w;
    }
    array measured(const array& w) const {
        array u = w;
        if (scaled_) u = w / units_;
        return u;
    }

private:
    const F& f_;
    bool scaled_;
    array units_;
};

}  // namespace gamut::solver
