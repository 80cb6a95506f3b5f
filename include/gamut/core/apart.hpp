// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace gamut::core {

/// The dependency check of a schedule: those of the candidates, in their order, that conflict with nobody chosen before are chosen, too,
/// until `most` are. What is chosen together may be worked on at the same time: coordinates whose columns hardly correlate
/// (solver/selection.hpp), or a node and a block of words, of columns that no other node has meanwhile (communicator/rotation.hpp).
///     conflict(candidate, other)      symmetric
/// At most candidates times `most` calls.   Kim, Ho, Lee, Zheng, Dai, Gibson and Xing, STRADS, EuroSys 2016.
template <class Conflict>
void choose_apart(std::span<const std::size_t> candidates, std::size_t most, std::vector<std::size_t>& chosen,
                  Conflict&& conflict) {
    for (const std::size_t candidate : candidates) {
        if (chosen.size() >= most) return;
        if (std::none_of(chosen.begin(), chosen.end(), [&](std::size_t other) { return conflict(candidate, other); }))
            chosen.push_back(candidate);
    }
}

}  // namespace gamut::core
