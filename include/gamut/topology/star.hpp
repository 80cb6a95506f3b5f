// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/topology/concept.hpp>

namespace gamut::topology {

/// The centre hears everybody, and everybody the centre.
struct star {
    static constexpr auto kind = symmetric;
    std::size_t centre = 0;
    node_list sources(std::size_t i, std::size_t n, std::size_t) const {
        if (i != centre) return {centre};
        node_list all;
        for (std::size_t j = 0; j < n; ++j) all.push_back(j);
        return all;
    }
};

}  // namespace gamut::topology
