// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/autodiff/arithmetic.hpp>
#include <gamut/autodiff/functions.hpp>
#include <gamut/autodiff/leaf.hpp>
#include <gamut/autodiff/reduce.hpp>

namespace gamut::network {

/// Of one number: the mean over rows of (z - y)^2 / 2.
struct squared {
    constexpr auto loss(auto z) const { return mean(0.5 * square(autodiff::row_sum(z) - autodiff::labels{})); }
    constexpr auto predict(auto z) const { return z; }
};

}  // namespace gamut::network
