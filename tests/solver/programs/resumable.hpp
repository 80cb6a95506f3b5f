// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

#include <gamut/compressor/quantized.hpp>
#include <gamut/core/checkpoints.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/estimator.hpp>
#include <gamut/exchange/compressed_gossip.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/penalty/elastic_net.hpp>
#include <gamut/solver/admm.hpp>
#include <gamut/solver/sgd.hpp>
#include <gamut/topology/ring.hpp>
#include <gamut/update/momentum.hpp>

/// Fits with a checkpoint in a folder after every iteration, that go on from the newest one there, and print every bit of what they found.
namespace resumable {

using namespace gamut;

template <class C, class Solver> void fit_by(const C& ranks, Solver solver, const std::string& folder) {
    solver.resume = folder;
    const estimator classifier{.model = model::logistic{},
                               .penalty = penalty::elastic_net{.l1 = 0.01, .l2 = 0.01},
                               .solver = solver,
                               .communicator = ranks};
    core::checkpoints keeper{.every = 1, .folder = folder, .keep = 2};
    const auto found = classifier.fit(data::csv{.path = "examples/data/breast_cancer.csv"}, keeper);
    if (ranks.rank() != 0) return;
    std::printf("%s after %zu iterations and %zu passes\n", std::string(core::name(found.status)).c_str(),
                found.iterations, found.passes);
    for (const double w : found.solver_weights) std::printf("%a\n", w);
    for (const core::record& now : found.history)
        std::printf("%zu %a %a %a %zu %zu\n", now.iteration, now.objective, now.residual, now.dual_residual,
                    now.nonzeros, now.passes);
}

template <class C>
void fit(const C& ranks, std::string_view solver, const std::string& folder, std::size_t iterations) {
    const core::stop stop{.iterations = iterations, .tolerance = 0};
    if (solver == "sgd")
        fit_by(ranks, solver::sgd{.rate = 0.1, .momentum = 0.9, .stop = stop}, folder);
    else if (solver == "nodes")
        fit_by(ranks,
               solver::sgd{.rate = 0.05,
                           .update = update::momentum{.momentum = 0.5},
                           .batch = 64,
                           .blocks = 6,
                           .exchange = exchange::compressed_gossip{topology::ring{}, compressor::quantized{}, 0.5},
                           .stop = stop},
               folder);
    else
        fit_by(ranks, solver::admm{.stop = stop}, folder);
}

}  // namespace resumable
