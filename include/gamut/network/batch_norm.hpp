// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>

#include <gamut/autodiff/arithmetic.hpp>
#include <gamut/autodiff/functions.hpp>
#include <gamut/autodiff/operations.hpp>
#include <gamut/network/concept.hpp>

namespace gamut::network {

/// (x - mean) / sqrt(variance + epsilon) gamma + beta, channel by channel; gamma begins at 1. Mean and variance are those of the rows
/// at hand: in training a group's part of a batch, whatever the ranks (so a batch in more groups is other mathematics: one statistic
/// per group, as "ghost" batches have it). No means run along: a fitted network has those over the training rows by the weights that were
/// found, and predicts with them, so copies that meet have nothing to say about them.
/// Ioffe and Szegedy 2015.
struct batch_norm {
    double epsilon = 1e-5;

    constexpr auto operator()(auto w, auto x, image) const {
        const auto kept = autodiff::keep(x);
        const auto centred = kept - autodiff::column_mean(kept);
        const auto deviation = sqrt(autodiff::column_mean(square(centred)) + epsilon);
        return centred / deviation * w.template row<0>() + w.template row<1>();
    }
    constexpr auto blocks(image in) const {
        return std::array{block_shape{1, in.channels}, block_shape{1, in.channels}};
    }
    constexpr double begins(std::size_t block) const { return block == 0 ? 1 : 0; }
};

}  // namespace gamut::network
