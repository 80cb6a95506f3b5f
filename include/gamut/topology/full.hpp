// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/topology/concept.hpp>

namespace gamut::topology {

/// Everybody hears everybody.
struct full {
    static constexpr auto kind = symmetric;
    node_list sources(std::size_t, std::size_t n, std::size_t) const {
        node_list all;
        for (std::size_t j = 0; j < n; ++j) all.push_back(j);
        return all;
    }
};

}  // namespace gamut::topology
