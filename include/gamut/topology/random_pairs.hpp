// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <gamut/core/random.hpp>
#include <gamut/topology/concept.hpp>

namespace gamut::topology {

/// Every step other pairs, drawn from the seed, the same wherever they are drawn; of an odd number of nodes one stays alone.
/// With local steps between the meetings: NoLoCo, Kolehmainen et al. 2025.   Boyd et al., Randomized gossip algorithms, 2006.
struct random_pairs {
    static constexpr auto kind = symmetric;
    std::uint64_t seed = 1;
    std::size_t period(std::size_t) const { return 0; }
    node_list sources(std::size_t i, std::size_t n, std::size_t k) const {
        const auto order = core::permutation({.seed = seed, .stream = k}, n);
        const auto at = static_cast<std::size_t>(std::find(order.begin(), order.end(), i) - order.begin());
        const std::size_t other = at ^ 1;
        return other < n ? node_list{order[other]} : node_list{};
    }
};

}  // namespace gamut::topology
