// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/topology/concept.hpp>

namespace gamut::topology {

/// A graph as lists: heard[i] are the nodes that node i hears, at every step. The same on all ranks; exchange::infer makes one of what
/// each rank knows of its own nodes.
struct listed {
    std::vector<node_list> heard{};

    node_list sources(std::size_t i, std::size_t n, std::size_t) const {
        check(n);
        return heard[i];
    }
    std::vector<node_list> all_sources(std::size_t n, std::size_t) const {
        check(n);
        return heard;
    }

private:
    void check(std::size_t n) const {
        if (n != heard.size())
            throw core::option_error(core::text("topology::listed: ", heard.size(), " nodes are listed (there are ", n,
                                                ") give a list for each node, and as many .blocks"));
    }
};

}  // namespace gamut::topology
