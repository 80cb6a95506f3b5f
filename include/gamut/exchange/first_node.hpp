// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace gamut::exchange {

/// The first node of a rank: nodes are dealt in runs, as equal as can be, some ranks having none if there are few.
inline std::size_t first_node(std::size_t nodes, int rank, int ranks) {
    return nodes * static_cast<std::size_t>(rank) / static_cast<std::size_t>(ranks);
}

}  // namespace gamut::exchange
