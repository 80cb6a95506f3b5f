// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/backend/host.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/network.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/schedule.hpp>
#include <gamut/solver/sgd.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

#include "network/tiny_mix.hpp"

/// Networks to be made smaller.
namespace small {

using namespace gamut;

using mlp = network::classifier<network::dense, network::relu, network::dense, network::relu, network::dense>;

/// Layers of `width` and `width` for TinyMix-10: rate 0.05, a tenth of it in the last third.
template <class T = double, class C = communicator::single<>>
auto trainer(std::size_t width, std::size_t epochs, const C& ranks = {}, int threads = 1) {
    return estimator{.model = mlp{{width}, {}, {width}, {}, {10}},
                     .penalty = penalty::l2{1e-4},
                     .solver = solver::sgd{.rate = solver::schedule::step{.rate = 0.05,
                                                                          .factor = 0.1,
                                                                          .every = 2 * static_cast<double>(epochs) / 3},
                                           .momentum = 0.9,
                                           .batch = 64,
                                           .check_every = 0,
                                           .stop = {.iterations = epochs}},
                     .backend = backend::host<T>{.threads = threads},
                     .communicator = ranks,
                     .prepare = {.columns = data::columns::as_given}};
}

/// The error has this in its words.
inline auto says(std::string words) {
    return [words = std::move(words)](const std::exception& e) {
        return std::string(e.what()).find(words) != std::string::npos;
    };
}

}  // namespace small
