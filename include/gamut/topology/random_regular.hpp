// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <gamut/core/random.hpp>
#include <gamut/topology/concept.hpp>

namespace gamut::topology {

/// The union of `cycles` random rings through all nodes, drawn from the seed, the same wherever it is made: up to 2 cycles
/// neighbours each, and an expander almost surely.   Friedman, A proof of Alon's second eigenvalue conjecture, 2003.
struct random_regular {
    static constexpr auto kind = symmetric;
    std::size_t cycles = 2;
    std::uint64_t seed = 1;
    node_list sources(std::size_t i, std::size_t n, std::size_t k) const { return all_sources(n, k)[i]; }
    std::vector<node_list> all_sources(std::size_t n, std::size_t) const {
        std::vector<node_list> near(n);
        for (std::size_t c = 0; c < cycles; ++c) {
            const auto order = core::permutation({.seed = seed, .stream = c}, n);
            for (std::size_t at = 0; at < n; ++at) {
                near[order[at]].push_back(order[(at + 1) % n]);
                near[order[at]].push_back(order[(at + n - 1) % n]);
            }
        }
        return near;
    }
};

}  // namespace gamut::topology
