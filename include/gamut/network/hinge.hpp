// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/autodiff/arithmetic.hpp>
#include <gamut/autodiff/leaf.hpp>
#include <gamut/autodiff/reduce.hpp>
#include <gamut/autodiff/row_functions.hpp>

namespace gamut::network {

/// Of classes: the mean over rows of max over k of (z_k + [k is not y]) - z_y. It is 0 at rows whose own class is ahead of every other by
/// 1 or more. Predicts the scores z, whose largest is the class; they are no probabilities, and of what they are nothing can be said
/// but their order (cross_entropy is for those who want more).
///
///     network::classifier{network::hinge{}, network::dense{64}, network::relu{}, network::dense{10}}
///
/// It has corners; there the derivative is that of the first of equals. Crammer and Singer, On the algorithmic implementation of
/// multiclass kernel-based vector machines, JMLR 2 (2001).
struct hinge {
    static constexpr const char* name = "network classifier by hinge";

    constexpr auto loss(auto z) const {
        constexpr autodiff::labels y;
        return mean(autodiff::row_max(z - autodiff::one_hot(y)) + 1 - autodiff::pick(z, y));
    }
    constexpr auto predict(auto z) const { return z; }
};

}  // namespace gamut::network
