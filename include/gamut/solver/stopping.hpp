// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/core/text.hpp>
#include <gamut/penalty/none.hpp>
#include <gamut/solver/concept.hpp>

/// What "converged" means, in one place: where descent begins, in which units gradients are measured, and what Newton's method
/// says of the point where it ends. See docs/decisions/0021-what-converged-means.md.
namespace gamut::solver {

/// A problem whose intercepts can be fitted alone, by passes over labels, weights and offsets without columns.
template <class P>
concept FreeIntercepts = ColumnAccess<P> && P::backend_type::host_memory &&
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

/// Newton's step from w: d = -H^-1 g, by conjugate gradients, to |H d + g| <= wanted |g| or for at most that many products.
///   gain      -g'd / 2: what the second-order model says is left to gain, or a lower bound of that if not `solved`
template <class A> struct newton_step {
    A direction;
    double gain = 0;
    bool solved = false;
};
template <TwiceDifferentiable F>
[[gnu::cold]] newton_step<typename F::array> newton_step_at(const F& f, const typename F::array& w,
                                                            const typename F::array& g, double wanted,
                                                            std::size_t products) {
    using A = typename F::array;
    using T = typename A::value_type;
    auto h = f.hessian(w);
    newton_step<A> found{T(0) * g};
    A r = -g, s = r, hs(g.size());
    double rr = backend::dot(r, r);
    const double enough = wanted * wanted * rr;
    std::size_t k = 0;
    for (; k < products && rr > enough; ++k) {
        h.times(s, hs);
        const double curvature = backend::dot(s, hs);
        if (!(curvature > 0)) break;
        const double t = rr / curvature;
        found.direction = found.direction + static_cast<T>(t) * s;
        found.gain += 0.5 * t * rr;
        r = r - static_cast<T>(t) * hs;
        const double before = rr;
        rr = backend::dot(r, r);
        if (!std::isfinite(rr)) break;
        s = r + static_cast<T>(rr / before) * s;
    }
    found.solved = rr <= enough;
    return found;
}

/// What Newton's method says of the end of a descent.
enum class verdict {
    confirmed,   ///< no step of Newton's would gain anything that counts
    unfinished,  ///< one would
    unbounded    ///< it leads away for ever: there is no minimum
};

/// Is w a minimum, or is there something left? Confirmed if Newton's step gains at most `allowed`.
/// Unbounded: where there is no minimum because some rows can be told apart perfectly, their losses fade like exp(-margin), and
/// Newton's step is as long as ever however small the gradient is: it moves their margins by 1. The objective at w + 40 d and
/// w + 1000 d then is lower by what those losses still were, and -g'd is that; in front of a minimum it would be far higher.
/// Up to min(2 dimension(), 250) products with the Hessian, twice if the step is long.
template <TwiceDifferentiable F>
[[gnu::cold]] std::pair<verdict, newton_step<typename F::array>> judge(const F& f, const typename F::array& w,
                                                                       const typename F::array& g, double value,
                                                                       double allowed) {
    using A = typename F::array;
    using T = typename A::value_type;
    const std::size_t products = std::min<std::size_t>(2 * w.size() + 2, 250);
    newton_step<A> step = newton_step_at(f, w, g, 1e-4, products);
    if (step.gain > 0 && backend::norm(step.direction) > 1e-3 * backend::norm(w)) {
        newton_step<A> finer = newton_step_at(f, w, g, 1e-10, products);
        if (std::isfinite(finer.gain)) step = std::move(finer);
        A far(w.size());
        bool recedes = true;
        for (const double length : {40.0, 1000.0}) {
            far = w + static_cast<T>(length) * step.direction;
            recedes = recedes && f.value(far) <= value - 0.5 * step.gain;
        }
        if (recedes) return {verdict::unbounded, std::move(step)};
    }
    const bool fine = step.gain <= allowed && std::isfinite(step.gain);
    return {fine ? verdict::confirmed : verdict::unfinished, std::move(step)};
}

/// A direction along which the objective falls for ever, or nothing: what of the way from `start` to w has lost its curvature.
///     v = (d H0 (H + d H0)^-1)^6 (w - start),   H0 and H the loss's second derivatives at start and at w, d = 1e-6
/// keeps the directions whose curvature fell below d times what it was, because the losses of their rows have faded. It counts
/// if the objective is no higher at w + v and w + 100 v and higher at w - v. For losses that are not quadratic, and up to 128
/// weights: two passes, sums of their squares. Where more weights are, only Newton's step tells; see judge.
template <Problem P>
[[gnu::cold]] std::optional<typename P::array> recession(const P& p, const typename P::array& w,
                                                         const typename P::array& start) {
    using A = typename P::array;
    using T = typename A::value_type;
    using host = backend::host<double>;
    if constexpr (
        SecondDerivatives<P> && !requires(std::span<const std::size_t> e) { p.gram_rows(e, e); } &&
        requires { p.layout().outputs; }) {
        std::vector<std::size_t> entries;
        const std::size_t c = p.layout().outputs;
        const std::vector<T> here = w.download(), there = start.download();
        if constexpr (requires { p.entries(); })
            entries = p.entries();
        else
            for (std::size_t k = 0; k < c; ++k)
                for (std::size_t e = k; e < here.size(); e += c) entries.push_back(e);
        const std::size_t m = entries.size();
        if (m == 0 || m > 128) return std::nullopt;
        constexpr double share = 1e-6;
        const auto first = p.second_derivatives(start, entries);
        auto h = p.second_derivatives(w, entries);
        double trace = 0;
        for (std::size_t i = 0; i < m; ++i) trace += first(i, i);
        for (std::size_t i = 0; i < m; ++i) {
            for (std::size_t j = 0; j < m; ++j) h(i, j) += share * first(i, j);
            h(i, i) += 1e-13 * trace / static_cast<double>(m);
        }
        if (!(trace > 0) || !std::isfinite(trace) || !host::factorize(m, h.values.data())) return std::nullopt;
        std::vector<double> v(m), product(m);
        for (std::size_t i = 0; i < m; ++i)
            v[i] = static_cast<double>(here[entries[i]]) - static_cast<double>(there[entries[i]]);
        const auto multiply = [&] {
            double square = 0;
            for (std::size_t i = 0; i < m; ++i) {
                product[i] = 0;
                for (std::size_t j = 0; j < m; ++j) product[i] += first(i, j) * v[j];
                square += v[i] * product[i];
            }
            return square;
        };
        const double whole = multiply();
        for (int k = 0; k < 6; ++k) {
            multiply();
            for (std::size_t i = 0; i < m; ++i) v[i] = share * product[i];
            host::solve(m, h.values.data(), v.data());
        }
        if (!(multiply() > 1e-6 * whole)) return std::nullopt;
        std::vector<T> direction(here.size());
        for (std::size_t i = 0; i < m; ++i) direction[entries[i]] = static_cast<T>(v[i]);
        A d(w.size()), at(w.size());
        d.upload(direction);
        const auto along = [&](double length) {
            at = w + static_cast<T>(length) * d;
            return objective(p, at);
        };
        const double now = along(0), noise = 8 * std::numeric_limits<T>::epsilon() * std::abs(now);
        if (!(along(1) <= now + noise) || !(along(100) <= now + noise) || !(along(-1) > now + 1e4 * noise))
            return std::nullopt;
        return d;
    } else {
        return std::nullopt;
    }
}

/// The penalty is 0 everywhere and its prox leaves everything where it is, as penalty::elastic_net{0, 0}.
template <Composite P> [[gnu::cold]] bool has_no_penalty(const P& p) {
    using T = typename P::array::value_type;
    for (const T far : {T(1e30), T(-1e30)}) {
        typename P::array v(p.dimension()), out(p.dimension());
        v.upload(std::vector<T>(p.dimension(), far));
        if (p.penalty(v) != 0) return false;
        p.prox(v, 1.0, out);
        if (backend::distance(v, out) != 0) return false;
    }
    return true;
}

/// The same for a whole problem whose objective is smooth: a smooth penalty, or none. Confirmed where
/// that cannot be told, or where the penalty's curvature says so without a look. `gained`: since the start; `tolerance`: the share
/// of it that does not count.
template <Problem P>
[[gnu::cold]] std::pair<verdict, newton_step<typename P::array>> judge_end(const P& p, const typename P::array& w,
                                                                           const typename P::array& start,
                                                                           double gained, double tolerance) {
    using A = typename P::array;
    using T = typename A::value_type;
    constexpr double epsilon = std::numeric_limits<T>::epsilon();
    std::pair<verdict, newton_step<A>> unknown{verdict::confirmed, newton_step<A>{T(0) * w}};
    if constexpr (TwiceDifferentiable<P> && !has_kinked_loss<P>) {
        if constexpr (!P::smooth)
            if (!has_no_penalty(p)) return unknown;
        A g(w.size());
        const double value = p.value_and_gradient(w, g), slope = backend::norm(g);
        const double length = epsilon * backend::norm(w);
        double least = 0, bend = 0;
        if constexpr (requires { p.penalty_term().second_derivative(T(0)); })
            least = static_cast<double>(p.penalty_term().second_derivative(T(0)));
        A hg(w.size());
        if (slope > 0 && std::isfinite(slope)) {
            p.hessian(w).times(g, hg);
            bend = backend::norm(hg) / slope;
        }
        const double allowed = tolerance * std::max(0.0, gained) + std::max(1e-12, 8 * epsilon) * std::abs(value) +
                               256 * bend * length * length;
        if (!(slope > 0) || !std::isfinite(slope) || slope * slope <= 2 * least * allowed) return unknown;
        if (auto away = recession(p, w, start)) return {verdict::unbounded, newton_step<A>{*std::move(away)}};
        return judge(p, w, g, value, allowed);
    } else {
        return unknown;
    }
}

/// "'age', 'dose' and 3 more": the columns whose weights a direction changes, those that change most first; empty: names are not
/// known. The weights must be measured alike.
template <class P> [[gnu::cold]] std::string columns_along(const P& p, const typename P::array& direction) {
    if constexpr (requires {
                      p.dataset().features;
                      p.layout().outputs;
                  }) {
        const auto entries = direction.download();
        const std::size_t c = p.layout().outputs, features = p.layout().features;
        std::vector<std::pair<double, std::size_t>> sizes;
        double most = 0;
        for (std::size_t j = 0; j < features; ++j) {
            double size = 0;
            for (std::size_t k = 0; k < c; ++k)
                size = std::max(size, std::abs(static_cast<double>(entries[j * c + k])));
            sizes.emplace_back(-size, j);
            most = std::max(most, size);
        }
        std::sort(sizes.begin(), sizes.end());
        std::size_t count = 0;
        while (count < sizes.size() && -sizes[count].first > 0.01 * most) ++count;
        if (count == 0 || p.dataset().features.size() != features) return {};
        std::string names;
        const std::size_t shown = count <= 5 ? count : 4;
        for (std::size_t i = 0; i < shown; ++i)
            names += core::text(i == 0                             ? ""
                                : i + 1 == shown && shown == count ? " and "
                                                                   : ", ",
                                "'", p.dataset().features[sizes[i].second], "'");
        if (shown < count) names += core::text(" and ", count - shown, " more");
        return names;
    } else {
        return {};
    }
}

/// The message of core::status::separable.
inline std::string separable_along(const std::string& columns) {
    return core::text("no minimum exists: the objective falls for ever as the weights",
                      columns.empty() ? "" : " of " + columns,
                      " grow (the labels of some rows are separable by them) add an l2 penalty");
}

}  // namespace gamut::solver
