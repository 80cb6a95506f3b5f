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
#include <gamut/core/stop.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/solver/beginning.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/newton_cg.hpp>
#include <gamut/solver/refit.hpp>

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
    restricted(const P& p, const array& w, double scale = 0) : restricted(p, w, w, scale) {}
    /// The same, beginning somewhere else.
    restricted(const P& p, const array& w, const array& start, double scale = 0)
        : problem_(p),
          start_(start),
          scale_(scale),
          mask_(w.size()),
          ridge_(w.size()) {
        const penalty::layout shape = p.layout();
        const penalty::l0& term = p.penalty_term();
        std::vector<value_type> mask = w.download(), ridge(mask.size(), value_type(0));
        std::vector<bool> free(shape.features);
        for (const std::size_t feature : term.free) free[feature] = true;
        const penalty::detail::units units = term.units_of(shape);
        for (std::size_t u = 0; u < units.count(); ++u) {
            const std::size_t first = units.first(u), last = units.first(u + 1);
            bool any = free[first / shape.outputs];
            for (std::size_t j = first; j < last; ++j) any = any || mask[j] != 0;
            for (std::size_t j = first; j < last; ++j) {
                mask[j] = any ? 1 : 0;
                ridge[j] = static_cast<value_type>(term.l2);
            }
        }
        for (std::size_t j = shape.size(); j < mask.size(); ++j) mask[j] = 1;
        mask_.upload(mask);
        ridge_.upload(ridge);
    }

    /// The weights that may change: indices into w, ordered by output, then by feature, intercepts last.
    std::vector<std::size_t> entries() const {
        const std::vector<value_type> mask = mask_.download();
        const std::size_t c = problem_.layout().outputs;
        std::vector<std::size_t> free;
        for (std::size_t k = 0; k < c; ++k)
            for (std::size_t e = k; e < mask.size(); e += c)
                if (mask[e] != 0) free.push_back(e);
        return free;
    }
    double ridge_of(std::size_t entry) const {
        return entry < problem_.layout().size() ? problem_.penalty_term().l2 : 0.0;
    }

    std::size_t dimension() const { return problem_.dimension(); }
    decltype(auto) communicator() const { return problem_.communicator(); }
    const array& start() const { return start_; }
    std::size_t passes() const { return problem_.passes(); }
    double gradient_scale() const { return scale_; }
    double least_curvature() const { return problem_.penalty_term().l2; }
    penalty::layout layout() const { return problem_.layout(); }
    const auto& feature_names() const requires requires(const P& p) { p.feature_names(); }
    { return problem_.feature_names(); }
    auto second_derivatives(const array& w, std::span<const std::size_t> entries) const requires SecondDerivatives<P> {
        return problem_.second_derivatives(w, entries);
    }
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

/// The features that w uses or may always use, whole groups of them, ascending: what a problem can be cut down to when only they may change.
template <Cardinality P>
std::vector<std::size_t> used_features(const P& p, std::span<const typename P::array::value_type> w) {
    const penalty::layout shape = p.layout();
    std::vector<bool> used(shape.features);
    for (const std::size_t feature : p.penalty_term().free) used[feature] = true;
    const penalty::detail::units units = p.penalty_term().units_of(shape);
    for (std::size_t u = 0; u < units.count(); ++u) {
        const std::size_t first = units.first(u), last = units.first(u + 1);
        bool any = false;
        for (std::size_t j = first; j < last; ++j) any = any || w[j] != 0;
        for (std::size_t j = first; j < last && any; ++j) used[j / shape.outputs] = true;
    }
    std::vector<std::size_t> features;
    for (std::size_t i = 0; i < shape.features; ++i)
        if (used[i]) features.push_back(i);
    return features;
}

/// Why there is no minimum on the support of w, or nothing: without l2 the objective may fall for ever along it; see recession in
/// stopping.hpp. Two passes and some values for losses that are not quadratic, else none.
template <Cardinality P>
[[gnu::cold]] std::optional<std::string> no_minimum_on_support(const P& p, const typename P::array& w) {
    if constexpr (SecondDerivatives<P> && TwiceDifferentiable<P> &&
                  !requires(std::span<const std::size_t> e) { p.gram_rows(e, e); }) {
        if (p.penalty_term().l2 > 0 || !p.penalty_term().is_smooth() || !std::isfinite(backend::norm(w)))
            return std::nullopt;
        const restricted<P> inside(p, w);
        if (const auto away = recession(inside, w, best_start(p, true).weights))
            return separable_along(columns_along(p, *away));
    }
    return std::nullopt;
}

/// The rows of w that `features` names, and the intercepts.
template <class T>
std::vector<T> gather_features(std::span<const T> w, std::span<const std::size_t> features, penalty::layout shape) {
    std::vector<T> part;
    for (const std::size_t i : features)
        for (std::size_t k = 0; k < shape.outputs; ++k) part.push_back(w[i * shape.outputs + k]);
    part.insert(part.end(), w.begin() + static_cast<std::ptrdiff_t>(shape.size()), w.end());
    return part;
}
/// The way back; what is not named is 0.
template <class T>
std::vector<T> scatter_features(std::span<const T> part, std::span<const std::size_t> features, penalty::layout shape) {
    std::vector<T> w(shape.size());
    for (std::size_t r = 0; r < features.size(); ++r)
        for (std::size_t k = 0; k < shape.outputs; ++k)
            w[features[r] * shape.outputs + k] = part[r * shape.outputs + k];
    w.insert(w.end(), part.begin() + static_cast<std::ptrdiff_t>(features.size() * shape.outputs), part.end());
    return w;
}

/// The penalty of a problem that has these features only, which ascend.
inline penalty::l0 on_features(const penalty::l0& whole, std::span<const std::size_t> features) {
    penalty::l0 part = whole;
    part.free.clear();
    for (std::size_t r = 0; r < features.size(); ++r)
        if (std::find(whole.free.begin(), whole.free.end(), features[r]) != whole.free.end()) part.free.push_back(r);
    part.sizes.clear();
    for (std::size_t g = 0, r = 0, end = 0; g < whole.sizes.size(); ++g) {
        end += whole.sizes[g];
        const std::size_t begin = r;
        while (r < features.size() && features[r] < end) ++r;
        if (r > begin) part.sizes.push_back(r - begin);
    }
    return part;
}

/// The best weights on the support of the given ones, found on the features that it uses where the problem can be cut down to
/// them: then only copying them reads all of the data.
///
/// Smooth case (l1 = 0, no bounds): Newton's method, at most `largest` weights with their second derivatives as a matrix (a pass,
/// a sum of its entries, a Cholesky factorisation per step; 3 to 6 steps when warm), more by conjugate gradients. Least squares whose
/// columns are so nearly collinear that a matrix of second derivatives loses digits: solver::refit.
/// With l1 or bounds: accelerated proximal gradient on the support with restarts (O'Donoghue and Candes 2015), then done.
/// Each step costs what newton_cg's does: passes over the data with one reduction each.
/// Stops at stop.tolerance times the gradient at w, or times `scale` where that is more: w may be the best already.
struct polish {
    std::size_t largest = 1024;  ///< weights that Newton's method takes as a matrix
    core::stop stop{.iterations = 30, .tolerance = 1e-10};

    template <Cardinality P>
    [[gnu::cold]] core::result<typename P::array> improve(const P& p, const typename P::array& w,
                                                          double scale = 0) const {
        if constexpr (ColumnAccess<P>) {
            using A = typename P::array;
            using T = typename A::value_type;
            const std::vector<T> all = w.download();
            const std::vector<std::size_t> features = used_features(p, std::span<const T>(all));
            if (features.size() == p.layout().features) return on_all(p, w, scale);
            const auto part =
                p.on_columns(features, on_features(p.penalty_term(), features),
                             A(std::span<const T>(gather_features(std::span<const T>(all), features, p.layout()))));
            core::result<A> found = on_all(*part, part->start(), scale);
            const std::vector<T> few = found.weights.download();
            found.weights = A(std::span<const T>(
                scatter_features(std::span<const T>(few), std::span<const std::size_t>(features), p.layout())));
            return found;
        } else {
            return on_all(p, w, scale);
        }
    }

    /// Columns of this matrix of second derivatives are nearly collinear: of the squared length of one no more than 1e-4 is left beside
    /// the others, and products of columns hold the rest with twelve digits or less.
    static bool loses_digits(backend::dense_matrix<double> h) {
        const std::size_t m = h.rows;
        std::vector<double> squares(m);
        for (std::size_t e = 0; e < m; ++e) squares[e] = h(e, e);
        if (m == 0 || !backend::host<double>::factorize(m, h.values.data())) return m > 0;
        for (std::size_t e = 0; e < m; ++e)
            if (h(e, e) * h(e, e) <= 1e-4 * squares[e]) return true;
        return false;
    }

private:
    /// Least squares on the support from its rows; nothing where that does not settle.
    template <Cardinality P>
    requires LeastSquares<P>
    [[gnu::cold]] std::optional<core::result<typename P::array>> directly(const P& p, const restricted<P>& inside,
                                                                          std::span<const std::size_t> entries) const {
        using A = typename P::array;
        using T = typename A::value_type;
        const std::size_t before = p.passes();
        std::vector<std::size_t> columns;
        for (const std::size_t e : entries)
            if (e < p.layout().features) columns.push_back(e);
        const refitted found = refit(p, columns, p.penalty_term().l2);
        if (!found.settled) return std::nullopt;
        std::vector<T> w = inside.start().download();
        for (std::size_t e = 0; e < entries.size(); ++e) w[entries[e]] = static_cast<T>(found.weights[e]);
        core::result<A> result;
        result.weights = A(std::span<const T>(w));
        result.objective = std::is_same_v<T, double> ? found.objective : inside.value(result.weights);
        result.status = core::status::converged;
        result.iterations = 1;
        result.passes = p.passes() - before + found.passes;
        return result;
    }

    template <Cardinality P>
    [[gnu::cold]] core::result<typename P::array> on_all(const P& p, const typename P::array& w, double scale) const {
        if (p.penalty_term().is_smooth()) {
            const restricted<P> inside(p, w, scale);
            if constexpr (SecondDerivatives<P>) {
                const std::vector<std::size_t> entries = inside.entries();
                if (entries.size() <= largest)
                    if (auto found = newton(p, inside, entries)) return std::move(*found);
            }
            return newton_cg<>{.stop = stop}.minimize(inside);
        }
        return proximal(p, w);
    }

    /// Newton's method with backtracking; nothing if it does not end within stop.iterations: then there may be no minimum.
    template <Cardinality P>
    [[gnu::cold]] std::optional<core::result<typename P::array>> newton(const P& p, const restricted<P>& inside,
                                                                        std::span<const std::size_t> entries) const {
        using A = typename P::array;
        using T = typename A::value_type;
        using host = backend::host<double>;
        const std::size_t m = entries.size(), before = p.passes();
        core::result<A> result;
        A w = inside.start(), trial = w, g(w.size());
        std::vector<double> step(m);
        for (std::size_t k = 0; k < stop.iterations; ++k) {
            const double value = inside.value_and_gradient(w, g);
            const std::vector<T> slopes = g.download(), now = w.download();
            if (!std::isfinite(value)) return std::nullopt;
            auto h = p.second_derivatives(w, entries);
            double trace = 0;
            for (std::size_t e = 0; e < m; ++e) {
                h(e, e) += inside.ridge_of(entries[e]);
                trace += h(e, e);
            }
            if constexpr (LeastSquares<P>)
                if (k == 0 && loses_digits(h))
                    if (auto found = directly(p, inside, entries)) return found;
            const auto solve = [&](double ridge) {  // the least that makes the matrix definite
                for (; ridge <= 1; ridge = std::max(1e-14, 100 * ridge)) {
                    auto factor = h;
                    for (std::size_t e = 0; e < m; ++e) factor(e, e) += ridge * trace / static_cast<double>(m);
                    if (!host::factorize(m, factor.values.data())) continue;
                    for (std::size_t e = 0; e < m; ++e) step[e] = -static_cast<double>(slopes[entries[e]]);
                    host::solve(m, factor.values.data(), step.data());
                    return true;
                }
                return false;
            };
            // several outputs may have a common shift that the loss does not see
            if (!solve(p.layout().outputs > 1 ? 1e-10 : 0)) return std::nullopt;
            double decrease = 0;  // what the model promises, twice
            for (std::size_t e = 0; e < m; ++e) decrease -= step[e] * static_cast<double>(slopes[entries[e]]);
            const auto move = [&](double length) {
                std::vector<T> there = now;
                for (std::size_t e = 0; e < m; ++e)
                    there[entries[e]] = static_cast<T>(static_cast<double>(now[entries[e]]) + length * step[e]);
                trial.upload(there);
            };
            const double scale = std::max(std::abs(value), std::numeric_limits<double>::min());
            const bool close = decrease <= 1e-9 * scale;  // so near that rounding would judge a line search
            double length = 1;
            for (move(1); !close; move(length /= 2)) {
                if (inside.value(trial) <= value - 1e-4 * length * decrease) break;
                if (length < 1e-10) return std::nullopt;
            }
            std::swap(w, trial);
            result.iterations = k + 1;
            constexpr double epsilon = std::numeric_limits<T>::epsilon();
            if (decrease <= std::max(1e-14, epsilon) * scale) {
                result.status = core::status::converged;
                break;
            }
        }
        if (result.status != core::status::converged) return std::nullopt;
        result.objective = inside.value(w);
        result.weights = std::move(w);
        result.passes = p.passes() - before;
        return result;
    }

    /// The prox of the whole penalty on the support alone: kappa does not bind there, and what is masked stays 0.
    template <Cardinality P>
    [[gnu::cold]] core::result<typename P::array> proximal(const P& p, const typename P::array& w) const {
        using A = typename P::array;
        using T = typename A::value_type;
        A mask = autodiff::choose(w == T(0), T(0), T(1));
        std::vector<T> marks = mask.download();
        const penalty::layout shape = p.layout();
        std::fill(marks.begin() + static_cast<std::ptrdiff_t>(shape.size()), marks.end(), T(1));  // intercepts
        for (const std::size_t feature : p.penalty_term().free)
            std::fill_n(marks.begin() + static_cast<std::ptrdiff_t>(feature * shape.outputs), shape.outputs, T(1));
        mask.upload(marks);
        const std::size_t before = p.passes();
        A x = w, y = w, previous = w, g(w.size()), trial(w.size());
        const auto whole = [&](const A& v) { return p.value(v) + p.penalty(v); };
        double objective = whole(x), lipschitz = 0, momentum = 1;
        core::result<A> result;
        const std::size_t most = stop.iterations * 20;
        result.status = core::status::iteration_limit;
        result.message = core::text("the limit of ", most, " proximal steps is used up");
        for (std::size_t k = 0; k < most; ++k) {
            const double loss = p.value_and_gradient(y, g);
            g = mask * g;
            if (lipschitz == 0) {  // the curvature along the gradient: no more than the largest
                const double length = std::max(backend::norm(g), std::numeric_limits<double>::min()),
                             reach = 1e-3 * std::max(backend::norm(x), 1.0) / length;
                trial = y - static_cast<T>(reach) * g;
                A there(w.size());
                p.value_and_gradient(trial, there);
                there = mask * there;
                lipschitz = std::max(backend::distance(there, g) / (reach * length), 1e-12);
            }
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
                result.message.clear();
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
