// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <vector>

#include <gamut/autodiff/parameter.hpp>
#include <gamut/autodiff/program.hpp>
#include <gamut/autodiff/structure.hpp>

namespace gamut::network {

using autodiff::block_shape;
using autodiff::image;

/// The parameters of a layer, for its formula: w.matrix<0>(), w.row<1>(), ... are its blocks 0, 1, ...
template <std::size_t First> struct leaves {
    static constexpr std::size_t first = First;
    template <std::size_t I> using from = leaves<First + I>;

    template <std::size_t I> static constexpr auto matrix() {
        return autodiff::parameter<First + I, autodiff::shape::matrix>{};
    }
    template <std::size_t I> static constexpr auto vector() {
        return autodiff::parameter<First + I, autodiff::shape::vector>{};
    }
    template <std::size_t I> static constexpr auto row() {
        return autodiff::parameter<First + I, autodiff::shape::row>{};
    }
    template <std::size_t I> static constexpr auto number() {
        return autodiff::parameter<First + I, autodiff::shape::number>{};
    }
};

/// A layer is a function that returns a formula, and says its blocks of parameters:
///
///     struct dense {
///         std::size_t outputs = 10;
///         constexpr auto operator()(auto w, auto x, image) const { return x * w.template matrix<0>() + w.template row<1>(); }
///         constexpr auto blocks(image in) const { return std::array{block_shape{in.channels, outputs}, block_shape{1, outputs}}; }
///         constexpr image out(image in) const { return {in.height, in.width, outputs}; }
///     };
///
/// x is a table: for each row of the data a row per position of `in` (1 x 1 for what is no picture) with its channels.
///   blocks(in)     left out: none
///   out(in)        left out: `in`
///   begins(block)  the number that all of a block begin with; left out: 0 for rows and numbers, and for matrices and vectors
///                  what the start rule says (start.hpp)
template <class L>
concept Layer = requires(const L& layer, image in) {
    layer(leaves<0>{}, autodiff::slot<0, autodiff::shape::table, false>{}, in);
};

/// A loss is two formulas of the last layer's outputs z: loss(z), which ends with mean(...) and reads autodiff::labels, and predict(z).
///   name    what model files call a network with it, so that no other loss reads them
template <class L>
concept Loss = requires(const L& one, autodiff::slot<0, autodiff::shape::table, true> z) {
    one.loss(z);
    one.predict(z);
};
/// What model files call a network that ends in a loss of its own.
template <class L> constexpr const char* name_with() {
    constexpr bool has_name = requires { L::name; };
    static_assert(has_name, "network: a loss needs a name, by which model files tell networks apart; give it "
                            "static constexpr const char* name = \"...\"; see gamut/network/concept.hpp");
    if constexpr (has_name)
        return L::name;
    else
        return "";
}

/// How many blocks a layer has.
template <class L> inline constexpr std::size_t blocks_of = 0;
template <class L>
requires requires(const L& layer, image in) { layer.blocks(in); }
inline constexpr std::size_t blocks_of<L> =
    std::tuple_size_v<std::remove_cvref_t<decltype(std::declval<const L&>().blocks(image{}))>>;

template <class L> constexpr image out_of(const L& layer, image in) {
    if constexpr (requires { layer.out(in); })
        return layer.out(in);
    else
        return in;
}

/// A block and how it begins: all of it `value`, or, if it is drawn, by the start rule.
struct beginning {
    block_shape shape;
    double value = 0;
    bool drawn = false;
};
template <class L> void append_beginnings(const L& layer, image in, std::vector<beginning>& all) {
    if constexpr (requires { layer.append_beginnings(in, all); }) {
        layer.append_beginnings(in, all);
    } else if constexpr (blocks_of<L> > 0) {
        std::size_t b = 0;
        for (const block_shape& shape : layer.blocks(in)) {
            beginning one{shape, 0, shape.rows > 1};
            if constexpr (requires { layer.begins(b); }) one = {shape, layer.begins(b), false};
            all.push_back(one);
            ++b;
        }
    }
}

/// The formula of a layer on top of steps that are done, as steps and what is left of it.
template <class Steps, class L, class W, class X>
constexpr auto add_layer(const Steps& steps, const L& layer, const W& w, const X& x, image in) {
    if constexpr (requires { layer.add(steps, w, x, in); })
        return layer.add(steps, w, x, in);
    else
        return autodiff::cut(steps, layer(w, x, in));
}

}  // namespace gamut::network
