// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>

#include <gamut/autodiff/operations.hpp>
#include <gamut/network/concept.hpp>

namespace gamut::network {

/// x W + b: every output reads every channel, position by position (flatten a picture first). One GEMM forward, two back.
struct dense {
    std::size_t outputs = 10;

    constexpr auto operator()(auto w, auto x, image) const { return x * w.template matrix<0>() + w.template row<1>(); }
    constexpr auto blocks(image in) const {
        return std::array{block_shape{in.channels, outputs}, block_shape{1, outputs}};
    }
    constexpr image out(image in) const { return {in.height, in.width, outputs}; }
};

}  // namespace gamut::network
