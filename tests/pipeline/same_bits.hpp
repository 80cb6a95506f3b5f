// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/communicator/single.hpp>
#include <gamut/solver/pipeline.hpp>
#include <gamut/solver/pipeline_schedule.hpp>
#include <gamut/update/adam.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include "pipeline/nets.hpp"
#include "solver/interrupted.hpp"

/// Fits by pipelines whose bits no number of ranks changes.
namespace nets {

namespace schedule = solver::pipeline_schedule;

/// Four stages; 3 micro-batches of batches of 17 in 120 rows: nothing divides anything.
inline auto alternating(std::size_t replicas) {
    return solver::pipeline{.rate = solver::schedule::inverse_time{.rate = 0.1, .decay = 0.5},
                            .momentum = 0.8,
                            .rule = solver::momentum_rule::nesterov,
                            .batch = 17,
                            .check_every = 2,
                            .stages = 4,
                            .micro_batches = 3,
                            .replicas = replicas,
                            .stop = {.iterations = 3}};
}
inline auto without_flushes(std::size_t replicas) {
    return solver::pipeline{.rate = 0.01,
                            .update = update::adam{},
                            .batch = 17,
                            .stages = 3,
                            .schedule = schedule::pipedream{},
                            .replicas = replicas,
                            .stop = {.iterations = 3}};
}

/// Everything that two fits find, but for seconds.
template <class C> std::string fits_on(const C& c) {
    std::string all;
    with_problem(residual(), c, 120, 4, [&](const auto& p) {
        for (const std::size_t replicas : {1u, 2u}) {
            all += interrupted::described(alternating(replicas).minimize(p)) + '\n';
            all += interrupted::described(without_flushes(replicas).minimize(p)) + '\n';
        }
    });
    return all;
}

/// What differs between a communicator's ranks and one process.
template <class C> std::string difference_on(const C& c) {
    return interrupted::difference(fits_on(c), fits_on(communicator::single<>{}));
}

}  // namespace nets
