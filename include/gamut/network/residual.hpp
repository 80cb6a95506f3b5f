// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <vector>

#include <gamut/autodiff/arithmetic.hpp>
#include <gamut/autodiff/operations.hpp>
#include <gamut/network/concept.hpp>
#include <gamut/network/sequential.hpp>

namespace gamut::network {

/// x + layers(x): what the layers make must have the shape of what they read. He et al. 2016.
template <class... Layers> struct residual {
    sequential<Layers...> layers;

    constexpr residual() = default;
    constexpr explicit residual(Layers... all) : layers(all...) {}

    constexpr auto blocks(image in) const { return layers.blocks(in); }
    constexpr image out(image in) const { return layers.out(in); }
    void append_beginnings(image in, std::vector<beginning>& all) const { layers.append_beginnings(in, all); }

    template <class Steps, class W, class X>
    constexpr auto add(const Steps& steps, const W& w, const X& x, image in) const {
        const auto kept = autodiff::cut(steps, autodiff::keep(x));
        const auto made = layers.add(kept.steps, w, kept.formula, in);
        return autodiff::cut(made.steps, kept.formula + made.formula);
    }
    template <class W, class X> constexpr auto operator()(const W& w, const X& x, image in) const {
        const auto kept = autodiff::keep(x);
        return kept + layers(w, kept, in);
    }
};

}  // namespace gamut::network
