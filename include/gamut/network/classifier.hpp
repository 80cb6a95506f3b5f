// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/network/cross_entropy.hpp>
#include <gamut/network/feedforward.hpp>

namespace gamut::network {

/// A network that tells classes apart by cross-entropy; its last layer has an output for each:
///
///     network::classifier{network::dense{128}, network::relu{}, network::dense{10}}
template <class... Layers> struct classifier : feedforward<cross_entropy, Layers...> {
    static constexpr const char* name = "network classifier";
    static constexpr bool classification = true;

    constexpr classifier() = default;
    constexpr explicit classifier(Layers... all) : feedforward<cross_entropy, Layers...>(all...) {}

    constexpr std::size_t outputs(std::size_t classes) const { return classes; }
};
/// By another loss, which is named first:
///
///     network::classifier{network::hinge{}, network::dense{128}, network::relu{}, network::dense{10}}
template <Loss L, class... Layers> struct classifier<L, Layers...> : feedforward<L, Layers...> {
    static constexpr const char* name = name_with<L>();
    static constexpr bool classification = true;

    constexpr classifier() = default;
    constexpr explicit classifier(L, Layers... all) : feedforward<L, Layers...>(all...) {}

    constexpr std::size_t outputs(std::size_t classes) const { return classes; }
};
template <class... Layers> classifier(Layers...) -> classifier<Layers...>;

}  // namespace gamut::network
