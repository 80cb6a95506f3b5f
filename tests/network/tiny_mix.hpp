// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

/// TinyMix-10: ten classes of three Gaussian modes each in 20 dimensions, their coordinates 1.15 N(0, 1), unit noise. Parts 0 and 1 of
/// a seed have the same modes.
template <class T = double> auto tiny_mix(std::size_t rows, std::uint64_t seed, std::uint64_t part) {
    constexpr std::size_t dimension = 20;
    gamut::backend::dense_matrix<T> x(rows, dimension);
    std::vector<double> y;
    const gamut::core::random modes{seed, 1}, noise{seed, 2 + 2 * part}, which{seed, 3 + 2 * part};
    for (std::size_t i = 0; i < rows; ++i) {
        const std::size_t mode = which.below(i, 30);
        y.push_back(static_cast<double>(mode / 3));
        for (std::size_t j = 0; j < dimension; ++j)
            x(i, j) = static_cast<T>(1.15 * modes.normal(mode * dimension + j) + noise.normal(i * dimension + j));
    }
    return gamut::data::arrays(std::move(x), y);
}
