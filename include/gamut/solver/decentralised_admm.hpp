// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/communicator/together.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/resume_from.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/exchange/nodes.hpp>
#include <gamut/exchange/routes.hpp>
#include <gamut/fwd.hpp>
#include <gamut/solver/admm.hpp>
#include <gamut/solver/beginning.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/detail/epoch_judge.hpp>
#include <gamut/solver/lbfgs.hpp>
#include <gamut/solver/run.hpp>
#include <gamut/topology/concept.hpp>
#include <gamut/topology/ring.hpp>
#include <gamut/topology/weights.hpp>

namespace gamut::solver {

/// Consensus ADMM without a centre: blocks of rows are nodes, each has its own weights w_i and multipliers a_i, and hears its
/// neighbours only. With f_i = blocks times its loss plus the penalty, so that the mean of the f_i is the objective:
///   w_i = argmin f_i(w) + a_i'w + rho sum over neighbours j of W_ij |w - (w_i + w_j)/2|^2
///   a_i = a_i + rho sum over neighbours j of W_ij (w_i - w_j)
/// which is ADMM on one copy per edge, eliminated; W are the weights of the topology (rho W_ij is the edge's penalty). The multipliers
/// add up to 0, and become -f_i' at the minimum of the mean, where all nodes then are; no rate, and convex f_i suffice.
/// Per iteration: one inexact, warm local solve per node, and a message for each rank where somebody hears it. Every check_every
/// iterations one more pass and three global sums find objective and gradient at the mean of the nodes, which is the
/// result, and the run stops when |gradient| <= stop.tolerance |gradient at the start|. dual_residual is the nodes' distance
/// from their mean, sqrt(mean |w_i - mean|^2). Needs a symmetric graph that does not change and a smooth penalty. The
/// same bits on any number of ranks. Keeps 3 arrays per node.
/// Shi, Ling, Yuan, Wu and Yin, On the linear convergence of the ADMM in decentralized consensus optimization, 2014.
template <class G, class Local, class Rule> struct decentralised_admm {
    static_assert(!topology::changes<G>, "decentralised_admm: needs a topology that does not change (edges have "
                                         "multipliers); use sgd with exchange::gradient_tracking");
    static_assert(topology::kind_of<G> == topology::symmetric || topology::kind_of<G> == topology::graph_kind::unknown,
                  "decentralised_admm: needs a symmetric topology; use sgd with exchange::push_diging");

    G topology{};
    std::size_t blocks = 8;       ///< nodes
    double rho = 0;               ///< 0: the mean curvature of the f_i along the gradient at the start
    std::size_t check_every = 1;  ///< iterations; 0: only at the end
    Local local = detail::inexact<Local>();
    Rule weights{};
    core::stop stop{.iterations = 500};
    core::resume_from resume{};  ///< a checkpoint, or a folder of core::checkpoints, to go on from

    void validate() const {
        if (blocks < 1) throw core::option_error("decentralised_admm: blocks is 0 (nodes are needed) try 8");
        if (!(rho >= 0 && std::isfinite(rho)))
            throw core::option_error(core::text("decentralised_admm: rho is ", rho,
                                                " (it must be finite and above 0, or 0 to have it chosen) try 0"));
        stop.validate("decentralised_admm");
        if constexpr (requires { local.validate(); }) local.validate();
    }

    template <Decentralised P, class... O>
    requires P::smooth core::result<typename P::array> minimize(const P& p, O&&... observers)
    const {
        return communicator::together(p.communicator(), [&] { return descend(p, observers...); });
    }

    template <class P, class... O> refused minimize(const P&, O&&...) const {
        static_assert(Decentralised<P>, "decentralised_admm: needs a problem with local_gradient(b, w, batch, "
                                        "gradient); see gamut/solver/concept.hpp");
        static_assert(!Decentralised<P> || P::smooth,
                      "decentralised_admm: needs a smooth penalty (l1 has a corner at 0); use solver::admm");
        return {};
    }

private:
    template <class P, class... O> core::result<typename P::array> descend(const P& p, O&... observers) const {
        using A = typename P::array;
        using T = typename A::value_type;
        using C = std::remove_cvref_t<decltype(p.communicator())>;
        const exchange::nodes<C> nodes(p.communicator(), p.blocks());
        prepare(p, [&] { return validate(), 0; });
        const A start = best_start(p).weights;
        exchange::routes<G, Rule> way("decentralised_admm", topology, weights, exchange::need::symmetric);
        const exchange::route& edges = way.at(nodes, 0);
        run<P, O...> record("decentralised_admm", p, stop, observers...);

        struct state {
            std::vector<A> w, heard, multipliers;  // heard = W w
            A mean, gradient, centre;
            state(std::size_t mine, const A& start)
                : w(mine, start),
                  heard(w),
                  multipliers(mine, A(T(0) * start)),
                  mean(start),
                  gradient(start),
                  centre(start) {}
        };
        auto s = prepare(p, [&] { return state(nodes.size(), start); });
        detail::epoch_judge<A> judge(start, stop.tolerance);
        double weight = rho;
        std::vector<double> passes(nodes.size());
        const auto kept = [&](auto& each) {
            each("weights", s.mean);
            each.blocks("copies", s.w, p);
            each.blocks("heard", s.heard, p);
            each.blocks("multipliers", s.multipliers, p);
            each("rho", weight);
            judge.describe(each);
        };
        const auto look = [&](core::record& now) {
            double all = 0;
            communicator::sum(p.communicator(), std::span<const double>(passes), passes.size(), std::span(&all, 1));
            record.add_passes(static_cast<std::size_t>(std::lround(all / static_cast<double>(nodes.count()))));
            passes.assign(passes.size(), 0);
            nodes.mean(s.w, s.mean);
            now.dual_residual = nodes.distance(s.w, s.mean);
            judge.look(p, s.mean, s.gradient, s.centre, 1, now);
        };

        core::record now{.iteration = 0};
        if (const auto last = record.resume(resume, kept)) {
            now = *last;
        } else {
            look(now);
            if (rho == 0) weight = curvature(p, nodes, s.mean, s.gradient);
            now.step = weight;
        }
        for (;;) {
            now.nonzeros = nonzeros(p, s.mean);
            const std::optional<core::status> asked = record.report(now);
            ending ended = judge(p, s.mean, now, asked, stop);
            if (ended.status) {
                if (now.phase == "apart" && *ended.status != core::status::diverged) look(now);
                return record.finish(std::move(s.mean), now.objective, *ended.status, std::move(ended.why));
            }

            for (std::size_t i = 0; i < s.w.size(); ++i) {
                // the others' weights add up to 1 - W_ii, and what they say is heard - W_ii w
                const double own = self(edges.rows[i], nodes.first() + i), pull = 2 * weight * (1 - own);
                if (pull > 0)
                    s.centre = static_cast<T>(weight / pull) * (static_cast<T>(1 - 2 * own) * s.w[i] + s.heard[i]) -
                               static_cast<T>(1 / pull) * s.multipliers[i];
                const improvement done = local.improve(node<P>{p, p.first_block() + i}, s.w[i], s.centre, pull);
                passes[i] += static_cast<double>(done.passes);
            }
            nodes.mix(edges, s.w, s.heard);
            for (std::size_t i = 0; i < s.w.size(); ++i)
                s.multipliers[i] = s.multipliers[i] + static_cast<T>(weight) * (s.w[i] - s.heard[i]);

            now = {.phase = "apart", .iteration = now.iteration + 1, .step = weight};
            const bool at_limit = now.iteration >= stop.iterations;
            if (at_limit || (check_every > 0 && now.iteration % check_every == 0)) {
                now.phase = {};
                look(now);
            }
        }
    }

    /// f_i, by all rows of its block.
    template <class P> struct node {
        using array = typename P::array;
        const P& p;
        std::size_t block;

        std::size_t dimension() const { return p.dimension(); }
        double value(const array& w) const {
            array gradient(w);
            return value_and_gradient(w, gradient);
        }
        double value_and_gradient(const array& w, array& gradient) const {
            return p.local_gradient(block, w, batch{.size = batch::all_rows}, gradient);
        }
    };

    static double self(const std::vector<topology::link>& row, std::size_t i) {
        for (const auto& link : row)
            if (link.from == i) return link.weight;
        return 0;
    }

    /// The mean over the nodes of g'H g / g'g; 1 where that says nothing.
    template <class P, class N>
    static double curvature(const P& p, const N& nodes, const typename P::array& w, const typename P::array& g) {
        std::vector<double> mine(nodes.size());
        if (backend::norm(g) > 0)
            for (std::size_t i = 0; i < mine.size(); ++i)
                mine[i] = detail::curvature_along(node<P>{p, p.first_block() + i}, w, g);
        double sum = 0;
        communicator::sum(p.communicator(), std::span<const double>(mine), mine.size(), std::span(&sum, 1));
        const double mean = sum / static_cast<double>(nodes.count());
        return mean > 0 && std::isfinite(1 / mean) ? mean : 1;
    }
};

}  // namespace gamut::solver
