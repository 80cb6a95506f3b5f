// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/autodiff/operations.hpp>
#include <gamut/network/concept.hpp>

namespace gamut::network {

/// All positions of a picture side by side: what a dense layer reads.
struct flatten {
    constexpr auto operator()(auto, auto x, image) const { return autodiff::flatten(x); }
    constexpr image out(image in) const { return {1, 1, in.size()}; }
};

}  // namespace gamut::network
