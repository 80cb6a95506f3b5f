// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/autodiff/functions.hpp>
#include <gamut/network/concept.hpp>

namespace gamut::network {

/// The hyperbolic tangent.
struct tanh {
    constexpr auto operator()(auto, auto x, image) const { return autodiff::tanh(x); }
};

}  // namespace gamut::network
