// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <gamut/core/random.hpp>
#include <gamut/topology/concept.hpp>

namespace gamut::topology {

/// Every step other pairs, drawn from the seed, the same wherever they are drawn; of an odd number of nodes one stays alone.
/// With local steps between the meetings: NoLoCo, Kolehmainen et al. 2025.   Boyd et al., Randomized gossip algorithms, 2006.
struct random_pairs {
    static constexpr auto kind = symmetric;
    std::uint64_t seed = 1;
    std::size_t period(std::size_t) const { return 0; }
    node_list sources(std::size_t i, std::size_t n, std::size_t k) const { return all_sources(n, k)[i]; }
    std::vector<node_list> all_sources(std::size_t n, std::size_t k) const {
        std::vector<node_list> partner(n);
        const auto order = core::permutation({.seed = seed, .stream = k}, n);
        for (std::size_t at = 0; at + 1 < n; at += 2) {
            partner[order[at]] = {order[at + 1]};
            partner[order[at + 1]] = {order[at]};
        }
        return partner;
    }
};

}  // namespace gamut::topology
