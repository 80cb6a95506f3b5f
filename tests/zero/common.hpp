// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <gamut/backend/host.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/data/preparation.hpp>
#include <gamut/network.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/replicated.hpp>
#include <gamut/solver/sgd.hpp>
#include <gamut/update/adam.hpp>

#include "network/tiny_mix.hpp"

namespace sharing {

using namespace gamut;

/// A small network by Adam, whose ranks share memory and messages in some way.
struct setting {
    std::size_t rows = 300, batch = 64, groups = 4, epochs = 2, hidden = 24, check_every = 0;
    std::string resume{};
};

template <class T = double, class Sharing = solver::replicated, class C = communicator::single<>, class... O>
auto fit(const setting& how, const Sharing& sharing = {}, const C& ranks = {}, O&&... observers) {
    auto model = network::classifier{network::dense{how.hidden}, network::relu{}, network::dense{10}};
    model.blocks = how.groups;
    return estimator{.model = model,
                     .penalty = penalty::l2{1e-3},
                     .solver = solver::sgd{.rate = 0.01,
                                           .update = update::adam{},
                                           .batch = how.batch,
                                           .check_every = how.check_every,
                                           .sharing = sharing,
                                           .stop = {.iterations = how.epochs, .tolerance = 0},
                                           .resume = how.resume},
                     .backend = backend::host<T>{.threads = 1},
                     .communicator = ranks,
                     .prepare = {.columns = data::columns::as_given}}
        .fit(tiny_mix<T>(how.rows, 1, 0), observers...);
}

inline std::size_t parameters(const setting& how) { return 20 * how.hidden + how.hidden + how.hidden * 10 + 10; }
inline std::size_t batches(const setting& how) { return (how.rows + how.batch / 2) / how.batch; }

}  // namespace sharing
