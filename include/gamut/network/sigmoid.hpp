// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/autodiff/functions.hpp>
#include <gamut/network/concept.hpp>

namespace gamut::network {

/// 1 / (1 + exp(-x)).
struct sigmoid {
    constexpr auto operator()(auto, auto x, image) const { return autodiff::sigmoid(x); }
};

}  // namespace gamut::network
