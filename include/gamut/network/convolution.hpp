// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>

#include <gamut/autodiff/operations.hpp>
#include <gamut/autodiff/structure.hpp>
#include <gamut/network/concept.hpp>

namespace gamut::network {

/// Patches of kernel x kernel positions, every `step` positions, times filters: one for each of the new channels, and a bias.
/// border: so many positions of zeros around the picture. One step, forward and back: see backend/detail/convolution_products.hpp.
struct convolution {
    std::size_t channels = 8, kernel = 3, step = 1, border = 0;

    constexpr auto operator()(auto w, auto x, image in) const {
        return autodiff::move(patches(in), x) * w.template matrix<0>() + w.template row<1>();
    }
    constexpr auto blocks(image in) const {
        return std::array{block_shape{kernel * kernel * in.channels, channels}, block_shape{1, channels}};
    }
    constexpr image out(image in) const { return {patches(in).out().height, patches(in).out().width, channels}; }

private:
    constexpr autodiff::patches patches(image in) const { return {in, kernel, step, border}; }
};

}  // namespace gamut::network
