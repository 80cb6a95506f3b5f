// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/autodiff/operations.hpp>
#include <gamut/network/concept.hpp>

namespace gamut::network {

/// In training, 0 with probability `rate`, else x / (1 - rate); drawn for (seed, step, row, output), so the same on any rank.
/// Srivastava et al. 2014.
struct dropout {
    double rate = 0.5;
    constexpr auto operator()(auto, auto x, image) const { return autodiff::dropout(x, rate); }
};

}  // namespace gamut::network
