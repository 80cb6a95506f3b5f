// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>

#include <gamut/autodiff/arithmetic.hpp>
#include <gamut/autodiff/functions.hpp>
#include <gamut/autodiff/operations.hpp>
#include <gamut/autodiff/row_functions.hpp>
#include <gamut/network/concept.hpp>

namespace gamut::network {

/// (x - mean) / sqrt(variance + epsilon) gamma + beta, mean and variance over the channels of each position alone; gamma begins at 1.
/// Ba, Kiros and Hinton 2016.
struct layer_norm {
    double epsilon = 1e-5;

    constexpr auto operator()(auto w, auto x, image) const {
        const auto kept = autodiff::keep(x);
        const auto centred = autodiff::keep(kept - autodiff::row_mean(kept));
        const auto deviation = sqrt(autodiff::row_mean(square(centred)) + epsilon);
        return centred / deviation * w.template row<0>() + w.template row<1>();
    }
    constexpr auto blocks(image in) const {
        return std::array{block_shape{1, in.channels}, block_shape{1, in.channels}};
    }
    constexpr double begins(std::size_t block) const { return block == 0 ? 1 : 0; }
};

}  // namespace gamut::network
