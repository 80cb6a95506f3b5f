// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#include <gamut/compressor/concept.hpp>
#include <gamut/core/random.hpp>

namespace gamut::compressor::detail {

/// Draws of their own for every round, and for every node where nodes must not draw alike.
inline core::random draws(std::uint64_t seed, turn which, std::uint64_t purpose) {
    return {.seed = core::random{.seed = seed, .stream = which.node}.bits(which.round), .stream = purpose};
}

}  // namespace gamut::compressor::detail
