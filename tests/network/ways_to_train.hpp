// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/exchange/gossip.hpp>
#include <gamut/exchange/periodic.hpp>
#include <gamut/network.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/pipeline.hpp>
#include <gamut/solver/pipeline_schedule.hpp>
#include <gamut/solver/wait_free.hpp>
#include <gamut/solver/zero.hpp>
#include <gamut/topology/ring.hpp>
#include <gamut/update/adam.hpp>

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "network/tiny_mix.hpp"

/// A little LeNet, trained in all the ways there are, and a perceptron in those that tests/zero and tests/pipeline leave out: what each
/// finds, bit by bit, must not depend on the ranks.
namespace ways_to_train {

using namespace gamut;

inline const network::classifier perceptron{network::dense{12}, network::relu{}, network::dense{8}, network::relu{},
                                            network::dense{10}};
inline const network::classifier lenet{network::picture{4, 5},
                                       network::augment{.shift = 1, .flip = true},
                                       network::convolution{.channels = 3, .kernel = 3, .border = 1},
                                       network::max_pool{2},
                                       network::relu{},
                                       network::convolution{.channels = 4, .kernel = 2},
                                       network::relu{},
                                       network::flatten{},
                                       network::dense{8},
                                       network::relu{},
                                       network::dense{10}};

using found = std::vector<std::pair<std::string, std::vector<double>>>;

/// Some epochs on TinyMix: the name of a way, and the weights.
template <class Model, class C> found all_ways(const Model& model, const C& ranks) {
    const estimator e{.model = model,
                      .penalty = penalty::l2{1e-3},
                      .solver = solver::pipeline{},
                      .communicator = ranks,
                      .prepare = {.columns = data::columns::as_given}};
    const auto rows = tiny_mix(160, 1, 0).load(ranks, {.classification = true, .blocks = 4});
    const auto problem = e.problem_of(rows);
    found all;
    const auto add = [&](const std::string& name, const auto& solver) {
        all.emplace_back(name, solver.minimize(problem).weights.download());
    };
    const core::stop two{.iterations = 2, .tolerance = 0};
    const auto shared = [&](const std::string& name, auto sharing) {
        add(name, solver::sgd{.rate = 0.01, .update = update::adam{}, .batch = 32, .sharing = sharing, .stop = two});
    };
    const auto nodes = [&](const std::string& name, auto exchange) {
        add(name,
            solver::sgd{.rate = 0.05, .momentum = 0.9, .batch = 32, .blocks = 4, .exchange = exchange, .stop = two});
    };
    shared("all_reduce", solver::replicated{});
    nodes("local sgd", exchange::periodic{.every = 3});
    nodes("gossip", exchange::gossip{topology::ring{}});
    if constexpr (std::is_same_v<Model, std::remove_const_t<decltype(lenet)>>) {
        shared("overlap", solver::wait_free{});
        shared("factors", solver::wait_free{.factors = true});
        for (const bool overlap : {false, true})
            for (const int stage : {1, 2, 3})
                shared((overlap ? "zero with overlap " : "zero ") + std::to_string(stage),
                       solver::zero{.stage = stage, .overlap = overlap});
        const auto staged = [&](const std::string& name, auto schedule) {
            add(name, solver::pipeline{.rate = 0.05,
                                       .momentum = 0.9,
                                       .batch = 32,
                                       .stages = 3,
                                       .micro_batches = 2,
                                       .schedule = schedule,
                                       .stop = two});
        };
        staged("one forward one backward", solver::pipeline_schedule::one_forward_one_backward{});
        staged("gpipe", solver::pipeline_schedule::gpipe{});
    }
    return all;
}

/// The ways in which two differ; and those of sharing that differ from all_reduce, and schedules from each other.
inline std::string differences(const found& mine, const found& alone) {
    std::string names;
    for (std::size_t i = 0; i < mine.size(); ++i)
        if (mine[i].second != alone[i].second) names += mine[i].first + "; ";
    if (mine.size() < 13) return names;
    for (std::size_t i = 3; i < 11; ++i)
        if (mine[i].second != mine[0].second) names += mine[i].first + " beside " + mine[0].first + "; ";
    if (mine[11].second != mine[12].second) names += mine[12].first + " beside " + mine[11].first + "; ";
    return names;
}

}  // namespace ways_to_train
