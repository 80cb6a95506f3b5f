// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <vector>

#include <gamut/autodiff/arithmetic.hpp>
#include <gamut/autodiff/operations.hpp>
#include <gamut/autodiff/structure.hpp>
#include <gamut/network/concept.hpp>
#include <gamut/network/sequential.hpp>

namespace gamut::network {

/// first(x) + second(x), which must be of one shape: a residual whose shortcut has layers of its own, where positions become fewer and
/// channels more.
///
///     branches{convolution{.channels = 32, .kernel = 1, .step = 2},
///              sequential{convolution{.channels = 32, .kernel = 3, .step = 2, .border = 1}, batch_norm{}, relu{},
///                         convolution{.channels = 32, .kernel = 3, .border = 1}, batch_norm{}}}
/// He et al. 2016.
template <class First, class Second> struct branches {
    First first;
    Second second;

    constexpr branches() = default;
    constexpr branches(First a, Second b) : first(a), second(b) {}

    constexpr image out(image in) const { return out_of(second, in); }
    constexpr auto blocks(image in) const {
        std::array<block_shape, blocks_of<First> + blocks_of<Second>> all{};
        std::size_t n = 0;
        const auto take = [&](const auto& branch) {
            if constexpr (blocks_of < std::remove_cvref_t < decltype(branch) >>> 0)
                for (const block_shape& b : branch.blocks(in)) all[n++] = b;
        };
        take(first);
        take(second);
        return all;
    }
    void append_beginnings(image in, std::vector<beginning>& all) const {
        network::append_beginnings(first, in, all);
        network::append_beginnings(second, in, all);
    }

    template <class Steps, class W, class X>
    constexpr auto add(const Steps& steps, const W& w, const X& x, image in) const {
        const auto kept = autodiff::cut(steps, autodiff::keep(x));
        const auto a = add_layer(kept.steps, first, w, kept.formula, in);
        const auto b = add_layer(a.steps, second, of_second<W>{}, copy_of<W>(kept.formula), in);
        return autodiff::cut(b.steps, a.formula + b.formula);
    }
    template <class W, class X> constexpr auto operator()(const W& w, const X& x, image in) const {
        const auto kept = autodiff::keep(x);
        return first(w, kept, in) + second(of_second<W>{}, copy_of<W>(kept), in);
    }

private:
    template <class W> using of_second = typename W::template from<blocks_of<First>>;
    /// The second branch reads a copy, whose name is its own: two convolutions of one table would be one step, but for their numbers.
    template <class W, class X> static constexpr auto copy_of(const X& x) {
        return autodiff::move<1 + of_second<W>::first>(autodiff::copied{}, x);
    }
};

}  // namespace gamut::network
