// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <vector>

#include <gamut/fitted_network.hpp>
#include <gamut/shrink/mask.hpp>
#include <gamut/shrink/tensor.hpp>

namespace gamut::shrink {

/// How many of a network's weights that multiply are not 0, in all and tensor by tensor.
struct sparsity {
    struct layer {
        std::size_t block = 0;  ///< its number among the blocks of the network
        std::size_t alive = 0, size = 0;

        double share() const { return static_cast<double>(alive) / static_cast<double>(size); }
    };

    std::size_t alive = 0, size = 0;
    std::vector<layer> layers{};

    double share() const { return static_cast<double>(alive) / static_cast<double>(size); }
};

template <class Model, class T, class C> sparsity sparsity_of(const fitted_network<Model, T, C>& fit) {
    const mask m = mask_of(fit);
    sparsity found;
    for (const tensor& t : tensors_of(fit)) {
        found.layers.push_back({t.block, m.count(t), t.size()});
        found.alive += found.layers.back().alive;
        found.size += t.size();
    }
    return found;
}

}  // namespace gamut::shrink
