// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/core/clock.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/text.hpp>
#include <gamut/fwd.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/quadratic/candidates.hpp>
#include <gamut/quadratic/gram_path.hpp>
#include <gamut/quadratic/support.hpp>
#include <gamut/quadratic/support_model.hpp>
#include <gamut/quadratic/units.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/detail/support_model_of.hpp>
#include <gamut/solver/gram_problem.hpp>
#include <gamut/solver/polish.hpp>
#include <gamut/solver/run.hpp>
#include <gamut/solver/swap.hpp>

namespace gamut::solver {

/// A solution of a path, and what it is for.
template <class Array> struct at_kappa {
    std::size_t kappa = 0;
    double l2 = 0;
    double loss = std::numeric_limits<double>::quiet_NaN();  ///< without the penalty
    /// Weights that were estimated, intercepts and free ones included; those on the support count, together, as
    /// trace(H (H + l2)^-1), H the loss's second derivatives there given the others: their number if l2 is 0.
    double degrees_of_freedom = std::numeric_limits<double>::quiet_NaN();
    core::result<Array> result{};
};

/// The best subsets of every size (in weights, rows or groups: what the penalty counts): solutions for kappa = 0, 1, ..., `largest`, and for every l2 of a grid, one after another in
/// this order. The kappa of the problem's penalty is not looked at; its l2 is the grid if `l2` is empty.
///   forward     kappa - 1 -> kappa: the candidate that gains most joins
///   backward    kappa + 1 -> kappa: the member that is worth least leaves
/// and after each the exchanges of solver::swap, as long as one gains; the best per kappa is kept, and both go on from there,
/// until nothing improves. Then swapping.restarts searches from disturbed supports for each kappa, each of which ends in a comparison by
/// fits where those are few (see solver::swap). The supports for one l2 are
/// tried for the next. Larger kappa never have a larger objective.
///
/// Least squares with no more weights than rows, or with 10^9 products of columns or less for each kappa, and memory for their products: one pass, one global sum of about
/// p^2 / 2 numbers, and the whole path, grid included, in memory and without messages; lower bounds as well. With more weights: the
/// same on a pool of candidates, and for every solution a pass to see whether others belong there, a few times over. Other losses,
/// l1 and bounds: each step costs what solver::swap costs from a warm start, some passes.
/// Same bits on any number of ranks. Heuristic: result.lower_bound says how good a solution is, if l2 > 0.
/// Zhu et al., PNAS 117 (2020); Hazimeh and Mazumder, Operations Research 68 (2020), section 4, on warm starts.
struct path {
    std::size_t blocks = 8;                     ///< of rows, each a partial sum; the most ranks with work
    std::size_t largest = 20;                   ///< kappa; no more than there are candidates
    std::vector<double> l2{};                   ///< in the order in which they are solved; empty: that of the penalty
    std::size_t memory = std::size_t(1) << 30;  ///< bytes that second moments may take; 0: always over rows
    swap swapping{.restarts = 8};

    void validate() const {
        if (!(blocks >= 1 && blocks <= 4095))
            throw core::option_error(core::text("path: blocks is ", blocks, " (it must be 1 to 4095)"));
        for (const double strength : l2)
            if (!(strength >= 0 && std::isfinite(strength)))
                throw core::option_error(
                    core::text("path: l2 has ", strength, " (they must be finite and not negative)"));
        swapping.validate();
    }

    template <Cardinality P, class... O>
    requires ColumnAccess<P> && SecondDerivatives<P> std::vector<at_kappa<typename P::array>> minimize(const P& p,
                                                                                                       O&&... observers)
    const {
        check(p);
        if constexpr (in_memory<P>)
            if (affordable(p, 1)) {
                const auto moments = p.moments_by();
                return from_products(p, moments.of_group[0], moments.label, observers...);
            }
        if constexpr (in_memory<P>)
            if (memory > 0 && is_plain(p.penalty_term())) return on_pool(p, observers...);
        return over_rows(*this, p, observers...).go();
    }

    template <class P, class... O> refused minimize(const P&, O&&...) const {
        static_assert(Cardinality<P>,
                      "path: needs penalty::l0 (it counts weights); for other penalties use solver::strengths");
        static_assert(!Cardinality<P> || (ColumnAccess<P> && SecondDerivatives<P>),
                      "path: needs on_columns(columns, penalty, from) and second_derivatives(w, entries); see "
                      "gamut/solver/concept.hpp");
        return {};
    }

    /// Whether the path of a problem needs its second moments only.
    template <class P> static constexpr bool in_memory = requires(const P& p) { p.moments_by(); };

    /// Whether it then is found in memory, with second moments of that many groups of rows.
    template <class P> bool affordable(const P& p, std::size_t groups) const {
        const penalty::l0& term = p.penalty_term();
        const double d = static_cast<double>(p.dimension()) + 1, rows = static_cast<double>(p.rows());
        return is_plain(term) && (rows >= d || rows * d * d <= 1e9 * static_cast<double>(largest + 1)) &&
               8 * d * d * static_cast<double>(p.blocks() + groups + 2) <= static_cast<double>(memory);
    }

    /// The path in memory, from what moments_by() said of all rows.
    template <class P, class... O>
    std::vector<at_kappa<typename P::array>> from_products(const P& p, const backend::dense_matrix<double>& products,
                                                           double label, O&&... observers) const {
        check(p);
        const core::clock clock;
        const auto f = quadratic::least_squares::of(products, label, p.has_intercept());
        std::vector<at_kappa<typename P::array>> found;
        std::optional<gram_problem<P>> in_moments;
        double judged = std::numeric_limits<double>::quiet_NaN();  // the l2 of few_digits
        bool few_digits = false;
        for (const quadratic::gram_solution& s : together(p, f)) {
            if (judged != s.l2) few_digits = loses_digits(f, judged = s.l2);
            found.push_back(described(p, f, s, label, in_moments, few_digits));
        }
        show(p, found, "path in memory", clock.seconds(), observers...);
        return found;
    }

    /// The path of the problem's penalty for other second moments. Local: no messages.
    template <class P>
    std::vector<quadratic::gram_solution> of_moments(const P& p, const quadratic::least_squares& f,
                                                     std::size_t threads) const {
        return quadratic::gram_path(f, p.penalty_term(), p.layout().features, strengths_of(p.penalty_term()),
                                    {largest, swapping.restarts, swapping.disturb, swapping.seed, threads});
    }

private:
    template <class P> void check(const P& p) const {
        communicator::agree(p.communicator(), [&] { validate(); });
    }

    std::vector<double> strengths_of(const penalty::l0& term) const { return l2.empty() ? std::vector{term.l2} : l2; }

    /// What the moments alone decide.
    static bool is_plain(const penalty::l0& term) {
        return term.l1 == 0 && std::isinf(term.lower) && std::isinf(term.upper);
    }

    /// Every rank does the same; if one fails, all do.
    template <class P>
    std::vector<quadratic::gram_solution> together(const P& p, const quadratic::least_squares& f) const {
        std::vector<quadratic::gram_solution> solutions;
        communicator::agree(p.communicator(),
                            [&] { solutions = of_moments(p, f, static_cast<std::size_t>(p.threads())); });
        return solutions;
    }

    /// Shows each of some solutions to the observers; what comes after one where they stop is dropped.
    template <class P, class... O>
    void show(const P& p, std::vector<at_kappa<typename P::array>>& found, const char* phase, double seconds,
              O&... observers) const {
        for (std::size_t i = 0; i < found.size(); ++i) {
            core::result<typename P::array>& result = found[i].result;
            run<P, O...> record("path", p, swapping.stop, observers...);
            const auto asked = record.report({.phase = phase,
                                              .iteration = result.iterations,
                                              .objective = result.objective,
                                              .nonzeros = p.nonzeros(result.weights)});
            result.history = record.finish({}, 0, {}, {}).history;
            result.seconds = seconds;
            if (!asked) continue;
            result.status = *asked;
            result.message = explanation(*asked, swapping.stop);
            found.erase(found.begin() + static_cast<std::ptrdiff_t>(i) + 1, found.end());
        }
    }

    /// Least squares with too many candidates for a matrix of all: the path in memory for a pool of them, which takes in those with
    /// the largest scores at any of the path's solutions, until no solution changes or the pool is as large as it may be.
    template <class P, class... O> std::vector<at_kappa<typename P::array>> on_pool(const P& p, O&... observers) const {
        using A = typename P::array;
        using T = typename A::value_type;
        const core::clock clock;
        const std::size_t before = p.passes(), features = p.layout().features;
        const std::vector<double> squares = p.column_squares();
        const penalty::detail::units units = p.penalty_term().units_of(p.layout());
        std::vector<bool> in(units.count());
        for (const std::size_t j : p.penalty_term().free) in[units.of(j)] = true;
        std::size_t size = 0;  // features
        const auto always = static_cast<double>(std::max<std::size_t>(2 * largest + 16, 256));
        A gradient(p.dimension());
        const auto take = [&](const A& w, std::size_t count) {
            p.value_and_gradient(w, gradient);
            const std::vector<T> slopes = gradient.download();
            std::vector<std::pair<double, std::size_t>> scores;
            for (std::size_t u = 0; u < units.count(); ++u) {
                double score = 0;
                for (std::size_t j = units.first(u); j < units.first(u + 1); ++j)
                    if (const double slope = static_cast<double>(slopes[j]); squares[j] > 0)
                        score += slope * slope / squares[j];
                if (!in[u] && score > 0) scores.emplace_back(-score, u);
            }
            count = std::min(count, scores.size());
            std::nth_element(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(count), scores.end());
            for (std::size_t i = 0; i < count; ++i) {
                in[scores[i].second] = true;
                size += units.size(scores[i].second);
            }
        };
        const auto room = [&] {
            const double d = static_cast<double>(size + 10), rows = static_cast<double>(p.rows());
            return d <= always || (rows * d * d <= 1e9 * static_cast<double>(largest + 1) &&
                                   8 * d * d * static_cast<double>(p.blocks() + 3) <= static_cast<double>(memory));
        };

        std::vector<at_kappa<A>> found;
        std::vector<bool> changed, few_digits;
        take(swapping.polishing.improve(p.with_penalty(with(p.penalty_term(), 0, 0)), p.start()).weights,
             std::max<std::size_t>(largest + 16, 128));
        for (std::size_t round = 0; round < 20; ++round) {
            std::vector<std::size_t> pool;
            for (std::size_t j = 0; j < features; ++j)
                if (in[units.of(j)]) pool.push_back(j);
            const auto part = p.on_columns(pool, on_features(p.penalty_term(), pool));
            const auto moments = part->moments_by();
            const auto f = quadratic::least_squares::of(moments.of_group[0], moments.label, p.has_intercept());
            const auto solutions = together(*part, f);
            found.resize(solutions.size());
            few_digits.resize(solutions.size());
            changed.assign(solutions.size(), false);
            for (std::size_t i = 0; i < solutions.size(); ++i) {
                const quadratic::gram_solution& s = solutions[i];
                if (round > 0 && !(s.objective < found[i].result.objective - 1e-10 * std::abs(s.objective))) continue;
                changed[i] = true;
                few_digits[i] =
                    i > 0 && s.l2 == solutions[i - 1].l2 && changed[i - 1] ? few_digits[i - 1] : loses_digits(f, s.l2);
                std::vector<T> w(s.weights.begin(), s.weights.end());
                if (p.has_intercept()) w.back() = static_cast<T>(s.weights.back() + moments.label);
                w = scatter_features(std::span<const T>(w), std::span<const std::size_t>(pool), p.layout());
                found[i] = {s.kappa, s.l2, s.loss, s.degrees_of_freedom, {}};
                found[i].result.weights = A(std::span<const T>(w));
                found[i].result.objective = s.objective;
                found[i].result.iterations = s.searches;
                found[i].result.status = std::isfinite(s.objective) ? core::status::converged : core::status::diverged;
            }
            const std::size_t small = size;
            for (std::size_t i = 0; i < found.size() && room(); ++i)
                if (changed[i]) take(found[i].result.weights, 8);
            if (size == small) break;
        }
        for (std::size_t i = 0; i < found.size(); ++i) {
            at_kappa<A>& at = found[i];
            const auto problem = p.with_penalty(with(p.penalty_term(), at.kappa, at.l2));
            at.result.lower_bound = swapping.bounding.below(problem, at.result.weights, at.result.objective);
            at.result.message =
                core::text(few_digits[i] ? "no promising exchange" : "no exchange",
                           " within a pool of those with the largest scores improves it",
                           few_digits[i] ? " (promising by a Gram matrix of nearly collinear columns)" : "",
                           ", nor did searches from its neighbours on the path and from disturbed supports");
            if (at.result.lower_bound == at.result.lower_bound)
                at.result.message += "; " + certificate::says(at.result.objective, at.result.lower_bound);
            at.result.passes = p.passes() - before;
        }
        show(p, found, "path on a pool", clock.seconds(), observers...);
        return found;
    }

    static penalty::l0 with(penalty::l0 term, std::size_t kappa, double l2) {
        term.kappa = kappa;
        term.l2 = l2;
        return term;
    }

    /// Products of nearly collinear columns lose digits, and what exchanges gain by them may be wrong; see polish. d^3 / 3 operations.
    static bool loses_digits(const quadratic::least_squares& f, double l2) {
        backend::dense_matrix<double> h = f.gram;
        for (std::size_t a = 0; a < h.rows; ++a) h(a, a) += l2;
        return polish::loses_digits(std::move(h));
    }

    template <class P>
    at_kappa<typename P::array> described(const P& p, const quadratic::least_squares& f,
                                          const quadratic::gram_solution& s, double label,
                                          std::optional<gram_problem<P>>& in_moments, bool few_digits) const {
        using A = typename P::array;
        using T = typename A::value_type;
        const auto to_array = [](std::span<const double> numbers) {
            const std::vector<T> converted(numbers.begin(), numbers.end());
            return A(std::span<const T>(converted));
        };
        at_kappa<A> found{s.kappa, s.l2, s.loss, s.degrees_of_freedom, {}};
        std::vector<double> w = s.weights;
        const penalty::l0 term = with(p.penalty_term(), s.kappa, s.l2);
        if (certificate::possible(term)) {
            if (!in_moments)
                in_moments.emplace(gram_problem<P>({as<T>(f.gram), as<T>(f.slope), f.constant}, term, p.layout(),
                                                   to_array(w), p.threads()));
            found.result.lower_bound =
                swapping.bounding.below(in_moments->with_penalty(term), to_array(w), s.objective);
        }
        if (p.has_intercept()) w.back() += label;
        found.result.weights = to_array(w);
        found.result.objective = s.objective;
        found.result.status = std::isfinite(s.objective) ? core::status::converged : core::status::diverged;
        found.result.message = few_digits
                                   ? "no promising exchange of one weight or group improves it (promising by a Gram "
                                     "matrix of nearly collinear columns), nor did searches from its neighbours on the "
                                     "path and from disturbed supports"
                                   : "no exchange of one weight or group improves it, nor did searches from its "
                                     "neighbours on the path and from disturbed supports";
        if (found.result.lower_bound == found.result.lower_bound)
            found.result.message += "; " + certificate::says(s.objective, found.result.lower_bound);
        found.result.iterations = s.searches;
        found.result.passes = 1;
        return found;
    }

    template <class T> static std::vector<T> as(const std::vector<double>& v) { return {v.begin(), v.end()}; }
    template <class T> static backend::dense_matrix<T> as(const backend::dense_matrix<double>& m) {
        backend::dense_matrix<T> out(m.rows, m.columns);
        std::copy(m.values.begin(), m.values.end(), out.values.begin());
        return out;
    }

    /// The path of any loss.
    template <class P, class... O> class over_rows {
        using A = typename P::array;
        using T = typename A::value_type;

    public:
        over_rows(const path& options, const P& p, O&... observers)
            : options_(options),
              p_(p),
              observers_(observers...),
              shape_(p.layout()) {}

        std::vector<at_kappa<A>> go() {
            const quadratic::candidates all(with(p_.penalty_term(), options_.largest, 0), shape_);
            const std::size_t groups = p_.penalty_term().competitions_of(shape_);
            std::vector<at_kappa<A>> found;
            std::vector<place> before;
            for (const double strength : options_.strengths_of(p_.penalty_term())) {
                l2_ = strength;
                best_.assign(all.places() / groups + 1, {});
                search(0, p_.start());
                for (std::size_t k = 0; k < before.size() && k < best_.size(); ++k)
                    if (k > 0 && before[k].result) search(k, before[k].result->weights);
                sweep();
                if (options_.swapping.restarts > 0 && !ended_) {
                    disturbing_ = true;
                    for (std::size_t k = 1; k < best_.size(); ++k) search(k, A(best_[k].result->weights));
                    disturbing_ = false;
                    sweep();
                }
                for (std::size_t k = 0; k < best_.size() && best_[k].result; ++k) found.push_back(described(k));
                if (ended_) break;
                before = best_;
            }
            return found;
        }

    private:
        struct place {
            std::optional<core::result<A>> result{};
            bool forward_done = false, backward_done = false;
        };

        void sweep() {
            for (bool changed = true; changed && !ended_;) {
                changed = false;
                for (std::size_t k = 1; k < best_.size() && best_[k - 1].result; ++k)
                    if (!std::exchange(best_[k - 1].forward_done, true))
                        changed = search(k, A(best_[k - 1].result->weights)) || changed;
                for (std::size_t k = best_.size() - 1; k-- > 1;)
                    if (best_[k + 1].result && !std::exchange(best_[k + 1].backward_done, true))
                        changed = search(k, without_cheapest(k)) || changed;
            }
        }

        /// Improves w for kappa = k; true if that is the best so far.
        bool search(std::size_t k, const A& w) {
            if (ended_) return false;
            const auto p = p_.with_penalty(with(p_.penalty_term(), k, l2_));
            swap by = options_.swapping;
            if (!disturbing_) by.restarts = 0;
            by.compare_by_fits = by.compare_by_fits && disturbing_;
            core::result<A> found = std::apply(
                [&](auto&... observers) {
                    run<std::remove_cvref_t<decltype(p)>, O...> record("path", p, by.stop, observers...);
                    auto improved = by.improve(p, by.polishing.improve(p, w), record, iteration_);
                    iteration_ = improved.iterations;
                    return record.finish(std::move(improved.weights), improved.objective, improved.status,
                                         std::move(improved.message));
                },
                observers_);
            found.iterations = iteration_;
            if (found.status == core::status::stopped || found.status == core::status::time_limit) ended_ = true;
            place& best = best_[k];
            const std::size_t passes = found.passes + (best.result ? best.result->passes : 0);
            const double seconds = found.seconds + (best.result ? best.result->seconds : 0);
            const double most = best.result ? best.result->objective - 1e-10 * std::abs(best.result->objective)
                                            : std::numeric_limits<double>::infinity();
            const bool better = !best.result || found.objective < most;
            if (better) best = {std::move(found)};
            best.result->passes = passes;
            best.result->seconds = seconds;
            return better;
        }

        /// f(s, pool): the second-order model at `weights` on their support, which is all of s (quadratic::support or quadratic::units)
        /// and, as entries of w, `pool`.
        template <class F> auto on_support(const A& weights, std::size_t k, F&& f) const {
            const auto problem = p_.with_penalty(with(p_.penalty_term(), k, l2_));
            const quadratic::candidates all(problem.penalty_term(), shape_);
            const std::vector<T> w = weights.download();
            const penalty::detail::units units = problem.penalty_term().units_of(shape_);
            std::vector<bool> used(units.count());
            for (std::size_t e = 0; e < shape_.size(); ++e)
                if (w[e] != 0) used[units.of(e)] = true;
            std::vector<std::size_t> pool, local;
            for (const std::size_t e : all.all())
                if (used[units.of(e)]) pool.push_back(e);
            const std::vector<std::size_t> features = all.features_of(pool);
            for (const std::size_t e : pool)
                local.push_back(
                    static_cast<std::size_t>(std::lower_bound(features.begin(), features.end(), e / shape_.outputs) -
                                             features.begin()) *
                        shape_.outputs +
                    e % shape_.outputs);
            const auto part = problem.on_columns(features, on_features(problem.penalty_term(), features));
            const A at(std::span<const T>(
                gather_features(std::span<const T>(w), std::span<const std::size_t>(features), shape_)));
            const quadratic::support_model model = detail::support_model_of(*part, at, {}, local, all.shape_of(pool));
            const auto with_all = [&](auto s) {
                for (std::size_t u = 0; u < model.function().units(); ++u) s.add(u);
                return f(s, model.function(), std::span<const std::size_t>(pool));
            };
            if (all.are_entries()) return with_all(quadratic::support(model.function()));
            return with_all(quadratic::units(model.function()));
        }

        /// The best weights for kappa = k + 1, and in each group that has more than k the one that is worth least set to 0.
        A without_cheapest(std::size_t k) const {
            const A& from = best_[k + 1].result->weights;
            std::vector<T> w = from.download();
            on_support(from, k + 1,
                       [&](const auto& s, const quadratic::objective& f, std::span<const std::size_t> pool) {
                           std::vector<std::size_t> used(shape_.outputs), cheapest(shape_.outputs, s.size());
                           for (std::size_t i = 0; i < s.size(); ++i) {
                               const std::size_t g = s.group_of(s.members()[i]);
                               ++used[g];
                               if (cheapest[g] == s.size() || s.loss(i) < s.loss(cheapest[g])) cheapest[g] = i;
                           }
                           for (std::size_t g = 0; g < used.size(); ++g)
                               if (used[g] > k)
                                   for (std::size_t i = f.begin(s.members()[cheapest[g]]);
                                        i < f.end(s.members()[cheapest[g]]); ++i)
                                       w[pool[i]] = 0;
                           return 0;
                       });
            return A(std::span<const T>(w));
        }

        at_kappa<A> described(std::size_t k) {
            const core::result<A>& result = *best_[k].result;
            const auto p = p_.with_penalty(with(p_.penalty_term(), k, l2_));
            at_kappa<A> found{k, l2_, 0, 0, result};
            found.loss = result.objective - p.penalty(result.weights);
            const std::size_t counted = p.nonzeros(result.weights), outputs = shape_.outputs;
            std::size_t free = 0;
            const std::vector<T> w = result.weights.download();
            for (const std::size_t j : p.penalty_term().free)
                for (std::size_t c = 0; c < outputs; ++c) free += w[j * outputs + c] != 0 ? 1 : 0;
            const auto intercepts = static_cast<double>(p.dimension() - shape_.size());
            found.degrees_of_freedom = static_cast<double>(counted) + intercepts;
            if (l2_ > 0 && !ended_ && counted > free)
                found.degrees_of_freedom =
                    on_support(result.weights, k, [&](const auto& s, const quadratic::objective&, auto) {
                        double degrees = static_cast<double>(s.entries() + free) + intercepts;
                        for (std::size_t i = 0; i < s.size(); ++i) degrees -= l2_ * s.inverse(i);
                        return degrees;
                    });
            if (!ended_) {
                found.result.lower_bound = options_.swapping.bounding.below(p, result.weights, result.objective);
                if (found.result.status == core::status::converged)
                    found.result.message += "; " + certificate::says(result.objective, found.result.lower_bound);
            }
            return found;
        }

        const path& options_;
        const P& p_;
        std::tuple<O&...> observers_;
        penalty::layout shape_;
        double l2_ = 0;
        bool disturbing_ = false, ended_ = false;
        std::size_t iteration_ = 0;
        std::vector<place> best_;
    };
    template <class P, class... O> over_rows(const path&, const P&, O&...) -> over_rows<P, O...>;
};

}  // namespace gamut::solver
