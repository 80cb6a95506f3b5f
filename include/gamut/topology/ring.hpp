// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/topology/concept.hpp>

namespace gamut::topology {

/// Everybody hears both neighbours.
struct ring {
    static constexpr auto kind = symmetric;
    node_list sources(std::size_t i, std::size_t n, std::size_t) const { return {(i + 1) % n, (i + n - 1) % n}; }
};

/// Everybody hears the node before it, or the one behind it.
struct one_way_ring {
    static constexpr auto kind = balanced;
    bool from_next = false;
    node_list sources(std::size_t i, std::size_t n, std::size_t) const {
        return {from_next ? (i + 1) % n : (i + n - 1) % n};
    }
};

}  // namespace gamut::topology
