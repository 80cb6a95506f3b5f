// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/parallel.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/random.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/resume_from.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/fwd.hpp>
#include <gamut/penalty/elastic_net.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/detail/dual_rows.hpp>
#include <gamut/solver/dual_block.hpp>
#include <gamut/solver/run.hpp>

namespace gamut::solver {

namespace detail {

/// l1 |w| + l2/2 w^2 of one weight, its conjugate, and the weight where that has its slope v.
struct ridge {
    double l1 = 0, l2 = 0;
    double value(double w) const { return l1 * std::abs(w) + 0.5 * l2 * w * w; }
    double conjugate(double v) const {
        const double kept = std::max(0.0, std::abs(v) - l1);
        return v == v ? 0.5 * kept * kept / l2 : v;
    }
    double weight(double v) const { return penalty::detail::shrink(v, l1) / l2; }
};
inline ridge ridge_of(const penalty::l2& p) { return {0, p.strength}; }
inline ridge ridge_of(const penalty::elastic_net& p) { return {p.l1, p.l2}; }

}  // namespace detail

/// Stochastic dual coordinate ascent within blocks of rows, CoCoA+ across them, and the duality gap to stop by. Minimises
///     P(w, b) = 1/Omega sum_i omega_i phi(x_i'w + b, y_i) + l1 |w|_1 + l2/2 |w|^2,        l2 > 0,
/// for convex phi, smooth or not, through its dual (phi* the conjugate, S the soft threshold)
///     D(alpha) = -1/Omega sum_i omega_i phi*(-alpha_i) - |S(v, l1)|^2 / (2 l2),   v = 1/Omega sum_i omega_i alpha_i x_i,
/// which is at most P for all w, and equal at the optimum, where w = S(v, l1) / l2. A round:
///     each block    visits its rows in random order and moves each alpha_i to its best, as if D bent sigma' times as much as it does
///     all           add up v; w = S(u, l1) / l2, where u = v + momentum (v - v of a round ago)
/// With sigma' = blocks and no momentum D never falls. Less is taken as long as the blocks' steps don't add up that much, and a
/// round after which D is lower is undone or shortened. (One block without l1 sees D as it is: it takes no momentum.) Hinges' rows
/// that are pushed against an end of their interval are left out (shrinking). One block with few columns, on which visits gain ever
/// less, goes on with Newton's method for all its alphas at once (solver/detail/dual_newton.hpp); most such fits take one round.
///
/// A free intercept means sum_i omega_i alpha_i = 0, which no single alpha could move along. It gets a ridge of its own about
/// where it was last, mu/2 (b - b_before)^2, and is followed until it stays (method of multipliers); the lower bound is that of
/// alphas scaled to satisfy the constraint, so the gap is that of the problem as stated.
///
/// Stops when (P - D) / |P|, best of each so far, falls to stop.tolerance: the objective is then that close to its minimum, for
/// certain. Records: objective P, residual that ratio, step sigma'.
/// Per round: up to local_epochs + 2 passes over each block's rows (with Newton's method some five times that, and then second
/// moments of the columns), global sums of one number and of dimension() numbers (twice as many with an intercept). The blocks run on
/// this rank's threads. The start of the problem is not used.
/// Shalev-Shwartz and Zhang 2013, 2014 (prox-SDCA); Hsieh et al. 2008 (shrinking); Ma et al. 2015, Smith et al. 2018 (CoCoA+),
/// Ma et al. 2017 (momentum); Bertsekas 1982 (multipliers). Why so: docs/decisions/0010.
struct dual {
    std::size_t blocks = 1;  ///< of rows; also the most ranks and threads that have work
    std::size_t local_epochs = 10;
    std::uint64_t seed = 1;
    core::stop stop{.iterations = 1000, .tolerance = 1e-6};  ///< rounds
    core::resume_from resume{};  ///< a checkpoint, or a folder of core::checkpoints, to go on from

    void validate() const {
        if (blocks < 1 || blocks > 4095)
            throw core::option_error(core::text("dual: blocks is ", blocks, " (it must be 1 to 4095)"));
        if (local_epochs < 1)
            throw core::option_error("dual: local_epochs is 0 (a round needs at least one epoch) try 10");
        stop.validate("dual");
    }

    template <DualProblem P, class... O>
    requires requires(const P& p) { detail::ridge_of(p.penalty_term()); }
    core::result<typename P::array> minimize(const P& p, O&&... observers) const {
        using A = typename P::array;
        run<P, O...> record("dual", p, stop, observers...);
        auto s = prepare(p, [&] {
            validate();
            return state<P>(p, detail::ridge_of(p.penalty_term()));
        });
        s.choose_intercept_curvature(p);
        s.bound_above(p);

        core::status status = core::status::iteration_limit;
        const auto kept = [&](auto& each) { s.describe(each, p); };
        const std::optional<core::record> before = record.resume(resume, kept);
        if (before) s.bound_above(p);  // what blocks know of the weights
        for (std::size_t k = before ? before->iteration : 1; k <= stop.iterations; ++k) {
            if (!before || k > before->iteration) {
                s.round(p, *this, k);
                record.add_passes(s.passes());
            }
            core::record now{.iteration = k, .objective = s.best, .residual = s.gap(), .step = s.sigma};
            now.nonzeros = nonzeros(p, s.best_weights);
            const std::optional<core::status> asked = record.report(now);
            if (std::isnan(s.primal) || !std::isfinite(s.lower)) {  // P may overflow on the way, and come back
                status = core::status::diverged;
                break;
            }
            if (s.gap() <= stop.tolerance) {
                status = core::status::converged;
                break;
            }
            if (asked) {
                status = *asked;
                break;
            }
        }
        A w = std::move(s.best_weights);
        auto result =
            record.finish(std::move(w), s.best, status,
                          status == core::status::converged
                              ? core::text("no weights are better by more than ", gap_in_words(s.best, s.lower))
                              : explanation(status, stop));
        if (std::isfinite(s.lower)) result.lower_bound = std::min(s.lower, s.best);  // rounding must not say more
        return result;
    }

    template <class P, class... O> refused minimize(const P&, O&&...) const {
        static_assert(
            DualProblem<P>,
            "dual: needs a model with conjugate(alpha, y) and dual_step(alpha, y, z, q), on a host backend; see "
            "gamut/model/concept.hpp");
        static_assert(!DualProblem<P>, "dual: needs penalty::l2 or penalty::elastic_net (without l2 the dual has no "
                                       "weights); use solver::admm");
        return {};
    }

private:
    template <class P> struct state {
        using A = typename P::array;
        using T = typename A::value_type;
        static constexpr double infinity = std::numeric_limits<double>::infinity();
        using block_type = std::remove_cvref_t<decltype(std::declval<const P&>().dual_block(0))>;

        std::vector<block_type> blocks;
        dual_sums at;
        detail::ridge penalty;
        std::vector<double> rows, sums, squares;
        std::vector<double> v, earlier, ahead;  // v and the balance: now, a round ago, and where w is
        std::vector<double> fresh;              // v of the round's alphas
        std::vector<T> w;
        A best_weights;
        double best = infinity, lower = -infinity, primal = 0, ascended = -infinity;
        double sigma, most, momentum = 0, pace = 1, center = 0, mu = 1, visits = 0;
        std::size_t counted = 0;

        state(const P& p, const detail::ridge& r)
            : at{p.layout().features, p.has_intercept()},
              penalty(r),
              sums(at.size()),
              v(at.features + 1),
              earlier(v),
              ahead(v),
              fresh(at.features),
              w(p.dimension()),
              best_weights(p.dimension()),
              sigma(static_cast<double>(p.blocks())),
              most(sigma) {
            if (!(penalty.l2 > 0))
                throw core::option_error(core::text(
                    "dual: l2 is ", penalty.l2,
                    " (the dual needs a penalty with l2 > 0) write penalty::l2{.strength = ...}, or use solver::admm"));
            if constexpr (requires { p.has_offsets(); })
                if (p.has_offsets())
                    throw core::option_error("dual: offsets (its formulas know none) use solver::lbfgs or newton_cg");
            for (std::size_t b = p.first_block(); b < p.last_block(); ++b) blocks.push_back(p.dual_block(b));
            for (const auto& b : blocks) squares.push_back(b.squares());
            rows.resize(blocks.size() * at.size());
        }

        /// What must outlive an interruption between two rounds; see state.hpp.
        template <class Each> void describe(Each& each, const P& p) {
            std::vector<std::vector<T>> alphas;
            std::vector<std::vector<double>> memories;
            for (const auto& b : blocks) {
                alphas.push_back(b.alphas());
                memories.push_back(b.memory());
            }
            each("weights", best_weights);
            each("weights_now", w);
            each.parts("alphas", alphas, p);
            each.parts("memories", memories, p);
            for (std::size_t b = 0; b < blocks.size(); ++b) blocks[b].restore(alphas[b], memories[b]);
            each("v", v);
            each("earlier", earlier);
            each("ahead", ahead);
            each("best", best);
            each("lower", lower);
            each("primal", primal);
            each("ascended", ascended);
            each("sigma", sigma);
            each("momentum", momentum);
            each("pace", pace);
            each("center", center);
            each("visits", visits);
            each("counted", counted);
        }

        /// An intercept bends a row's dual as much as its other entries do, on average.
        void choose_intercept_curvature(const P& p) {
            if (!at.intercept) return;
            double total = 0;
            communicator::sum(p.communicator(), squares, squares.size(), std::span<double>(&total, 1));
            total /= p.total_weight();
            mu = total > 0 && std::isfinite(penalty.l2 / total) ? penalty.l2 / total : penalty.l2;
        }

        /// A block sees the dual as it is, not a bound of how much that bends.
        bool is_exact() const { return most == 1 && penalty.l1 == 0; }

        double gap() const {
            const double distance = best - lower;
            return distance > 0 ? distance / std::abs(best) : distance;
        }

        std::size_t passes() {
            const std::size_t all = static_cast<std::size_t>(std::lround(visits));
            return all - std::exchange(counted, all);
        }

        void round(const P& p, const dual& options, std::size_t k) {
            const dual_round how{.curvature = sigma / penalty.l2,
                                 .intercept_curvature = at.intercept ? sigma / mu : 0,
                                 .momentum = momentum,
                                 .epochs = options.local_epochs,
                                 .enough = options.stop.tolerance * std::pow(0.1, static_cast<double>(k - 1)),
                                 .is_alone = most == 1};
            in_blocks(p, sums, [&](std::size_t b) {
                dual_round mine = how;
                mine.order = {.seed = options.seed, .stream = k * p.blocks() + p.first_block() + b};
                blocks[b].ascend(mine, std::span(rows).subspan(b * at.size(), at.size()));
            });
            visits += sums[at.at(dual_sums::visits)] / std::max(1.0, sums[at.at(dual_sums::rows)]);

            const double share = take_step();
            if (share < 1)
                for (auto& b : blocks) b.shorten(share);
            new_weights();
            bound_above(p);
        }

        /// f(b) of every block of this rank, and the sums over all blocks of what it wrote to `rows`.
        template <class F> void in_blocks(const P& p, std::span<double> totals, F&& f) {
            std::exception_ptr failure;
            try {
                const auto threads = static_cast<std::size_t>(p.threads());
                backend::parallel_for(0, blocks.size(), threads, [&](std::size_t b, std::size_t) { f(b); });
            } catch (...) {
                failure = std::current_exception();
            }
            communicator::sum(p.communicator(), std::span<const double>(rows).first(blocks.size() * totals.size()),
                              blocks.size(), totals, failure);
        }

        /// The objective at w, where the next round starts.
        void bound_above(const P& p) {
            in_blocks(p, std::span(&primal, 1), [&](std::size_t b) { rows[b] = blocks[b].survey(w); });
            primal +=
                detail::sum_of(at.features, [&](std::size_t j) { return penalty.value(static_cast<double>(w[j])); });
            if (primal < best) {
                best = primal;
                best_weights.upload(w);
            }
        }

        /// Bounds from below, and decides which share of the round is taken: all of it if the dual rose (that of the problem with
        /// the ridge about the center, if there is an intercept), nothing if momentum led astray, else what is safe for sure:
        /// sigma' as it was over sigma' as it should have been.
        double take_step() {
            const std::size_t p = at.features;
            double conjugates = 0, balance = 0;
            for (std::size_t k = 0; k < at.sides(); ++k) {
                conjugates += sums[at.at(dual_sums::conjugate, k)];
                balance += sums[at.at(dual_sums::balance, k)];
            }
            if (at.intercept)
                for (std::size_t j = 0; j < p; ++j) fresh[j] = sums[j] + sums[p + j];
            else
                std::copy_n(sums.begin(), p, fresh.begin());
            const double moved =
                detail::sum_of(p, [&](std::size_t j) { return (fresh[j] - ahead[j]) * (fresh[j] - ahead[j]); });
            conjugates += detail::sum_of(p, [&](std::size_t j) { return penalty.conjugate(fresh[j]); });
            double parts = sums[at.at(dual_sums::step_squared)] / penalty.l2, together = moved / penalty.l2;
            if (at.intercept) {
                parts += sums[at.at(dual_sums::step_squared, 1)] / mu;
                together += (balance - ahead[p]) * (balance - ahead[p]) / mu;
            }
            const double needed = parts > 0 ? std::min(together / parts, most) : 1;

            const double bound = at.intercept ? feasible_dual() : -conjugates;
            lower = std::isfinite(bound) ? std::max(lower, bound) : bound;
            const double dual = at.intercept ? -conjugates - balance * (0.5 * balance / mu + center) : -conjugates;
            const bool rose = dual >= ascended - 1e-13 * std::abs(ascended);
            const double share = rose ? 1 : momentum > 0 ? 0 : std::min(1.0, sigma / needed);
            if (at.intercept) follow_intercept(primal - bound, dual, balance);
            if (share > 0) {
                std::swap(earlier, v);
                for (std::size_t j = 0; j < p; ++j) v[j] = earlier[j] + share * (fresh[j] - earlier[j]);
                v[p] = earlier[p] + share * (balance - earlier[p]);
                ascended = share < 1 ? (1 - share) * ascended + share * dual : dual;  // D is concave
            }
            if (most > 1) sigma = std::clamp(std::max(1.1 * needed, 0.9 * sigma), 1.0, most);
            const double next = rose ? 0.5 + std::sqrt(0.25 + pace * pace) : 1;
            momentum = rose && !is_exact() ? (pace - 1) / next : 0;
            pace = next;
            return share;
        }

        /// The dual of alphas of which one sign is scaled down until they balance. phi* is convex: c times the way from 0, it is
        /// at most the same way between its values.
        double feasible_dual() const {
            const std::size_t p = at.features;
            const double minus = sums[at.at(dual_sums::balance)], plus = sums[at.at(dual_sums::balance, 1)];
            const std::size_t shrunk = plus > -minus ? 1 : 0;
            const double c = shrunk == 1 ? -minus / plus : minus < 0 ? plus / -minus : 1;
            double dual = 0;
            for (std::size_t k = 0; k < 2; ++k) {
                const double kept = k == shrunk ? c : 1;
                dual -= kept * sums[at.at(dual_sums::conjugate, k)] +
                        (1 - kept) * sums[at.at(dual_sums::conjugate_at_0, k)];
            }
            for (std::size_t j = 0; j < p; ++j)
                dual -= penalty.conjugate((shrunk == 0 ? c : 1) * sums[j] + (shrunk == 1 ? c : 1) * sums[p + j]);
            return dual;
        }

        /// With the ridge about the center, the problem has a gap of its own; when that is the smaller part, moves the center.
        void follow_intercept(double gap, double dual, double balance) {
            const double away = static_cast<double>(w.back()) - center;
            if (!(primal + 0.5 * mu * away * away - dual <= 0.5 * gap)) return;
            center += balance / mu;
            ascended = -infinity;  // another problem
        }

        void new_weights() {
            for (std::size_t j = 0; j < v.size(); ++j) ahead[j] = v[j] + momentum * (v[j] - earlier[j]);
            for (std::size_t j = 0; j < at.features; ++j) w[j] = static_cast<T>(penalty.weight(ahead[j]));
            if (at.intercept) w.back() = static_cast<T>(center + ahead.back() / mu);
        }
    };
};

}  // namespace gamut::solver
