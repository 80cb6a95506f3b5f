// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/network/feedforward.hpp>
#include <gamut/network/squared.hpp>

namespace gamut::network {

/// A network that predicts a number by least squares; its last layer has one output.
template <class... Layers> struct regressor : feedforward<squared, Layers...> {
    static constexpr const char* name = "network regressor";

    constexpr regressor() = default;
    constexpr explicit regressor(Layers... all) : feedforward<squared, Layers...>(all...) {}
};
/// By another loss, which is named first.
template <Loss L, class... Layers> struct regressor<L, Layers...> : feedforward<L, Layers...> {
    static constexpr const char* name = name_with<L>();

    constexpr regressor() = default;
    constexpr explicit regressor(L, Layers... all) : feedforward<L, Layers...>(all...) {}
};
template <class... Layers> regressor(Layers...) -> regressor<Layers...>;

}  // namespace gamut::network
