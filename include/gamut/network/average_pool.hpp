// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/autodiff/operations.hpp>
#include <gamut/autodiff/structure.hpp>
#include <gamut/network/concept.hpp>

namespace gamut::network {

/// The mean of each window x window positions, every `step`, channel by channel.
struct average_pool {
    std::size_t window = 2, step = window;

    constexpr auto operator()(auto, auto x, image in) const {
        return autodiff::move(autodiff::averaged{in, window, step}, x);
    }
    constexpr image out(image in) const { return autodiff::averaged{in, window, step}.out(); }
};

}  // namespace gamut::network
