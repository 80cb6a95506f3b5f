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
#include <gamut/core/result.hpp>
#include <gamut/core/stable_sort.hpp>
#include <gamut/core/text.hpp>
#include <gamut/solver/concept.hpp>

/// What "converged" means, in one place: what Newton's method says of the point where a descent ends, and whether there is a minimum at
/// all. Where descents begin, and in which units they measure: beginning.hpp. See docs/decisions/0021-what-converged-means.md.
namespace gamut::solver {

/// Newton's step from w: d = -H^-1 g, by conjugate gradients, to |H d + g| <= wanted |g| or for at most that many products.
///   gain      -g'd / 2: what the second-order model says is left to gain, or less than that where the products were not enough
template <class A> struct newton_step {
    A direction;
    double gain = 0;
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
    return found;
}

/// What Newton's method says of the end of a descent.
enum class verdict {
    confirmed,   ///< no step of Newton's would gain anything that counts
    unfinished,  ///< one would
    unbounded    ///< it leads away for ever: there is no minimum
};

/// Is w a minimum, or is there something left? Confirmed if Newton's step gains at most `allowed`, as far as the products below
/// take it: beyond 250 ill-conditioned weights more may be left than they see.
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
    if (is_quadratic(p)) return std::nullopt;
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
    if constexpr (TwiceDifferentiable<P> && !has_nonsmooth_loss<P>) {
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

/// How a run that is at its tolerance ends; no status: it does not end here. `why` is empty where the status says it all.
struct ending {
    std::optional<core::status> status{};
    std::string why{};
};

/// "'age', 'dose' and 3 more": the columns whose weights a direction changes, those that change most first; empty: names are not
/// known. The weights must be measured alike.
template <class P> [[gnu::cold]] std::string columns_along(const P& p, const typename P::array& direction) {
    if constexpr (requires {
                      p.feature_names();
                      p.layout().outputs;
                  }) {
        const auto entries = direction.download();
        const std::size_t c = p.layout().outputs, features = p.layout().features;
        std::vector<double> sizes(features);
        std::vector<std::size_t> order(features);
        for (std::size_t j = 0; j < features; ++j) {
            for (std::size_t k = 0; k < c; ++k)
                sizes[j] = std::max(sizes[j], std::abs(static_cast<double>(entries[j * c + k])));
            order[j] = j;
        }
        core::sort_places(order, [&](std::size_t i, std::size_t j) {
            return sizes[i] > sizes[j] || (sizes[i] == sizes[j] && i < j);
        });
        std::size_t count = 0;
        while (count < features && sizes[order[count]] > 0.01 * sizes[order[0]]) ++count;
        if (count == 0 || p.feature_names().size() != features) return {};
        std::string names;
        const std::size_t shown = count <= 5 ? count : 4;
        for (std::size_t i = 0; i < shown; ++i)
            names += core::text(i == 0                             ? ""
                                : i + 1 == shown && shown == count ? " and "
                                                                   : ", ",
                                "'", p.feature_names()[order[i]], "'");
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

/// What judge_end says, as the end of a run.
template <Problem P>
[[gnu::cold]] ending confirmed_end(const P& p, const typename P::array& w, const typename P::array& start,
                                   double gained, double tolerance) {
    const auto [says, step] = judge_end(p, w, start, gained, tolerance);
    if (says == verdict::unbounded) return {core::status::separable, separable_along(columns_along(p, step.direction))};
    if (says == verdict::confirmed) return {core::status::converged, {}};
    return {std::nullopt, core::text("a step of Newton's method would still gain about ", step.gain)};
}

}  // namespace gamut::solver
