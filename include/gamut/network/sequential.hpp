// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <tuple>
#include <utility>
#include <vector>

#include <gamut/autodiff/program.hpp>
#include <gamut/network/concept.hpp>

namespace gamut::network {

/// Layers, each of which reads what the one before it makes. They are cut one by one, so that types stay short; numbers in layers
/// (sizes, rates) are fixed when the formula is made.
template <class... Layers> struct sequential {
    std::tuple<Layers...> layers;

    constexpr sequential() = default;
    constexpr explicit sequential(Layers... all) : layers(all...) {}

    constexpr image out(image in) const {
        std::apply([&](const auto&... layer) { ((in = out_of(layer, in)), ...); }, layers);
        return in;
    }
    constexpr auto blocks(image in) const {
        std::array<block_shape, (blocks_of<Layers> + ... + 0)> all{};
        std::size_t n = 0;
        const auto take = [&](const auto& layer) {
            if constexpr (blocks_of < std::remove_cvref_t < decltype(layer) >>> 0)
                for (const block_shape& b : layer.blocks(in)) all[n++] = b;
            in = out_of(layer, in);
        };
        std::apply([&](const auto&... layer) { (take(layer), ...); }, layers);
        return all;
    }
    void append_beginnings(image in, std::vector<beginning>& all) const {
        std::apply(
            [&](const auto&... layer) { ((network::append_beginnings(layer, in, all), in = out_of(layer, in)), ...); },
            layers);
    }
    template <class Steps, class W, class X>
    constexpr auto add(const Steps& steps, const W& w, const X& x, image in) const {
        return add_from<0>(steps, w, x, in);
    }
    /// As one formula, for those that are no network.
    template <class W, class X> constexpr auto operator()(const W& w, const X& x, image in) const {
        return formula_from<0>(w, x, in);
    }

private:
    template <std::size_t I> using layer_type = std::tuple_element_t<I, std::tuple<Layers...>>;

    template <std::size_t I, class Steps, class W, class X>
    constexpr auto add_from(const Steps& steps, const W& w, const X& x, image in) const {
        const auto& layer = std::get<I>(layers);
        static_assert(Layer<layer_type<I>>, "network: a layer needs operator()(w, x, in) that returns a formula; see "
                                            "gamut/network/concept.hpp");
        const auto next = add_layer(steps, layer, w, x, in);
        if constexpr (I + 1 == sizeof...(Layers))
            return next;
        else
            return add_from<I + 1>(next.steps, typename W::template from<blocks_of<layer_type<I>>>{}, next.formula,
                                   out_of(layer, in));
    }
    template <std::size_t I, class W, class X> constexpr auto formula_from(const W& w, const X& x, image in) const {
        const auto& layer = std::get<I>(layers);
        const auto next = layer(w, x, in);
        if constexpr (I + 1 == sizeof...(Layers))
            return next;
        else
            return formula_from<I + 1>(typename W::template from<blocks_of<layer_type<I>>>{}, next, out_of(layer, in));
    }
};

}  // namespace gamut::network
