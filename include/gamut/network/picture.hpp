// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/network/concept.hpp>

namespace gamut::network {

/// The data are pictures: the columns are height x width positions, row by row, of so many channels each. The first layer of a network
/// of convolutions; it computes nothing.
struct picture {
    std::size_t height = 28, width = 28, channels = 1;

    constexpr auto operator()(auto, auto x, image) const { return x; }
    constexpr image out(image) const { return {height, width, channels}; }
};

}  // namespace gamut::network
