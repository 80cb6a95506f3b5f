// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/autodiff/functions.hpp>
#include <gamut/network/concept.hpp>

namespace gamut::network {

/// max(x, 0).
struct relu {
    constexpr auto operator()(auto, auto x, image) const { return autodiff::relu(x); }
};

}  // namespace gamut::network
