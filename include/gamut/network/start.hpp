// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gamut/core/random.hpp>
#include <gamut/network/concept.hpp>

namespace gamut::network {

/// How matrices begin: normal numbers with variance
///   he       2 / rows               for relu. He et al. 2015
///   glorot   2 / (rows + columns)   for tanh and sigmoid. Glorot and Bengio 2010
enum class start_rule { he, glorot };

/// The first parameters, block after block, drawn for (seed, block, number within it): the same anywhere.
template <class T> std::vector<T> start(const std::vector<beginning>& blocks, start_rule rule, std::uint64_t seed) {
    std::vector<T> w;
    for (std::size_t b = 0; b < blocks.size(); ++b) {
        const auto& [shape, value, drawn] = blocks[b];
        const auto fan = static_cast<double>(rule == start_rule::he ? shape.rows : shape.rows + shape.columns);
        const core::random draw{seed, 1000 + b};
        for (std::size_t i = 0; i < shape.size(); ++i)
            w.push_back(static_cast<T>(drawn ? std::sqrt(2 / fan) * draw.normal(i) : value));
    }
    return w;
}
/// The same for blocks that no layer made: rows and numbers begin at 0.
template <class T>
std::vector<T> start(const std::vector<block_shape>& shapes, start_rule rule = start_rule::he, std::uint64_t seed = 1) {
    std::vector<beginning> blocks;
    for (const block_shape& shape : shapes) blocks.push_back({shape, 0, shape.rows > 1});
    return start<T>(blocks, rule, seed);
}

}  // namespace gamut::network
