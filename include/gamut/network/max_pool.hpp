// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/autodiff/operations.hpp>
#include <gamut/autodiff/structure.hpp>
#include <gamut/network/concept.hpp>

namespace gamut::network {

/// The largest of each window x window positions, every `step`, channel by channel; the derivative goes to the first of equals.
struct max_pool {
    std::size_t window = 2, step = window;

    constexpr auto operator()(auto, auto x, image in) const {
        return autodiff::move(autodiff::largest{in, window, step}, x);
    }
    constexpr image out(image in) const { return autodiff::largest{in, window, step}.out(); }
};

}  // namespace gamut::network
