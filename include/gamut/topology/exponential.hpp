// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/topology/concept.hpp>

namespace gamut::topology {

/// Everybody hears the nodes 1, base, base^2 ... before it: log n of them, and an expander.
/// Ying et al., Exponential graph is provably efficient for decentralized deep training, NeurIPS 2021.
struct exponential {
    static constexpr auto kind = balanced;
    std::size_t base = 2;
    node_list sources(std::size_t i, std::size_t n, std::size_t) const {
        if (base < 2) throw core::option_error(core::text("topology::exponential: base is ", base, " (at least 2)"));
        node_list all;
        for (std::size_t hop = 1; hop < n; hop *= base) all.push_back((i + n - hop) % n);
        return all;
    }
};

}  // namespace gamut::topology
