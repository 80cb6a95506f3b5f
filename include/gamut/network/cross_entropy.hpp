// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/autodiff/arithmetic.hpp>
#include <gamut/autodiff/leaf.hpp>
#include <gamut/autodiff/reduce.hpp>
#include <gamut/autodiff/row_functions.hpp>

namespace gamut::network {

/// Of classes: the mean over rows of log sum_k exp(z_k) - z_y. Predicts the probabilities exp(z) / sum_k exp(z_k).
struct cross_entropy {
    constexpr auto loss(auto z) const { return mean(autodiff::log_sum_exp(z) - autodiff::pick(z, autodiff::labels{})); }
    constexpr auto predict(auto z) const { return autodiff::softmax(z); }
};

}  // namespace gamut::network
