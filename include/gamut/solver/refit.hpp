// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/double_double.hpp>
#include <gamut/backend/orthogonal_factor.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/detail/least_squares_rows.hpp>

namespace gamut::solver {

/// Least squares whose rows lie in this process's memory: what an orthogonal factorisation of them needs.
template <class P>
concept LeastSquares = Composite<P> && P::backend_type::host_memory && requires(const P& p) {
    requires std::same_as<std::remove_cvref_t<decltype(p.loss_model())>, model::linear>;
    { p.has_intercept() } -> std::same_as<bool>;
    { p.total_weight() } -> std::convertible_to<double>;
    p.scaling().divisors();
    p.dataset().partition.shards_of(std::size_t(0), std::size_t(1));
};

/// Least squares on some columns, as found by `refit`.
///   weights     one per column, standardised as the problem has them, in the order of `columns`, and the intercept last if there is one
///   objective   at these weights, to rounding:  sum of omega r^2 / (2 Omega) + l2/2 |weights without the intercept|^2
///   squares     sum of omega r^2
struct refitted {
    std::vector<double> weights;
    double objective = std::numeric_limits<double>::quiet_NaN(), squares = objective;
    std::size_t rank =
        0;  ///< of the columns, the ones and the rows of l2: less than weights.size() if they are collinear
    double condition = 1;    ///< of those that count, each at length 1, in the 1-norm
    double correction = 0;   ///< how far the last step moved a weight, relative to it: what was left to gain before it
    bool settled = false;    ///< another step would move no weight by more than rounding does
    bool finite = true;      ///< false: something overflowed, and the weights are 0
    std::size_t passes = 0;  ///< over these columns
    std::size_t unknowns() const { return weights.size(); }
    std::vector<std::vector<std::size_t>>
        collinear;  ///< sets of places in `weights`, each linearly dependent to rounding
};

namespace detail {

/// How far from settled: the largest step of a weight beyond its own rounding, where others' steps are known to `share` of themselves.
struct step_sizes {
    double relative = 0;  // the largest |d_j| beside |w_j|, or beside the largest weight times `share`
    double largest_step = 0, largest_weight = 0;  // at columns of length 1

    step_sizes(std::span<const double> w, std::span<const double> d, const backend::least_squares_factor& a,
               double share) {
        for (std::size_t j = 0; j < w.size(); ++j) {
            largest_step = std::max(largest_step, std::abs(d[j]) * a.length(j));
            largest_weight = std::max(largest_weight, std::abs(w[j]) * a.length(j));
        }
        for (std::size_t j = 0; j < w.size(); ++j)
            if (d[j] != 0) relative = std::max(relative, std::abs(d[j]) / size(j, w, a, share));
    }
    double size(std::size_t j, std::span<const double> w, const backend::least_squares_factor& a, double share) const {
        return std::max(std::abs(w[j]) + share * largest_weight / a.length(j), std::numeric_limits<double>::min());
    }
};

/// With the rows root(ridge) I below, for the first c columns.
inline backend::orthogonal_factor with_ridge(backend::orthogonal_factor r, std::size_t c, double ridge) {
    if (!(ridge > 0)) return r;
    const std::size_t width = r.columns();
    std::vector<double> block(c * width);
    for (std::size_t k = 0; k < c; ++k) block[k * width + k] = std::sqrt(ridge);
    r.add(block.data(), c, true);
    return r;
}

/// R of the rows [ columns | ones with an intercept | labels ], and of the rows of l2. One pass and one gather.
template <LeastSquares P>
[[gnu::cold]] backend::orthogonal_factor factor_of(const P& p, const std::vector<std::size_t>& columns, double l2) {
    return with_ridge(least_squares_rows<P>(p, columns).factor(), columns.size(), l2 * p.total_weight());
}

}  // namespace detail

/// The minimiser of   sum of omega (x~'w + b - y)^2 / (2 Omega) + l2/2 |w|^2   over the weights of some columns, and the intercept b if the
/// problem has one; all other weights are 0, and the problem's own penalty is not asked. columns: ascending strictly.
///
/// An orthogonal factorisation of the rows (error: condition times rounding, not its square as from a Gram matrix), then steps of iterative
/// refinement from residuals with 30 digits, until no weight moves by more than its rounding. Of a singular problem the weights of least
/// norm. Everything is in double precision, also for data in float. Collective; the same bits on any number of ranks and threads.
/// One pass, 4 rows columns^2 / 2 operations, and one more pass per step, two in all if well-conditioned; each with one gather.
/// Bjorck, Numerical Methods for Least Squares Problems (1996), 2.9 and 6.6.
template <LeastSquares P>
[[gnu::cold]] refitted refit(const P& p, std::span<const std::size_t> columns, double l2, std::size_t steps = 8) {
    constexpr double epsilon = std::numeric_limits<double>::epsilon();
    const detail::least_squares_rows<P> rows(p, {columns.begin(), columns.end()});
    const std::size_t n = rows.unknowns(), c = columns.size();
    const double ridge = l2 * p.total_weight();
    const backend::least_squares_factor a(detail::with_ridge(rows.factor(), c, ridge));
    refitted result;
    result.passes = 1;
    result.rank = a.rank();
    result.condition = a.condition();
    result.finite = a.is_finite();
    result.weights.assign(n, 0.0);
    if (!result.finite) return result;
    for (std::size_t k = 0; a.rank() + k < n; ++k) result.collinear.push_back(a.collinear(k));
    std::vector<double>& w = result.weights;
    w = a.solution();

    // A step is known to `share` of itself, and weights keep 30 digits meanwhile: the error of a step is small where A hardly sees it,
    // which rounded weights would undo.
    std::vector<backend::double_double> exact(w.begin(), w.end());
    double share = std::min(1.0, 64 * epsilon * a.condition()), before = 0;
    for (std::size_t k = 0; k < steps && !result.settled; ++k) {
        const auto left = rows.left_at(exact);
        ++result.passes;
        std::vector<double> g = left.slopes;
        double squares_of_weights = 0, gain = 0;
        for (std::size_t j = 0; j < c; ++j) {
            g[j] -= ridge * w[j];
            squares_of_weights += w[j] * w[j];
        }
        const std::vector<double> d = a.solve(g);
        for (std::size_t j = 0; j < n; ++j) gain += g[j] * d[j];
        result.finite = std::isfinite(left.squares) && std::isfinite(gain);
        if (!result.finite) return result;
        const detail::step_sizes now(w, d, a, share);
        if (before > 0 && now.largest_step > 16 * epsilon * now.largest_weight)
            share = std::clamp(now.largest_step / before, share, 1.0);
        before = now.largest_step;
        result.correction = now.relative;
        result.squares = left.squares;
        const double objective = (0.5 * left.squares + 0.5 * ridge * squares_of_weights) / p.total_weight();
        result.objective = std::max(0.0, objective - 0.5 * gain / p.total_weight());
        double next = 0;  // what the step after this one may be
        for (std::size_t j = 0; j < n; ++j) {
            next = std::max(next, share * now.largest_step / a.length(j) / now.size(j, w, a, share));
            exact[j] += d[j];
            w[j] = exact[j].value();
        }
        result.settled = now.relative <= epsilon || (share < 1 && next <= epsilon);
    }
    return result;
}

}  // namespace gamut::solver
