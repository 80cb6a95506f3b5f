// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <gamut/backend/array.hpp>
#include <gamut/compressor/concept.hpp>
#include <gamut/compressor/none.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/resume_from.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/exchange/concept.hpp>
#include <gamut/exchange/none.hpp>
#include <gamut/fwd.hpp>
#include <gamut/solver/beginning.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/detail/compressed_gradient.hpp>
#include <gamut/solver/detail/epoch_judge.hpp>
#include <gamut/solver/detail/mean_gradient.hpp>
#include <gamut/solver/detail/nodes_descent.hpp>
#include <gamut/solver/momentum_rule.hpp>
#include <gamut/solver/replicated.hpp>
#include <gamut/solver/run.hpp>
#include <gamut/solver/schedule.hpp>
#include <gamut/update/concept.hpp>
#include <gamut/update/plain.hpp>

namespace gamut::solver {

/// Stochastic gradient descent, data-parallel: every step uses the gradient of one batch of rows, summed over the ranks.
///   d = what `update` makes of the gradient; of `momentum` and `rule` if it is update::plain
///   w = prox(w - rate d)       the prox only for penalties that are not smooth, which adaptive rules do not take
/// `rate` is a number or a schedule over epochs (solver/schedule.hpp), `update` a rule (update/concept.hpp). The batches depend
/// on the seed alone, not on the ranks. Steps of the prox are rate gain(update), which is what gradients count for in the end.
/// With `accumulate` = k a step uses the mean of k batches' gradients, one batch after another; the last step of an epoch takes those that
/// are left. That is the gradient of the mean over all their rows, up to rounding, unless the loss looks at the batch (batch_norm). Of
/// networks and formulas it is that of a batch of k times the rows where k divides the number of batches (and nothing is drawn for the
/// batch, as dropout does); other problems draw other rows for batches of another size. Each batch is a global sum of its own.
/// An iteration is an epoch. Every `check_every` epochs one more pass finds objective and gradient at w, and the run
/// stops when |gradient| <= stop.tolerance |gradient at the start| (of the prox-gradient step, if there is a prox);
/// in between, records carry the mean of the batches' objectives, in the phase "batches".
/// With an `exchange` (exchange/concept.hpp) every block of rows is a node with its own copy of the weights: node i minimises blocks times
/// its loss plus the penalty, so that the mean over the nodes is the objective, and the result is the mean of the copies. Then
/// records carry the nodes' distance from it, sqrt(mean |w_i - mean|^2), as dual_residual, and a prox follows each meeting. The same bits on any number of ranks.
/// With a `compressor` (compressor/concept.hpp) the gradients of the blocks travel in fewer bytes: each block's is compressed, and all ranks
/// step along the mean of what arrives; blocks times the length of a message, or what the compressor sums (exchange/compressed_mean.hpp).
/// Such a run ends near the minimum, as near as the compressor lets it with a fixed rate; records have the exact objective and gradient.
///     solver::sgd{.rate = .1, .blocks = 4, .compressor = compressor::error_feedback{compressor::top_k{.share = .01}}}
/// `sharing` says how ranks share memory and messages (solver/replicated.hpp): zero keeps weights, gradients and the rule's memory in
/// pieces, wait_free sends gradients while others are computed. The same weights, to the bit.
/// Robbins and Monro 1951; Sutskever et al. 2013 for the form of momentum.
template <class Rate, class Update, class Exchange, class Sharing, class Compressor> struct sgd {
    static_assert(schedule::Schedule<Rate>, "sgd: rate must be a number or a schedule; see gamut/solver/schedule.hpp");
    static_assert(update::Update<Update>,
                  "sgd: update must be a rule with slots and at<T>(step); see gamut/update/concept.hpp");
    static_assert(std::is_class_v<Sharing>,
                  "sgd: sharing must be solver::zero, wait_free or another with gradients(problem, batch) or "
                  "minimize(sgd, problem, observers...); see gamut/solver/replicated.hpp");
    static_assert(std::is_class_v<Exchange>,
                  "sgd: exchange must be a method of meeting, exchange::gossip{topology::ring{}} say; see "
                  "gamut/exchange/concept.hpp");
    static_assert(compressor::Compressor<Compressor>,
                  "sgd: compressor must have write(turn, x, bytes) and read(payload, y); see "
                  "gamut/compressor/concept.hpp");

    Rate rate = 0.1;
    Update update{};
    double momentum = 0;
    momentum_rule rule = momentum_rule::heavy_ball;
    std::size_t batch = 32;      ///< rows, over all ranks together
    std::size_t accumulate = 1;  ///< batches whose gradients are one step's
    std::uint64_t seed = 1;
    std::size_t check_every = 1;  ///< epochs; 0: only at the end
    /// With an exchange or a compressor: nodes, each a block of rows; without: of the partition, 0: one per shard.
    std::size_t blocks = 0;
    Exchange exchange{};
    Compressor compressor{};  ///< of the blocks' gradients
    Sharing sharing{};
    core::stop stop{.iterations = 50};
    core::resume_from resume{};  ///< a checkpoint, or a folder of core::checkpoints, to go on from

    void validate() const {
        schedule::validate(rate);
        check_momentum<Update>("sgd", momentum);
        update::validate(update);
        if (batch < 1) throw core::option_error("sgd: batch is 0 (at least 1 row is needed) try 32");
        if (accumulate < 1)
            throw core::option_error("sgd: accumulate is 0 (a step needs the gradient of a batch) leave it at 1");
        if constexpr (has_nodes) {
            if (blocks < 1) throw core::option_error("sgd: blocks is 0 (an exchange needs nodes) try 8");
            if (!exchange::takes_directions<Exchange> && momentum > 0)
                throw core::option_error(
                    core::text("sgd: momentum is ", momentum,
                               " (this exchange adds up gradients, and "
                               "takes no other directions) leave it at 0, or use exchange::gossip"));
            if constexpr (requires { exchange.validate(); }) exchange.validate();
        }
        if constexpr (is_compressed) {
            if (blocks < 1)
                throw core::option_error("sgd: blocks is 0 (a compressor is of the gradients of blocks) try 8");
            compressor::validate(compressor);
        }
        if constexpr (requires { sharing.validate(); }) sharing.validate();
        stop.validate("sgd");
    }

    template <Stochastic P, class... O>
    requires(P::smooth ||
             (Composite<P> && !update::is_adaptive<Update>)) core::result<typename P::array> minimize(const P& p,
                                                                                                      O&&... observers)
    const {
        static_assert(
            !has_nodes || std::same_as<Sharing, replicated>,
            "sgd: sharing is of one copy of the weights, and an exchange has one per node; leave one of them out");
        static_assert(!is_compressed || !has_nodes,
                      "sgd: compressor is of gradients that all ranks add up, and an exchange sends what it wants; use "
                      "exchange::compressed_gossip, or leave exchange out");
        static_assert(!is_compressed || std::same_as<Sharing, replicated>,
                      "sgd: compressor and sharing both say what of a gradient travels; leave one of them out");
        static_assert(!Compressor::needs_error_feedback,
                      "sgd: a biased compressor (top_k, sign, low_rank) loses what it does not send; wrap it: "
                      "compressor::error_feedback{...}");
        if constexpr (has_nodes) {
            return detail::descend_on_nodes(*this, p, observers...);
        } else if constexpr (requires { sharing.minimize(*this, p, observers...); }) {
            return sharing.minimize(*this, p, observers...);
        } else {
            return descend(p, observers...);
        }
    }

    template <class P, class... O> refused minimize(const P&, O&&...) const {
        static_assert(Stochastic<P>,
                      "sgd: needs a problem with batches(size) and batch_gradient(w, batch, gradient); see "
                      "gamut/solver/concept.hpp");
        static_assert(!Stochastic<P> || Composite<P>,
                      "sgd: needs prox(v, step, out) for a penalty that is not smooth; see "
                      "gamut/solver/concept.hpp");
        static_assert(!Composite<P> || P::smooth || !update::is_adaptive<Update>,
                      "sgd: an adaptive update needs a smooth penalty (a prox has one step for all weights); use "
                      "update::momentum, or penalty::l2");
        return {};
    }

    static constexpr bool has_default_update = std::same_as<Update, update::plain>;
    static constexpr std::size_t slots = has_default_update ? 1 : Update::slots;
    static constexpr bool has_nodes = !std::same_as<Exchange, exchange::none>;
    static constexpr bool is_compressed = !std::same_as<Compressor, compressor::none>;

    /// What step lengths of a prox are multiplied by.
    double gain() const { return has_default_update ? 1 / (1 - momentum) : update::gain(update); }
    /// The gradient becomes the direction of step k.
    template <class A> void turn(std::size_t k, const A& w, A& gradient, std::array<A, slots>& memory) const {
        with_update(update, momentum, rule, [&](const auto& one) { update::direct(one, k, w, gradient, memory); });
    }

private:
    template <class P, class... O> core::result<typename P::array> descend(const P& p, O&... observers) const {
        using A = typename P::array;
        using T = typename A::value_type;
        struct state {
            A w, gradient, moved;
            std::array<A, slots> memory;
            explicit state(const A& start) : w(start), gradient(start), moved(start) {
                for (A& m : memory) m = A(T(0) * start);
            }
        };
        auto s = prepare(p, [&] {
            validate();
            return state(p.start());
        });
        const A start = best_start(p).weights;
        s.w = start;
        auto gradient = [&] {
            if constexpr (is_compressed)
                return detail::compressed_gradient(p, compressor);
            else
                return sharing.gradients(p, batch);
        }();
        run<P, O...> record("sgd", p, stop, observers...);

        detail::epoch_judge<A> judge(start, stop.tolerance);
        std::size_t updates = 0;
        const auto state = [&](auto& each) {
            each("weights", s.w);
            for (std::size_t i = 0; i < slots; ++i) each(core::text("memory.", i), s.memory[i]);
            each("updates", updates);
            judge.describe(each);
            if constexpr (is_compressed) gradient.describe(each);
        };
        core::record now{.iteration = 0, .step = schedule::at(rate, 0)};
        if (const auto last = record.resume(resume, state))
            now = *last;
        else
            judge.look(p, s.w, s.gradient, s.moved, now.step, now);
        const std::size_t batches = p.batches(batch);
        for (;;) {
            now.nonzeros = nonzeros(p, s.w);
            const std::optional<core::status> asked = record.report(now);
            ending ended = judge(p, s.w, now, asked, stop);
            if (ended.status) {
                if (*ended.status != core::status::diverged && std::isnan(now.residual))
                    now.objective = objective(p, s.w);
                return record.finish(std::move(s.w), now.objective, *ended.status, std::move(ended.why));
            }

            const std::size_t epoch = now.iteration;
            double sum = 0, step = now.step;
            for (std::size_t index = 0; index < batches;) {
                const detail::batches_of_step some(index, accumulate, batches);
                index = some.end;
                step = schedule::at(rate, static_cast<double>(epoch) +
                                              static_cast<double>(some.begin) / static_cast<double>(batches));
                sum += detail::mean_gradient(some, s.gradient, s.moved, [&](std::size_t which, A& to) {
                    return gradient(s.w, solver::batch{batch, seed, epoch, which}, to);
                });
                if constexpr (!P::smooth) sum += static_cast<double>(some.size()) * p.penalty(s.w);
                turn(++updates, s.w, s.gradient, s.memory);
                s.moved = s.w - static_cast<T>(step) * s.gradient;
                if constexpr (P::smooth)
                    std::swap(s.w, s.moved);
                else
                    p.prox(s.moved, step * gain(), s.w);
            }
            now = {.phase = "batches", .iteration = epoch + 1, .step = step};
            now.objective = batches > 0 ? sum / static_cast<double>(batches) : 0;
            const bool at_limit = now.iteration >= stop.iterations;
            if (at_limit || (check_every > 0 && now.iteration % check_every == 0)) {
                now.phase = {};
                judge.look(p, s.w, s.gradient, s.moved, step, now);
            }
        }
    }
};

}  // namespace gamut::solver
