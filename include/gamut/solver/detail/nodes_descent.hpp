// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/exchange/concept.hpp>
#include <gamut/exchange/nodes.hpp>
#include <gamut/exchange/periodic.hpp>
#include <gamut/solver/beginning.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/detail/epoch_judge.hpp>
#include <gamut/solver/detail/mean_gradient.hpp>
#include <gamut/solver/run.hpp>
#include <gamut/solver/schedule.hpp>

namespace gamut::solver::detail {

/// What becomes of the nodes' memories when they meet.
template <class N, class A, std::size_t slots>
void settle_memory(exchange::at_meeting how, const N& nodes, std::vector<std::array<A, slots>>& memory, A& mean) {
    if (how == exchange::at_meeting::keep) return;
    using T = typename A::value_type;
    for (std::size_t i = 0; i < slots; ++i) {
        if (how == exchange::at_meeting::average) {
            std::vector<A> slot;
            for (const auto& one : memory) slot.push_back(one[i]);
            nodes.mean(slot, mean);
        }
        for (auto& one : memory) one[i] = how == exchange::at_meeting::reset ? A(T(0) * one[i]) : mean;
    }
}

/// Whether nodes drift apart without end: their distance, over the rate, at iterations 1, 2, 4, ... What settles down grows at most
/// as the iterations do, so by 4 since the iteration before the last of these; what diverges, by any factor.
class drift_watch {
public:
    static bool due(std::size_t iteration) { return iteration > 0 && (iteration & (iteration - 1)) == 0; }
    void remember(std::size_t iteration, double distance, double rate) {
        before_ = after_;
        after_ = {iteration, distance, rate};
    }
    bool grew(double distance, double rate) const {
        return before_.distance > 0 && !(distance <= 4 * before_.distance) &&  // nor is it a matter of the rate alone
               !(distance / rate <= 8 * before_.distance / before_.rate);
    }
    std::string words(double distance) const {
        return core::text("the nodes' distance from their mean grew from ", before_.distance, " at iteration ",
                          before_.iteration, " to ", distance);
    }
    /// For checkpoints; see solver/state.hpp.
    template <class Each> void describe(Each& each) {
        for (point* one : {&before_, &after_}) {
            const std::string name = one == &before_ ? "before." : "after.";
            each(name + "iteration", one->iteration);
            each(name + "distance", one->distance);
            each(name + "rate", one->rate);
        }
    }

private:
    struct point {
        std::size_t iteration = 0;
        double distance = 0, rate = 1;
    };
    point before_{}, after_{};
};

/// sgd with an exchange: every block of the problem is a node; see sgd.hpp. A pass over the data and what the exchange sends per epoch,
/// and one more pass and two global sums per record; for one that can drift apart, the same two sums at iterations 1, 2, 4, ...
template <class Sgd, class P, class... O>
core::result<typename P::array> descend_on_nodes(const Sgd& options, const P& p, O&... observers) {
    using A = typename P::array;
    using T = typename A::value_type;
    using C = std::remove_cvref_t<decltype(p.communicator())>;
    using nodes_type = exchange::nodes<C>;
    using method_type = decltype(options.exchange);
    static_assert(
        communicator::PairwiseCommunicator<C>,
        "sgd: an exchange needs a communicator whose ranks talk in pairs; see gamut/communicator/concept.hpp");
    static_assert(Decentralised<P>, "sgd: an exchange needs a problem with local_gradient(b, w, batch, gradient); see "
                                    "gamut/solver/concept.hpp");
    static_assert(exchange::takes_directions<method_type> || (P::smooth && Sgd::has_default_update),
                  "sgd: this exchange adds up gradients, and takes neither another update nor a penalty that is not "
                  "smooth; use exchange::gossip, periodic or all_reduce");

    const nodes_type nodes(p.communicator(), p.blocks());
    struct state {
        exchange::state_of<method_type, A, nodes_type> method;
        std::vector<std::array<A, Sgd::slots>> memory;  // of the update, by node
        A mean, gradient, moved;
        state(const method_type& how, const nodes_type& all, const A& start)
            : method(how, all, start),
              memory(all.size()),
              mean(start),
              gradient(start),
              moved(start) {
            for (auto& one : memory)
                for (A& m : one) m = A(T(0) * start);
        }
    };
    constexpr bool can_resume = !requires(decltype(state::method)& method) { method.settle(); };
    prepare(p, [&] {
        options.validate();
        if constexpr (requires { options.exchange.check(p); }) options.exchange.check(p);
        if (!can_resume && !options.resume.empty())
            throw core::option_error(
                "sgd: resume with an asynchronous exchange (its letters are in no checkpoint) begin anew, "
                "from the weights that were found");
        return 0;
    });
    const A start = best_start(p).weights;
    auto s = prepare(p, [&] { return state(options.exchange, nodes, start); });
    run<P, O...> record("sgd", p, options.stop, observers...);

    const auto meet = [&] {
        if constexpr (requires { s.method.settle(); }) s.method.settle();
        if constexpr (requires { s.method.whole(s.mean); })
            s.method.whole(s.mean);
        else
            nodes.mean(s.method.copies(), s.mean);
    };
    epoch_judge<A> judge(start, options.stop.tolerance);
    const auto look = [&](double rate, core::record& now) {
        meet();
        if constexpr (!requires { s.method.whole(s.mean); })
            now.dual_residual = nodes.distance(s.method.copies(), s.mean);
        judge.look(p, s.mean, s.gradient, s.moved, rate, now);
    };

    constexpr bool can_drift = requires { options.exchange.advice(); };
    drift_watch drift;
    std::size_t updates = 0;
    const auto kept = [&](auto& each) {
        each.shown("weights", [&] { return s.mean; });
        if constexpr (requires { s.method.describe(each, p); }) s.method.describe(each, p);
        for (std::size_t i = 0; i < Sgd::slots; ++i) {
            std::vector<A> slot;
            for (auto& one : s.memory) slot.push_back(one[i]);
            each.blocks(core::text("memory.", i), slot, p);
            for (std::size_t node = 0; node < slot.size(); ++node) s.memory[node][i] = slot[node];
        }
        each("mean", s.mean);
        judge.describe(each);
        if constexpr (can_drift) each("drift", drift);
        each("updates", updates);
    };
    core::record now{.iteration = 0, .step = schedule::at(options.rate, 0)};
    if (const auto last = record.resume(options.resume, kept))
        now = *last;
    else
        look(now.step, now);
    const std::size_t batches = p.batches(options.batch);
    for (;;) {
        now.nonzeros = nonzeros(p, s.mean);
        const std::optional<core::status> asked = record.report(now);
        ending ended = judge(p, s.mean, now, asked, options.stop);
        if (ended.status) {
            if (now.phase == "apart" && *ended.status != core::status::diverged) look(now.step, now);
            if constexpr (can_drift) {
                const bool useless = *ended.status == core::status::iteration_limit ||
                                     *ended.status == core::status::diverged || *ended.status == core::status::stalled;
                const double distance = nodes.distance(s.method.copies(), s.mean);
                if (useless && now.step > 0 && drift.grew(distance, now.step))
                    ended.why += ", and " + drift.words(distance) + options.exchange.advice();
            }
            return record.finish(std::move(s.mean), now.objective, *ended.status, std::move(ended.why));
        }

        const std::size_t epoch = now.iteration;
        double step = now.step;
        for (std::size_t index = 0; index < batches;) {
            const batches_of_step some(index, options.accumulate, batches);
            index = some.end;
            step = schedule::at(options.rate, static_cast<double>(epoch) +
                                                  static_cast<double>(some.begin) / static_cast<double>(batches));
            ++updates;
            const auto gradient = [&](std::size_t i, const A& w, A& g) {
                mean_gradient(some, g, s.moved, [&](std::size_t which, A& to) {
                    return p.local_gradient(p.first_block() + i, w, batch{options.batch, options.seed, epoch, which},
                                            to);
                });
            };
            if constexpr (exchange::takes_directions<method_type>)
                s.method.round(step, gradient,
                               [&](std::size_t i, const A& w, A& g) { options.turn(updates, w, g, s.memory[i]); });
            else
                s.method.round(step, gradient);
            if constexpr (requires { s.method.met(); })
                if (s.method.met()) settle_memory(s.method.memory(), nodes, s.memory, s.moved);
            if constexpr (!P::smooth)
                for (A& copy : s.method.copies()) {
                    s.moved = copy;
                    p.local_prox(s.moved, step * options.gain(), copy);
                }
        }
        record.add_passes(1);
        now = {.phase = "apart", .iteration = epoch + 1, .step = step};
        const bool at_limit = now.iteration >= options.stop.iterations;
        if (at_limit || (options.check_every > 0 && now.iteration % options.check_every == 0)) {
            now.phase = {};
            look(step, now);
        }
        if constexpr (can_drift)
            if (drift_watch::due(epoch + 1) && step > 0) {
                nodes.mean(s.method.copies(), s.moved);
                drift.remember(epoch + 1, nodes.distance(s.method.copies(), s.moved), step);
            }
    }
}

}  // namespace gamut::solver::detail
