// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/consistency/bounded_staleness.hpp>
#include <gamut/consistency/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/stop.hpp>
#include <gamut/fwd.hpp>
#include <gamut/solver/beginning.hpp>
#include <gamut/solver/concept.hpp>
#include <gamut/solver/detail/epoch_judge.hpp>
#include <gamut/solver/detail/served_weights.hpp>
#include <gamut/solver/run.hpp>
#include <gamut/solver/schedule.hpp>
#include <gamut/table/shared.hpp>
#include <gamut/update/concept.hpp>
#include <gamut/update/plain.hpp>

namespace gamut::solver {

/// Stochastic gradient descent through a parameter server: every block of rows is a worker with a clock of its own, the weights
/// are a table (table/shared.hpp), cut among the servers. In a clock a worker reads the weights, as fresh as `consistency`
/// demands, and adds the gradient of its rows in the next batch, of blocks times their loss plus the penalty; the servers step,
///   w = w - rate d,   d what `update` makes of the mean over the workers
/// With consistency::asynchronous every gradient is a step of its own, of rate / blocks. An epoch is batches(batch) clocks of every worker.
/// With bulk_synchronous, and bounded_staleness of slack 0, the same bits on any number of ranks and servers; others depend on who was
/// when how fast, except on one rank and on communicator::sim.
/// Every check_every epochs all wait for each other, one more pass finds objective and gradient at the weights, and the run stops
/// when |gradient| <= stop.tolerance |gradient at the start|; nothing else is called converged. That also bounds how far
/// workers drift apart. result::message says what the table warns of (staleness and momentum).
/// A worker's clock costs a letter to every server and at most two more for each where the weights must be waited for. Needs a
/// smooth penalty, for servers know pieces of the weights only; no checkpoints.
/// Li et al., Scaling distributed machine learning with the parameter server, OSDI 2014; Ho et al. 2013 (stale synchronous parallel).
template <class Rate, class Update, class Consistency> struct asynchronous {
    static_assert(schedule::Schedule<Rate>,
                  "asynchronous: rate must be a number or a schedule; see gamut/solver/schedule.hpp");
    static_assert(
        update::Update<Update> && !update::NeedsLength<Update>,
        "asynchronous: update must be a rule for one weight (servers know pieces of the gradient, and not its "
        "length); see gamut/update/concept.hpp");
    static_assert(consistency::Consistency<Consistency>,
                  "asynchronous: consistency needs oldest, quorum, pushed, validate; see "
                  "gamut/consistency/concept.hpp");

    Rate rate = 0.1;
    Update update{};
    std::size_t batch = 32;  ///< rows, over all workers together
    std::uint64_t seed = 1;
    std::size_t blocks = 8;  ///< workers, each with a block of rows
    Consistency consistency{};
    std::size_t servers = 0;        ///< each keeps a part of the weights; 0: one per rank
    std::vector<int> servers_on{};  ///< these ranks only; none: all of them
    std::size_t check_every = 1;    ///< epochs; 0: only at the end
    core::stop stop{.iterations = 50};

    void validate() const {
        schedule::validate(rate);
        update::validate(update);
        if (batch < 1) throw core::option_error("asynchronous: batch is 0 (at least 1 row is needed) try 32");
        if (blocks < 1) throw core::option_error("asynchronous: blocks is 0 (they are the workers) try 8");
        stop.validate("asynchronous");
    }

    template <Decentralised P, class... O>
    requires P::smooth core::result<typename P::array> minimize(const P& p, O&&... observers)
    const {
        using A = typename P::array;
        using C = std::remove_cvref_t<decltype(p.communicator())>;
        static_assert(communicator::PostalCommunicator<C>,
                      "asynchronous: needs a communicator with letters; see gamut/communicator/concept.hpp");
        prepare(p, [&] { return validate(), 0; });
        A w = best_start(p).weights;
        const A start = w;
        run<P, O...> record("asynchronous", p, stop, observers...);

        const std::size_t n = p.dimension(), batches = p.batches(batch);
        const std::size_t count = servers > 0 ? servers : static_cast<std::size_t>(p.communicator().size());
        const std::size_t width = std::min((n + count - 1) / count, longest_piece), pieces = (n + width - 1) / width;
        const bool at_once = !Consistency::needs_clock;
        const double workers = static_cast<double>(p.blocks());
        const detail::served_weights<Rate, Update> row{.rate = rate,
                                                       .rule = update,
                                                       .step_of_epoch =
                                                           1 / (static_cast<double>(batches) * (at_once ? workers : 1)),
                                                       .scale = at_once ? 1 / workers : 1};
        table::shared weights(p.communicator(),
                              table::layout{.rows = pieces,
                                            .width = width,
                                            .workers = p.blocks(),
                                            .servers = count,
                                            .servers_on = servers_on,
                                            .name = "weights"},
                              row, consistency);
        std::vector<double> piece(width);
        for (std::size_t r = 0; r < pieces; ++r) {
            for (std::size_t j = 0; j < width; ++j)
                piece[j] = r * width + j < n ? static_cast<double>(w.span()[r * width + j]) : 0;
            weights.set(r, piece);
        }

        A here(w), gradient(w), moved(w);
        const auto one_clock = [&](auto& me) {
            for (std::size_t r = 0; r < pieces; ++r) read(me.get(r), r * width, here);
            const batch_type rows{batch, seed, static_cast<std::size_t>(me.clock()) / batches,
                                  static_cast<std::size_t>(me.clock()) % batches};
            p.local_gradient(me.id(), here, rows, gradient);
            for (std::size_t r = 0; r < pieces; ++r) {
                for (std::size_t j = 0; j < width; ++j)
                    piece[j] = r * width + j < n ? static_cast<double>(gradient.span()[r * width + j]) : 0;
                me.add(r, piece);
            }
        };

        detail::epoch_judge<A> judge(start, stop.tolerance);
        core::record now{.iteration = 0, .step = schedule::at(rate, 0)};
        judge.look(p, w, gradient, moved, now.step, now);
        std::string warning;
        for (;;) {
            now.nonzeros = nonzeros(p, w);
            const std::optional<core::status> asked = record.report(now);
            ending ended = judge(p, w, now, asked, stop);
            if (ended.status) {
                if (!warning.empty()) ended.why += "; " + warning;
                return record.finish(std::move(w), now.objective, *ended.status, std::move(ended.why));
            }
            const std::size_t rest = stop.iterations - now.iteration,
                              epochs = check_every > 0 ? std::min(check_every, rest) : rest;
            const table::report done = weights.run(epochs * batches, one_clock);
            if (!done.message.empty()) warning = done.message;
            record.add_passes(epochs);
            for (std::size_t r = 0; r < pieces; ++r) read(weights.row(r), r * width, w);
            now = {.iteration = now.iteration + epochs};
            now.step = schedule::at(rate, static_cast<double>(now.iteration));
            judge.look(p, w, gradient, moved, now.step, now);
        }
    }

    template <class P, class... O> refused minimize(const P&, O&&...) const {
        static_assert(Decentralised<P>, "asynchronous: needs a problem with local_gradient(b, w, batch, gradient); see "
                                        "gamut/solver/concept.hpp");
        static_assert(!Decentralised<P> || P::smooth,
                      "asynchronous: needs a smooth penalty (servers know pieces of the weights); use solver::sgd");
        return {};
    }

private:
    using batch_type = solver::batch;
    static constexpr std::size_t longest_piece = std::size_t{1} << 20;  // numbers: a row travels in one letter

    template <class A> static void read(const std::vector<double>& piece, std::size_t begin, A& to) {
        for (std::size_t j = 0; j < piece.size() && begin + j < to.size(); ++j)
            to.span()[begin + j] = static_cast<typename A::value_type>(piece[j]);
    }
};

}  // namespace gamut::solver
