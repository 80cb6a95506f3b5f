// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/topology/concept.hpp>

namespace gamut::topology {

/// Everybody hears the nodes 1, base, base^2 ... before and behind it, as far as half the way round.
struct symmetric_exponential {
    static constexpr auto kind = symmetric;
    std::size_t base = 4;
    node_list sources(std::size_t i, std::size_t n, std::size_t) const {
        if (base < 2)
            throw core::option_error(core::text("topology::symmetric_exponential: base is ", base, " (at least 2)"));
        node_list all;
        for (std::size_t hop = 1; 2 * hop <= n; hop *= base) {
            all.push_back((i + n - hop) % n);
            all.push_back((i + hop) % n);
        }
        return all;
    }
};

}  // namespace gamut::topology
