// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/together.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/resume_from.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/fwd.hpp>
#include <gamut/solver/beginning.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/detail/epoch_judge.hpp>
#include <gamut/solver/detail/pipeline_run.hpp>
#include <gamut/solver/momentum_rule.hpp>
#include <gamut/solver/pipeline_schedule.hpp>
#include <gamut/solver/run.hpp>
#include <gamut/solver/schedule.hpp>
#include <gamut/solver/state.hpp>
#include <gamut/update/concept.hpp>
#include <gamut/update/plain.hpp>

namespace gamut::solver {

/// A problem whose steps can be dealt to ranks: formula_problem, and so every network.
template <class P>
concept Staged = Stochastic<P> &&
    requires(const P& p, std::size_t b, const typename P::value_type* w, typename P::value_type* gradient) {
    p.rows().formula();
    p.blocks_of_parameters();
    { p.add_penalty(b, w, gradient) } -> std::convertible_to<double>;
};

/// Stochastic gradient descent, model-parallel: the steps of a network, cut into stages that ranks have, work on micro-batches one after
/// another. A batch is cut into `micro_batches`, whose gradients are added up in their order; with `replicas` as many pipelines share
/// the groups of the rows, and the gradients of each stage are added up in the order of replicas. Then each stage updates its
/// parameters,   w = w - rate d,   d being what `update` (or `momentum` and `rule`) makes of the gradient.
///   schedule   what a stage does when; pipeline_schedule.hpp says what each costs
///   stages     0: as many as there are ranks for each replica, or as the network has places for
///   cuts       the steps at which stages 1, 2, ... begin; empty: such that the dearest stage is as cheap as can be, in multiplications
/// With fewer ranks than replicas times stages neighbours share a rank; ranks beyond them help with records only. For a number of
/// micro-batches and replicas the bits are the same on any number of ranks; unless the schedule is pipedream, with any cuts, too.
/// With stages = 0 pipedream finds other weights on another number of ranks.
/// The gradient is sgd's up to rounding, but for pipedream. batch_norm takes its means over a micro-batch, as in Huang et al. 2019.
/// A rank has the rows that its stages read, and their labels, from the beginning (detail/pipeline_rows.hpp); each stage the parameters
/// of its steps. Every rank gets all weights when somebody wants them: after an epoch whose objective is looked at, or whose record has
/// observers (who may ask a record for them on one rank alone), after epochs 16, 32, 64 ... (is there a minimum?), when one grows beyond
/// 1e15, and at the end. An iteration is an epoch. Every `check_every` epochs one
/// more pass, data-parallel, finds objective and gradient; records and the stopping rule are sgd's.
/// Messages: a letter per micro-batch and cut each way, of what crosses the cut; 2 (R - 1) letters per stage and update with R replicas;
/// a broadcast of each stage's weights when all are wanted. Needs a communicator with mailboxes and a smooth penalty.
/// Huang et al., GPipe, NeurIPS 2019; Narayanan et al., PipeDream, SOSP 2019.
template <class Rate, class Update, class Schedule> struct pipeline {
    static_assert(schedule::Schedule<Rate>,
                  "pipeline: rate must be a number or a schedule; see gamut/solver/schedule.hpp");
    static_assert(update::Update<Update>,
                  "pipeline: update must be a rule with slots and at<T>(step); see gamut/update/concept.hpp");
    static_assert(pipeline_schedule::Schedule<Schedule>,
                  "pipeline: schedule needs tasks(place) and flushes; see gamut/solver/pipeline_schedule.hpp");

    Rate rate = 0.1;
    Update update{};
    double momentum = 0;
    momentum_rule rule = momentum_rule::heavy_ball;
    std::size_t batch = 32;  ///< rows, over all replicas together
    std::uint64_t seed = 1;
    std::size_t check_every = 1;  ///< epochs; 0: only at the end
    std::size_t stages = 0;
    std::size_t micro_batches = 1;
    Schedule schedule{};
    std::size_t replicas = 1;
    std::vector<std::size_t> cuts{};
    std::size_t blocks = 0;  ///< groups of the rows; 0: the network's
    core::stop stop{.iterations = 50};
    core::resume_from resume{};  ///< a checkpoint, or a folder of core::checkpoints, to go on from

    void validate() const {
        schedule::validate(rate);
        check_momentum<Update>("pipeline", momentum);
        update::validate(update);
        if (batch < 1) throw core::option_error("pipeline: batch is 0 (at least 1 row is needed) try 32");
        if (replicas < 1) throw core::option_error("pipeline: replicas is 0 (there is at least one pipeline) try 1");
        if (micro_batches < 1 || micro_batches * replicas > batch)
            throw core::option_error(core::text("pipeline: micro_batches is ", micro_batches, " (it must be 1 to ",
                                                batch / replicas, ", so that each has a row of the batch) try ",
                                                std::max<std::size_t>(1, std::min<std::size_t>(8, batch / replicas))));
        if (!Schedule::flushes && micro_batches > 1)
            throw core::option_error(core::text("pipeline: micro_batches is ", micro_batches,
                                                " (a schedule without a flush sends batches whole) leave it at 1"));
        if (stages > static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()))
            throw core::option_error(
                core::text("pipeline: stages is ", static_cast<std::ptrdiff_t>(stages),
                           " (it must be at least 0) leave it at 0, for as many as there are ranks"));
        if (!cuts.empty() && stages != 0 && stages != cuts.size() + 1)
            throw core::option_error(core::text("pipeline: ", stages, " stages and ", cuts.size(),
                                                " cuts (they do not fit together) leave stages at 0"));
        stop.validate("pipeline");
    }

    template <Staged P, class... O>
    requires(P::smooth && !update::NeedsLength<Update> &&
             communicator::PostalCommunicator<std::remove_cvref_t<decltype(std::declval<const P&>().communicator())>>)
        core::result<typename P::array> minimize(const P& p, O&&... observers)
    const {
        return communicator::together(p.communicator(), [&] { return descend(p, observers...); });
    }

    template <class P, class... O> refused minimize(const P&, O&&...) const {
        static_assert(
            Staged<P> || !Stochastic<P> || !P::smooth,
            "pipeline: needs a network, or a solver::formula_problem, whose steps become stages; see docs/networks.md");
        static_assert(Stochastic<P> && P::smooth,
                      "pipeline: needs a network with a smooth penalty, such as none or l2; see docs/networks.md");
        static_assert(
            !update::NeedsLength<Update>,
            "pipeline: update::clip needs the length of the whole gradient, which no stage has; use another update");
        static_assert(
            communicator::PostalCommunicator<std::remove_cvref_t<decltype(std::declval<const P&>().communicator())>>,
            "pipeline: needs a communicator with mailboxes; see gamut/communicator/concept.hpp");
        return {};
    }

    static constexpr bool has_default_update = std::same_as<Update, update::plain>;
    static constexpr std::size_t slots = has_default_update ? 1 : Update::slots;

    /// The gradient becomes the direction of step k, for some of the weights.
    template <class T>
    void turn(std::size_t k, std::span<const T> w, std::span<T> gradient, std::span<T> memory) const {
        with_update(update, momentum, rule,
                    [&](const auto& one) { update::direct<T>(one, k, 0, w, gradient, memory); });
    }

private:
    template <class P, class... O> core::result<typename P::array> descend(const P& p, O&... observers) const {
        using A = typename P::array;
        detail::pipeline_plan plan;
        A w = prepare(p, [&] {
            validate();
            plan = detail::pipeline_plan_of(p, *this);
            return A(p.start());
        });
        detail::pipeline_run<P, pipeline> at_work(p, *this, plan);
        run<P, O...> record("pipeline", p, stop, observers...);

        detail::epoch_judge<A> judge(w, stop.tolerance);
        const auto state = [&](auto& each) {
            using Each = std::remove_cvref_t<decltype(each)>;
            each("weights", w);
            if constexpr (!std::same_as<Each, weights_finder>) {
                A whole(w.size());  // of the update's memory, which stages have; for checkpoints alone
                for (std::size_t i = 0; i < slots; ++i) {
                    if constexpr (std::same_as<Each, state_writer>) at_work.memory(i, whole);
                    each(core::text("memory.", i), whole);
                    if constexpr (std::same_as<Each, state_reader>) at_work.set_memory(i, whole);
                }
            }
            judge.describe(each);
        };
        const auto look = [&](double step, core::record& at) {
            A gradient(w.size()), moved(w.size());
            judge.look(p, w, gradient, moved, step, at);
            if constexpr (requires { p.give_back(); }) p.give_back();
        };
        core::record now{.iteration = 0, .step = schedule::at(rate, 0)};
        if (const auto last = record.resume(resume, state)) {
            now = *last;
        } else {
            look(now.step, now);
        }
        at_work.set_weights(w);
        bool is_whole = true;  // w is what the stages have; else, what they had
        for (;;) {
            now.nonzeros = is_whole ? nonzeros(p, w) : at_work.nonzeros();
            const std::optional<core::status> asked = record.report(now);
            ending ended = judge(p, w, now, asked, stop);
            if (ended.status) {
                if (!is_whole) at_work.weights(w);
                at_work.settle();
                if (*ended.status != core::status::diverged && std::isnan(now.residual))
                    now.objective = objective(p, w);
                return record.finish(std::move(w), now.objective, *ended.status, std::move(ended.why));
            }

            const std::size_t epoch = now.iteration, batches = at_work.batches();
            const double step = schedule::at(rate, static_cast<double>(epoch) +
                                                       static_cast<double>(batches - 1) / static_cast<double>(batches));
            now = {.phase = "batches", .iteration = epoch + 1, .step = step};
            now.objective = at_work.epoch(epoch);
            record.add_passes(1);
            const bool at_limit = now.iteration >= stop.iterations;
            const bool looks = at_limit || (check_every > 0 && now.iteration % check_every == 0);
            is_whole = looks || record.is_watched() || at_work.has_huge_weights() ||
                       halting_watch<A>::due(now.iteration);  // which remembers them
            if (is_whole) at_work.weights(w);
            if (looks) {
                now.phase = {};
                look(step, now);
            }
        }
    }
};

}  // namespace gamut::solver
