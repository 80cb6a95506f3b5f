// SPDX-License-Identifier: BSL-1.0
// Nodes that only meet: node i of n begins with numbers of its own, and nobody descends.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/core/random.hpp>
#include <gamut/exchange/concept.hpp>
#include <gamut/exchange/nodes.hpp>

namespace averaging {

using namespace gamut;
using array = backend::array<backend::host<>>;

struct outcome {
    std::vector<double>
        left{};  ///< of the nodes' distance from the first mean, after each round, as a share of that before
    std::vector<double> numbers{};  ///< of all nodes, in the end
    double mean_moved = 0;          ///< how far, in the end, as a share of the first distance
};

/// Some rounds of n nodes with `width` numbers each.
template <class C, class M>
outcome of(const C& ranks, const M& method, std::size_t n, std::size_t width, std::size_t rounds) {
    const exchange::nodes<C> all(ranks, n);
    exchange::state_of<M, array, exchange::nodes<C>> state(method, all, array(width));
    const core::random draw{.seed = 3};
    for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t j = 0; j < width; ++j) state.copies()[i][j] = draw.normal((all.first() + i) * width + j);
    array mean(width), later(width);
    all.mean(state.copies(), mean);
    const double apart = all.distance(state.copies(), mean);
    outcome found;
    for (std::size_t k = 0; k < rounds; ++k) {
        state.round(0, [](std::size_t, const array& at, array& slope) { slope = 0.0 * at; });
        found.left.push_back(all.distance(state.copies(), mean) / apart);
    }
    all.mean(state.copies(), later);
    found.mean_moved = backend::distance(mean, later) / apart;
    found.numbers.resize(n * width);
    for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t j = 0; j < width; ++j) found.numbers[(all.first() + i) * width + j] = state.copies()[i][j];
    ranks.all_reduce(std::span<double>(found.numbers), communicator::operation::sum);
    return found;
}

}  // namespace averaging
