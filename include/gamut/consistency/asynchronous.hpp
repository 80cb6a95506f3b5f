// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <gamut/consistency/concept.hpp>

namespace gamut::consistency {

/// What is there is what is read, and every update is applied when it comes: nobody waits for another worker, and no two
/// runs need have the same bits. Each update knows how many came between its reading and its writing.
/// Dean et al., Large scale distributed deep networks, NIPS 2012.
struct asynchronous {
    static constexpr bool needs_letters = true, needs_clock = false, needs_server = false;

    std::uint64_t oldest(std::uint64_t) const { return 0; }
    std::size_t quorum(std::size_t) const { return 1; }
    bool pushed() const { return false; }
    void validate(std::size_t) const {}
};

static_assert(Consistency<asynchronous>);

}  // namespace gamut::consistency
