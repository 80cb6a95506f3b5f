// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <type_traits>

#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/solver/detail/sharded_descent.hpp>
#include <gamut/update/concept.hpp>

namespace gamut::solver {

/// What a rank held in a run of zero, counted; a block's partial sums, one for each group of rows, count as one.
struct zero_usage {
    std::size_t parameters = 0;        ///< P
    std::size_t weights = 0;           ///< numbers kept from step to step: P, or this rank's pieces
    std::size_t memory = 0;            ///< numbers of the update rule's memory
    std::size_t gradient_blocks = 0;   ///< the most gradients of blocks at once
    std::size_t gradient_numbers = 0;  ///< and the most numbers that they had
    std::size_t fetched_blocks = 0;    ///< the most blocks of weights at once that were fetched for a step
    std::size_t fetched_numbers = 0;
};

/// The ranks of data-parallel training keep no more copies than they must: weights are cut into pieces, block by block and in each block
/// evenly, and rank r updates its pieces alone, by the same rule.
///   stage 1    the update rule's memory is in pieces: 2 P / ranks numbers with adam, P being the number of weights
///   stage 2    and gradients: a block's is summed where it belongs as soon as it is complete, and dropped
///   stage 3    and weights: a block's are fetched for each step that reads them, and dropped after it
///     solver::sgd{.update = update::adam{}, .batch = 64, .sharing = solver::zero{.stage = 2, .overlap = true}}
/// With `overlap`, for communicators with mailboxes, gradients leave while those of earlier layers are computed, in every stage as soon
/// as they are complete: the same bits, the same numbers sent (and 16 bytes for each letter), and memory for what is on its way, which
/// zero_usage does not count.
/// The weights of every step have the bits of the same sgd without zero, on any number of ranks, as long as a group of rows
/// (a block of the data's partition) has at most 128 rows of a batch, or no block of parameters is read by two products.
/// Sent by a rank and batch, in units of P (ranks - 1) / ranks numbers of 8 bytes: g + 1 in stages 1 and 2, g + 2 in stage 3, there
/// less the blocks that the loss alone reads. g = 1 with core::fast sums, or where no rank has more than one group of rows: 2, 2, 3;
/// else g = 2, for the exact sum needs the partials of all groups (sum_scatter.hpp). And two all-reduces of 12 bytes for the loss.
/// Once per epoch the weights are whole on all ranks, for the record. The problem keeps where it starts, P numbers.
/// Records have no residual: the whole gradient is nowhere. A run ends at stop.iterations, by an observer or the clock, or diverged.
/// For networks and formula_problem with smooth penalties, and update rules that look at one weight at a time.
/// Throws option_error for other stages, and for overlap where there are no mailboxes.
/// Rajbhandari, Rasley, Ruwase, He, ZeRO: memory optimizations toward training trillion parameter models, SC 2020.
struct zero {
    int stage = 2;
    bool overlap = false;         ///< of computing and sending
    zero_usage* usage = nullptr;  ///< filled when the run ends, if it points to one of this rank's own

    void validate() const {
        if (stage < 1 || stage > 3)
            throw core::option_error(
                core::text("zero: stage is ", stage, " (1 shares memory, 2 gradients too, 3 weights too) try 2"));
    }

    template <class Sgd, class P, class... O>
    core::result<typename P::array> minimize(const Sgd& options, const P& p, O&... observers) const {
        constexpr bool is_blocks = detail::BlockProblem<P>;
        constexpr bool is_elementwise = !update::NeedsLength<decltype(options.update)>;
        constexpr bool is_pairwise =
            communicator::PairwiseCommunicator<std::remove_cvref_t<decltype(p.communicator())>>;
        static_assert(is_blocks, "zero: needs a problem whose weights are blocks of parameters, a network's or a "
                                 "solver::formula_problem");
        static_assert(P::smooth,
                      "zero: needs a smooth penalty (a prox may look at more than one piece); use penalty::l2");
        static_assert(is_elementwise, "zero: this update needs the length of the whole gradient, which no rank has; "
                                      "use one that looks at one weight, or wait_free");
        static_assert(is_pairwise,
                      "zero: needs a communicator whose ranks talk in pairs; see gamut/communicator/concept.hpp");
        if constexpr (is_blocks && P::smooth && is_elementwise && is_pairwise)
            return detail::descend_sharded(options, p, observers...);
        else
            return {};
    }
};

}  // namespace gamut::solver
