// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <exception>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/resume_from.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/fwd.hpp>
#include <gamut/solver/anderson.hpp>
#include <gamut/solver/beginning.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/newton_cg.hpp>
#include <gamut/solver/run.hpp>

namespace gamut::solver {

namespace detail {

/// What a local solver inside admm does unless told otherwise: as exact as the acceleration can use, and no more.
template <class Local> constexpr Local inexact() {
    if constexpr (requires { Local{.forcing = 0.01, .stop = {.iterations = 10, .tolerance = 0.01}}; })
        return Local{.forcing = 0.01, .stop = {.iterations = 10, .tolerance = 0.01}};
    else if constexpr (requires { Local{.stop = {.iterations = 50, .tolerance = 0.01}}; })
        return Local{.stop = {.iterations = 50, .tolerance = 0.01}};
    else
        return Local{};
}

/// g'Hg / g'g of one block, by a product with its Hessian or by a difference of gradients.
template <Function F> double curvature_along(const F& f, const typename F::array& w, const typename F::array& g) {
    using A = typename F::array;
    using T = typename A::value_type;
    A product(g.size());
    const double gg = backend::dot(g, g);
    if constexpr (TwiceDifferentiable<F>) {
        f.hessian(w).times(g, product);
        return backend::dot(product, g) / gg;
    } else {
        A there(g.size()), here(g.size());
        const double step = 1e-4 * std::max(1.0, backend::norm(w)) / std::sqrt(gg);
        f.value_and_gradient(w, here);
        there = w + static_cast<T>(step) * g;
        f.value_and_gradient(there, product);
        return (backend::dot(product, g) - backend::dot(here, g)) / (step * gg);
    }
}

}  // namespace detail

/// Consensus ADMM: minimises the sum of the blocks' losses plus a penalty they share; N blocks, w of block i is w_i.
///   w_i = argmin f_i(w) + rho/2 |w - z + u_i|^2        my loss, near the group
///   w^_i = relaxation w_i + (1 - relaxation) z
///   z = prox(mean(w^_i + u_i), 1 / (N rho))            what the penalty prefers
///   u_i = u_i + w^_i - z                               how far I disagree
/// Per iteration: one inexact, warm local solve per block and one sum over the blocks of dimension() + 5 + 2 acceleration
/// numbers, which carries everything else too; one more pass and sum for the objective at z when that is reported.
///
/// Stops when, with p = sqrt(N dimension()) absolute,
///   residual        sqrt(sum |w_i - z|^2) / (p + max(sqrt(sum |w_i - o|^2), sqrt(N) |z - o|))       and
///   dual_residual   rho sqrt(N) |z - z before|, and the local solves' gradients, / (p + rho sqrt(sum |u_i|^2))
/// (o: the best intercepts with weights 0, where it begins) are both at most stop.tolerance, or no more than the rounding of the weights makes of them: with c the curvature of the
/// losses (or the given rho), a gradient is known to 16 c epsilon |w|, and a block's weights to that over rho. rho starts from
/// c and follows the ratio of the two for the first balance_until iterations (without the gradients, which do not vanish, where
/// the loss has corners). Where the objective is smooth at z, Newton's method confirms the end, see stopping.hpp. The result is z, with the zeros that the penalty makes.
/// Converges for convex losses and penalties; with penalty::l0 it is a heuristic. Keeps (2 acceleration + 5) arrays per block.
/// Boyd et al. 2011, sections 3.3, 3.4 and 7.1; solver/anderson.hpp for the acceleration.
template <class Local> struct admm {
    std::size_t blocks = 8;   ///< local copies of the weights, and so the most ranks with work; 0: one per shard
    double rho = 0;           ///< weight of the consensus; 0: chosen from the data
    double relaxation = 1.6;  ///< between 0 and 2; 1: none
    double balance = 5;       ///< rho changes when one residual exceeds the other by this factor
    std::size_t balance_until = 100;  ///< iterations; 0: rho stays as it is
    std::size_t acceleration = 20;    ///< steps that Anderson acceleration remembers; 0: plain ADMM
    double absolute = 0;              ///< size of a weight that counts as 1 in the stopping rule
    std::size_t objective_every = 1;  ///< iterations between objectives in the history; 0: only the last
    Local local = detail::inexact<Local>();
    core::stop stop{};
    core::resume_from resume{};  ///< a checkpoint, or a folder of core::checkpoints, to go on from

    void validate() const {
        const auto refuse = [](const char* option, double value, const char* range) {
            throw core::option_error(core::text("admm: ", option, " is ", value, " (it must ", range, ")"));
        };
        if (!(rho >= 0 && std::isfinite(rho))) refuse("rho", rho, "be finite and above 0, or 0 to have it chosen");
        if (!(relaxation > 0 && relaxation < 2)) refuse("relaxation", relaxation, "lie between 0 and 2");
        if (!(balance > 1)) refuse("balance", balance, "be above 1");
        if (!(absolute >= 0 && std::isfinite(absolute))) refuse("absolute", absolute, "be finite, and 0 or more");
        stop.validate("admm");
        if constexpr (requires { local.validate(); }) local.validate();
    }

    template <Consensus P, class... O>
    requires LocalSolverFor<Local, std::remove_cvref_t<decltype(std::declval<const P&>().block(0))>>
        core::result<typename P::array> minimize(const P& p, O&&... observers)
    const {
        using A = typename P::array;
        using T = typename A::value_type;
        run<P, O...> record("admm", p, stop, observers...);
        communicator::agree(p.communicator(), [&] { validate(); });
        const beginning<A> start = best_start(p);
        auto s = prepare(p, [&] {
            return state<P>(p, start.weights, anderson<A>::affordable(acceleration, p.blocks(), p.dimension()));
        });
        const double n = static_cast<double>(p.blocks());
        double curvature = rho, weight = rho, at_start = 0, tolerance = stop.tolerance;
        double first_moved = 0, first_pull = 0, pull = 0, dual_scale = 0;
        bool finite = true, converged = false, rounded = false, stepped_on = false;
        core::record now;
        const auto kept = [&](auto& each) {
            each("weights", s.z);
            each("mean", s.mean);
            each.blocks("copies", s.w, p);
            each.blocks("pulled", s.v, p);
            s.mixing.describe(each, p);
            each("far", s.far);
            each("curvature", curvature);
            each("rho", weight);
            each("at_start", at_start);
            each("tolerance", tolerance);
            each("first_moved", first_moved);
            each("first_pull", first_pull);
            each("pull", pull);
            each("dual_scale", dual_scale);
            each("finite", finite);
            each("converged", converged);
            each("rounded", rounded);
            each("stepped_on", stepped_on);
        };
        const auto round = [&](std::size_t k) {
            improve_blocks(p, s, weight);
            const std::span<const double> sums = s.sums, scalars = sums.subspan(p.dimension(), extras);
            record.add_passes(static_cast<std::size_t>(std::lround(scalars[passes] / n)));
            upload(sums.first(p.dimension()), s.mean_step);
            s.mean_step = static_cast<T>(1 / n) * s.mean_step;
            s.moved = static_cast<T>(n / relaxation) * (s.mean_step - s.mean);  // sum of w_i - z
            const double apart = std::sqrt(scalars[distance_squared]);
            if (k == 1) {
                first_moved = apart;
                first_pull = weight * apart;
            }
            stepped_on = s.mixing.mix(sums.subspan(p.dimension() + extras), apart, s.mean_step, s.mean, s.v);

            // sum |w_i - z_new|^2 from sums about the old z: no second reduction, no cancellation that matters
            s.z_before = s.z;
            p.prox(s.mean, 1 / (n * weight), s.z);
            s.work = s.z - s.z_before;
            const double change = backend::norm(s.work);
            const double primal = std::sqrt(
                std::max(0.0, scalars[distance_squared] - 2 * backend::dot(s.work, s.moved) + n * change * change));
            pull = weight * std::sqrt(n) * change;
            const double dual = std::sqrt(pull * pull + scalars[gradient_squared]);
            const double floor = absolute * std::sqrt(n * static_cast<double>(p.dimension()));
            const double primal_scale =
                floor + std::max({std::sqrt(scalars[length_squared]), std::sqrt(n) * backend::distance(s.z, s.origin),
                                  first_moved});
            dual_scale = floor + std::max(weight * std::sqrt(scalars[multiplier_squared]), first_pull);

            now = core::record{.iteration = k,
                               .residual = primal > 0 ? primal / primal_scale : primal,
                               .dual_residual = dual > 0 ? dual / dual_scale : dual,
                               .step = weight,
                               .nonzeros = p.nonzeros(s.z)};
            if (objective_every > 0 && k % objective_every == 0) now.objective = objective(p, s.z);
            finite = std::isfinite(primal) && std::isfinite(dual) && std::isfinite(backend::norm(s.z));
            const double known = 16 * std::numeric_limits<T>::epsilon() * curvature * std::sqrt(n) * backend::norm(s.z);
            converged = finite && (now.residual <= tolerance || primal <= known / weight) &&
                        (now.dual_residual <= tolerance || dual <= known);
            rounded = primal <= known / weight && dual <= known;
            if ((!finite || k >= stop.iterations || converged) && std::isnan(now.objective))
                now.objective = objective(p, s.z);
        };

        const std::optional<core::record> before = record.resume(resume, kept);
        if (before) {
            now = *before;
        } else {
            if (rho == 0) {
                curvature = curvature_at_start(p, s, record);
                weight = curvature > 0 ? 0.1 * curvature : 1 / n;
            }
            p.prox(s.mean, 1 / (n * weight), s.z);
            at_start = objective(p, s.z);
            s.far.begin(s.z, at_start);
        }
        for (std::size_t k = before ? before->iteration : 1;; ++k) {
            if (!before || k > before->iteration) round(k);
            const bool last = !finite || k >= stop.iterations;
            const std::optional<core::status> asked = record.report(now);

            ending ended;
            auto& [end, why] = ended;
            if (!finite)
                end = core::status::diverged;
            else if (last || converged || s.far.due(k))
                ended = s.far.end(p, s.z, now.objective);
            if (!end && converged) {
                ended = confirmed_end(p, s.z, start.weights, at_start - now.objective, stop.tolerance);
                if (!end) {
                    tolerance = 0.1 * std::max(now.residual, now.dual_residual);
                    if (!(tolerance > 0) || rounded) {
                        end = core::status::stalled;
                        why = "the blocks agree, but " + why;
                    }
                }
            }
            if (!end && asked) end = asked, why.clear();
            if (!end && last) {
                end = core::status::iteration_limit;
                if (!why.empty()) why = explanation(*end, stop) + ", and " + why;
            }
            if (end) {
                if (std::isnan(now.objective) && finite) now.objective = objective(p, s.z);
                return record.finish(std::move(s.z), now.objective, *end,
                                     why.empty() ? explanation(*end, stop) : std::move(why));
            }
            if (s.far.due(k)) s.far.remember(s.z);
            if (k <= balance_until && stepped_on) {
                // where a loss has corners, gradients do not vanish, and say nothing about rho
                const double against = has_nonsmooth_loss<P> ? pull / dual_scale : now.dual_residual;
                rebalance(s, weight, now.residual / against);
            }
        }
    }

    template <class P, class... O> refused minimize(const P&, O&&...) const {
        static_assert(Problem<P>,
                      "admm: needs a problem with value_and_gradient(w, gradient); see gamut/solver/concept.hpp");
        static_assert(!Problem<P> || Composite<P>,
                      "admm: needs penalty(w) and prox(v, step, out); see gamut/solver/concept.hpp");
        static_assert(!Composite<P> || Consensus<P>, "admm: needs a loss in blocks: blocks(), first_block(), "
                                                     "last_block(), block(b); see gamut/solver/concept.hpp");
        static_assert(!Consensus<P>, "admm: needs a local solver with improve(f, w, centre, rho) for the blocks; "
                                     "solver::newton_cg (for blocks with a hessian) and solver::lbfgs are such");
        return {};
    }

private:
    /// What rides along with a block's weights in the sum over the blocks.
    enum extra : std::size_t { distance_squared, length_squared, multiplier_squared, gradient_squared, passes, extras };

    /// v_i = w^_i + u_i: the one thing that the next iteration needs of a block, and what the acceleration mixes.
    template <class P> struct state {
        using array = typename P::array;
        using block_type = std::remove_cvref_t<decltype(std::declval<const P&>().block(0))>;
        std::vector<block_type> blocks;
        array z, origin, z_before, mean, mean_step, moved, work, centre;
        std::vector<array> w, v;
        anderson<array> mixing;
        halting_watch<array> far;
        std::vector<double> rows, sums;

        state(const P& p, const array& start, std::size_t memory)
            : z(start),
              origin(backend::count_nonzeros(p.start()) > 0 ? array(start.size()) : start),
              z_before(z),
              mean(z),
              mean_step(z),
              moved(z),
              work(z),
              centre(z),
              w(p.last_block() - p.first_block(), z),
              v(w),
              mixing(memory, w.size(), z),
              far(z),
              sums(p.dimension() + extras + mixing.products()) {
            for (std::size_t b = p.first_block(); b < p.last_block(); ++b) blocks.push_back(p.block(b));
            rows.resize(blocks.size() * sums.size());
        }
    };

    /// Every block of this rank solves its own problem and adds its row; the rows of all ranks are added up.
    template <class P> void improve_blocks(const P& p, state<P>& s, double weight) const {
        using T = typename P::array::value_type;
        const std::size_t m = p.dimension(), width = s.sums.size();
        std::exception_ptr failure;
        try {
            for (std::size_t b = 0; b < s.blocks.size(); ++b) {
                const std::span row = std::span(s.rows).subspan(b * width, width);
                const std::span scalars = row.subspan(m, extras);
                s.centre = T(2) * s.z - s.v[b];  // z - u
                const improvement done = local.improve(s.blocks[b], s.w[b], s.centre, weight);
                const auto square = [](double x) { return x * x; };
                scalars[distance_squared] = square(backend::distance(s.w[b], s.z));
                scalars[length_squared] = square(backend::distance(s.w[b], s.origin));
                scalars[multiplier_squared] = square(backend::distance(s.v[b], s.z));
                scalars[gradient_squared] = square(done.residual);
                scalars[passes] = static_cast<double>(done.passes);
                s.moved = static_cast<T>(relaxation) * (s.w[b] - s.z);
                s.work = s.v[b] + s.moved;
                s.mixing.advance(b, s.moved, s.work, row.subspan(m + extras));
                download(s.work, row.first(m));
            }
        } catch (...) {
            failure = std::current_exception();
        }
        communicator::sum(p.communicator(), std::span<const double>(s.rows), s.blocks.size(), std::span(s.sums),
                          failure);
    }

    /// The mean curvature of the blocks along the gradient, which is among the steepest directions; 0: none.
    template <class P, class Run> double curvature_at_start(const P& p, state<P>& s, Run& record) const {
        p.value_and_gradient(s.z, s.work);
        std::exception_ptr failure;
        std::vector<double> curvatures;
        try {
            for (const auto& f : s.blocks) curvatures.push_back(detail::curvature_along(f, s.z, s.work));
        } catch (...) {
            failure = std::current_exception();
        }
        double sum = 0;
        communicator::sum(p.communicator(), std::span<const double>(curvatures), curvatures.size(), std::span(&sum, 1),
                          failure);
        record.add_passes(2);
        const double curvature = sum / static_cast<double>(p.blocks());
        return curvature > 0 && std::isfinite(10 / curvature) ? curvature : 0;
    }

    /// Moves rho by at most a factor of 2, so that both residuals fall alike. u scales inversely, z stays.
    template <class S> void rebalance(S& s, double& weight, double ratio) const {
        using T = typename decltype(s.z)::value_type;
        if (!(ratio > balance || ratio < 1 / balance)) return;
        const double factor = std::clamp(std::sqrt(ratio), 0.5, 2.0);
        weight *= factor;
        s.mean = s.z + static_cast<T>(1 / factor) * (s.mean - s.z);
        for (auto& v : s.v) v = s.z + static_cast<T>(1 / factor) * (v - s.z);
        s.mixing.restart();
    }

    template <class A> static void upload(std::span<const double> from, A& to) {
        if constexpr (std::is_same_v<typename A::value_type, double>)
            to.upload(from);
        else
            to.upload(std::vector<typename A::value_type>(from.begin(), from.end()));
    }
    template <class A> static void download(const A& from, std::span<double> to) {
        const auto values = from.download();
        std::copy(values.begin(), values.end(), to.begin());
    }
};

}  // namespace gamut::solver
