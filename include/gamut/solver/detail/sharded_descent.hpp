// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <gamut/backend/array.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/text.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/detail/mean_gradient.hpp>
#include <gamut/solver/detail/sharded_weights.hpp>
#include <gamut/solver/run.hpp>
#include <gamut/solver/schedule.hpp>
#include <gamut/solver/state.hpp>
#include <gamut/solver/stopping.hpp>

namespace gamut::solver::detail {

/// sgd with zero; see sgd.hpp and zero.hpp. A pass over the data per epoch and one per record that looks at the objective.
template <class Sgd, class P, class... O>
core::result<typename P::array> descend_sharded(const Sgd& options, const P& p, O&... observers) {
    using A = typename P::array;
    using T = typename A::value_type;
    struct state {
        sharded_weights<P> w;
        A moved;
        std::array<A, Sgd::slots> memory;
        state(const P& p, const Sgd& options)
            : w(p, p.start(), options.batch, options.sharing.stage),
              moved(w.pieces()) {
            for (A& m : memory) m = A(T(0) * moved);
        }
    };
    constexpr bool is_postal = communicator::PostalCommunicator<std::remove_cvref_t<decltype(p.communicator())>>;
    auto s = prepare(p, [&] {
        options.validate();
        if (!is_postal && options.sharing.overlap)
            throw core::option_error("zero: overlap is on (these ranks have no mailboxes, in which gradients go while "
                                     "ranks compute) leave it off, or use communicator::threads, mpi or sim");
        return state(p, options);
    });
    if constexpr (is_postal)
        if (options.sharing.overlap) s.w.overlap();
    run<P, O...> record("sgd", p, options.stop, observers...);

    std::size_t updates = 0;
    const auto kept = [&](auto& each) {
        using Each = std::remove_cvref_t<decltype(each)>;
        constexpr bool writes = std::same_as<Each, state_writer>, reads = std::same_as<Each, state_reader>;
        A whole = reads ? A(p.dimension()) : s.w.whole();  // which is there while a record is reported
        each("weights", whole);
        if constexpr (writes || reads) {
            for (std::size_t i = 0; i < Sgd::slots; ++i) {
                A all(p.dimension());
                if (writes) s.w.join(s.memory[i], all);
                each(core::text("memory.", i), all);
                if (reads) s.w.cut(all, s.memory[i]);
            }
        }
        if constexpr (reads) s.w.take_whole(std::move(whole));
        each("updates", updates);
    };
    core::record now{.iteration = 0, .step = schedule::at(options.rate, 0)};
    if (const auto last = record.resume(options.resume, kept))
        now = *last;
    else
        now.objective = p.value(s.w.whole());
    const std::size_t batches = p.batches(options.batch);
    for (;;) {
        now.nonzeros = nonzeros(p, s.w.whole());
        const std::optional<core::status> asked = record.report(now);
        std::optional<core::status> end;
        const bool last = now.iteration >= options.stop.iterations;
        if (!std::isfinite(now.objective))
            end = core::status::diverged;
        else if (asked)
            end = asked;
        else if (last)
            end = core::status::iteration_limit;
        if (end) {
            if (end != core::status::diverged && now.phase == "batches") now.objective = p.value(s.w.whole());
            if (auto* const usage = options.sharing.usage) {
                *usage = {.parameters = p.dimension(),
                          .weights = options.sharing.stage < 3 ? p.dimension() : s.w.pieces().size(),
                          .memory = Sgd::slots * s.w.pieces().size()};
                usage->gradient_blocks = s.w.gradients().most_blocks;
                usage->gradient_numbers = s.w.gradients().most_numbers;
                usage->fetched_blocks = s.w.fetched().most_blocks;
                usage->fetched_numbers = s.w.fetched().most_numbers;
            }
            return record.finish(A(s.w.whole()), now.objective, *end, explanation(*end, options.stop));
        }
        s.w.drop_whole();

        const std::size_t epoch = now.iteration;
        double sum = 0, step = now.step;
        for (std::size_t index = 0; index < batches;) {
            const batches_of_step some(index, options.accumulate, batches);
            index = some.end;
            step = schedule::at(options.rate, static_cast<double>(epoch) +
                                                  static_cast<double>(some.begin) / static_cast<double>(batches));
            sum += mean_gradient(some, s.w.gradient(), s.moved, [&](std::size_t which, A& to) {
                return s.w.batch_gradient({options.batch, options.seed, epoch, which}, to);
            });
            options.turn(++updates, s.w.pieces(), s.w.gradient(), s.memory);
            s.moved = s.w.pieces() - static_cast<T>(step) * s.w.gradient();
            std::swap(s.w.pieces(), s.moved);
            s.w.share_pieces();
        }
        record.add_passes(1);
        now = {.phase = "batches", .iteration = epoch + 1, .step = step};
        now.objective = batches > 0 ? sum / static_cast<double>(batches) : 0;
        const bool at_limit = now.iteration >= options.stop.iterations;
        if (at_limit || (options.check_every > 0 && now.iteration % options.check_every == 0)) {
            now.phase = {};
            now.objective = p.value(s.w.whole());
        }
    }
}

}  // namespace gamut::solver::detail
