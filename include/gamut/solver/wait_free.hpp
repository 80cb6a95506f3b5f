// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <vector>

#include <gamut/communicator/concept.hpp>
#include <gamut/core/exact_sum.hpp>
#include <gamut/solver/detail/wait_free_gradient.hpp>
#include <gamut/solver/replicated.hpp>
#include <gamut/solver/sufficient_factors.hpp>

namespace gamut::solver {

/// The gradient of a block of parameters is sent as soon as it is complete, while those of earlier layers are computed.
///     solver::sgd{.momentum = 0.9, .batch = 64, .sharing = solver::wait_free{.factors = true}}
///   factors    blocks whose A and S are fewer bytes than their gradient A'S send those instead (sufficient_factors.hpp)
/// Every rank has all weights, and everything else is as without: the same bits, on any number of ranks, with the reservation of zero
/// for blocks that two products read. With `factors` every rank multiplies out the A'S of all ranks, so all of them must run on
/// processors, and with a BLAS, that round alike; a matrix product then costs a rank what it costs one rank alone.
/// Sent by a rank and batch: background_sum's letters, g + 1 times size (ranks - 1) / ranks numbers for a block, g being the rank's groups
/// of rows (with core::fast 1); the factors of its rows to every other rank; for the loss two small all-reduces.
/// For networks and formula_problem, and communicators with mailboxes. Memory: one more gradient, and the partial sums on their way.
/// Zhang et al., Poseidon: an efficient communication architecture for distributed deep learning on GPU clusters, USENIX ATC 2017.
struct wait_free {
    bool factors = false;

    template <class P> auto gradients(const P& p, std::size_t batch) const {
        constexpr bool is_blocks = detail::BlockProblem<P>;
        constexpr bool is_postal = communicator::PostalCommunicator<std::remove_cvref_t<decltype(p.communicator())>>;
        static_assert(is_blocks, "wait_free: needs a problem whose weights are blocks of parameters, a network's or a "
                                 "solver::formula_problem");
        static_assert(is_postal, "wait_free: needs a communicator with mailboxes; see gamut/communicator/concept.hpp");
        if constexpr (is_blocks && is_postal)
            return detail::wait_free_gradient<P>(p, batch, traffic(p, batch));
        else
            return replicated{}.gradients(p, batch);
    }

    /// What each block of parameters sends in batches of that many rows, and in which way.
    template <class P> std::vector<block_traffic> traffic(const P& p, std::size_t batch) const {
        using T = typename P::value_type;
        using sums = typename std::remove_cvref_t<decltype(p.communicator())>::sums;
        const auto& rows = p.rows();
        const auto ranks = static_cast<double>(p.communicator().size());
        const double groups =
            std::same_as<sums, core::fast> ? 1 : static_cast<double>(rows.data().partition.blocks) / ranks;
        const double of_batch = static_cast<double>(rows.data().rows()) / static_cast<double>(rows.batches(batch));
        std::vector<block_traffic> found;
        for (std::size_t b = 0; b < p.blocks_of_parameters().size(); ++b) {
            const auto& shape = p.blocks_of_parameters()[b];
            const std::size_t step = detail::product_step_of(rows, b);
            block_traffic one{.block = b, .rows = shape.rows, .columns = shape.columns};
            one.sum = sizeof(double) * numbers_as_sum(shape.rows, shape.columns, ranks, groups);
            if (step < rows.program().size) {
                const double k = of_batch / ranks * static_cast<double>(rows.program().slot(step).per_row);
                one.factors = sizeof(T) * numbers_as_factors(k, shape.rows, shape.columns, ranks);
                one.by_factors = factors && one.factors < one.sum;
            }
            found.push_back(one);
        }
        return found;
    }
};

}  // namespace gamut::solver
