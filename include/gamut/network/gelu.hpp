// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/autodiff/functions.hpp>
#include <gamut/network/concept.hpp>

namespace gamut::network {

/// x times the normal distribution function of x. Hendrycks and Gimpel 2016.
struct gelu {
    constexpr auto operator()(auto, auto x, image) const { return autodiff::gelu(x); }
};

}  // namespace gamut::network
