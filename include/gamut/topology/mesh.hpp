// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/topology/concept.hpp>

namespace gamut::topology {

/// A grid, as square as n allows, row by row; everybody hears the nodes beside, above and below it. `rows` makes it another one.
struct mesh {
    static constexpr auto kind = symmetric;
    std::size_t rows = 0;  ///< 0: the largest divisor of n that is not above its root
    node_list sources(std::size_t i, std::size_t n, std::size_t) const {
        std::size_t height = rows > 0 ? rows : 1;
        for (std::size_t r = 1; rows == 0 && r * r <= n; ++r)
            if (n % r == 0) height = r;
        if (n % height != 0)
            throw core::option_error(core::text("topology::mesh: ", n, " nodes in ", height,
                                                " rows (they do not fit) "
                                                "leave .rows out"));
        const std::size_t columns = n / height, y = i / columns, x = i % columns;
        node_list near;
        if (y > 0) near.push_back(i - columns);
        if (x > 0) near.push_back(i - 1);
        if (x + 1 < columns) near.push_back(i + 1);
        if (y + 1 < height) near.push_back(i + columns);
        return near;
    }
};

}  // namespace gamut::topology
