// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/autodiff/drawn_moves.hpp>
#include <gamut/network/concept.hpp>

namespace gamut::network {

/// In training, every picture is moved by up to `shift` positions down, up, right and left, zeros coming in, and with `flip` half of
/// them are mirrored, left for right: drawn for (seed, step, row), so anew in each epoch and the same on any rank. Where a network
/// predicts, and where the objective of all rows is looked at, pictures are as they are.
///
///     network::classifier{network::picture{28, 28}, network::augment{.shift = 2}, network::convolution{...}, ...}
///
/// After `picture`, as a rule; zeros are black where columns are as given (prepare = {.columns = data::columns::as_given}).
struct augment {
    std::size_t shift = 0;
    bool flip = false;

    constexpr auto operator()(auto, auto x, image in) const {
        return autodiff::move_at_random(autodiff::shifted{in, shift, flip}, x);
    }
};

}  // namespace gamut::network
