// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/observe.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/shrink/detail/training.hpp>
#include <gamut/shrink/magnitude.hpp>
#include <gamut/shrink/mask.hpp>
#include <gamut/shrink/prune.hpp>

namespace gamut::shrink {

/// How a lottery is held.
///   keep, rounds, scope   how much is alive in the end, and how it gets there; see pruning
///   rewind                weights go back to where they were after so many epochs; 0: to the start
///   compare               trains two more: the ticket's mask with another start, and a mask that is drawn
struct lottery_options {
    double keep = 0.1;
    std::size_t rounds = 8;
    shrink::scope scope = shrink::scope::layer;
    std::size_t rewind = 0;
    bool compare = false;
    std::uint64_t seed = 1;  ///< of the other start and the drawn mask

    pruning as_pruning() const { return {keep, rounds, scope}; }
    void validate() const {
        detail::check_keep("lottery", keep);
        if (rounds < 1) throw core::option_error("lottery: rounds is 0 (one is needed) try 8");
    }
};

/// What a lottery finds. Each network says how its own training ended, and what that took.
template <class Fit> struct lottery_result {
    Fit dense;                         ///< all weights
    Fit ticket;                        ///< those that are left, trained alone from where they began
    std::optional<Fit> redrawn{};      ///< with compare: the same ones, from another start
    std::optional<Fit> random_mask{};  ///< with compare: as many others of each tensor, from the first start
};

/// The lottery ticket hypothesis: a network has a small part that, trained alone from the same start, is as good.
///     const auto found = shrink::lottery(estimator, source, {.keep = 0.1, .compare = true});
///   train all;  then, `rounds` times:  take the smallest weights, put the others back to where they began, train these
/// Costs rounds + 1 runs of the estimator's solver, two more with compare; each runs its rate's schedule from its beginning. With
/// `rewind` every run, the first one too, begins where that many epochs have led (solvers with stop.iterations).
/// An observer or a time limit that ends a run ends the lottery: the ticket is what there is by then.
/// Collective; the same bits on any number of ranks. Throws option_error or data_error, the same on all ranks.
/// Frankle and Carbin, ICLR 2019; with rewind: Frankle, Dziugaite, Roy, Carbin, ICML 2020.
template <class Estimator, data::DataSource S, core::Observer... O>
auto lottery(const Estimator& e, const S& source, const lottery_options& how = {}, O&&... observers) {
    return detail::with_problem(e, source, [&](const auto& problem, const std::vector<tensor>& tensors) {
        communicator::agree(e.communicator, [&] { how.validate(); });
        const mask all{std::vector<std::uint8_t>(problem.dimension(), 1)};
        std::vector<double> start = detail::numbers_of(problem.start());
        if (how.rewind > 0) {
            auto early = e;
            early.solver.stop.iterations = how.rewind;
            auto begun = detail::run_held(early, problem, all, start, observers...);
            start = detail::numbers_of(begun.weights);
            if (detail::is_over(begun)) {
                auto dense = e.describe(problem, std::move(begun));
                return lottery_result<decltype(dense)>{dense, dense};
            }
        }
        const auto train = [&](const mask& alive, const std::vector<double>& from) {
            return detail::run_held(e, problem, alive, from, observers...);
        };
        auto found = train(all, start);
        auto dense = e.describe(problem, found);
        mask alive = all;
        bool over = detail::is_over(found);
        for (std::size_t round = 1; round <= how.rounds && !over; ++round) {
            const magnitude largest{how.as_pruning().keep_after(round, 1), how.scope};
            alive = largest(detail::numbers_of(found.weights), tensors, std::move(alive));
            found = train(alive, start);
            over = detail::is_over(found);
        }
        lottery_result<decltype(dense)> result{std::move(dense), e.describe(problem, std::move(found))};
        if (!how.compare || over) return result;

        auto other = e.model;
        other.seed = core::random{how.seed, e.model.seed}.bits(0);
        const auto drawn = other.template start<typename std::remove_cvref_t<decltype(problem)>::value_type>(
            problem.dataset().columns());
        auto redrawn = train(alive, {drawn.begin(), drawn.end()});
        over = detail::is_over(redrawn);
        result.redrawn = e.describe(problem, std::move(redrawn));
        if (over) return result;
        result.random_mask = e.describe(problem, train(shuffled(alive, tensors, how.seed), start));
        return result;
    });
}

}  // namespace gamut::shrink
