// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include <gamut/autodiff/concept.hpp>
#include <gamut/autodiff/cutting.hpp>
#include <gamut/autodiff/operations.hpp>
#include <gamut/autodiff/steps.hpp>

/// A formula as a straight line of steps. What has no value at one row and output alone (a product with a block of parameters, a
/// patch or a maximum over neighbours, a mean over rows) is a step; its result is a slot; what lies between is elementwise and is
/// evaluated where it is read. `cut` finds the steps, each once however often a formula writes it: a step's type is its name.
namespace gamut::autodiff {

/// The steps of a formula, and what is left of it when they are done: a total (a loss), or the slot of its values.
template <class Result, class... Step> struct program {
    std::tuple<Step...> steps;
    Result result;
    static constexpr std::size_t size = sizeof...(Step);
};

namespace detail {

template <class Steps, class E, std::size_t... I>
constexpr auto as_program(const cutting<Steps, E>& done, std::index_sequence<I...>) {
    using result = program<E, std::remove_cvref_t<decltype(step_at<I>(done.steps))>...>;
    return result{{step_at<I>(done.steps)...}, done.formula};
}

}  // namespace detail

/// Where some steps are done already (nothing() at first), the steps of the next formula, and what is left of it: how a network is
/// put together, layer by layer, with types that stay short.
constexpr detail::no_steps nothing() { return {}; }
template <class Steps, Expression E> constexpr auto cut(const Steps& steps, const E& formula) {
    return detail::cut_formula(steps, formula.node());
}

/// A program of what cut(steps, formula) returned. Its result, unless it is a total, gets a slot of its own.
template <class Steps, class E> constexpr auto finish(const detail::cutting<Steps, E>& done) {
    if constexpr (shape_of<E> == shape::total) {
        return detail::as_program(done, std::make_index_sequence<Steps::size>());
    } else {
        const auto kept = detail::in_memory(done.steps, done.formula);
        return detail::as_program(kept, std::make_index_sequence<decltype(kept.steps)::size>());
    }
}

/// A formula as a program.
template <Expression E> constexpr auto cut(const E& formula) { return finish(cut(nothing(), formula)); }

namespace detail {
template <class Step> inline constexpr place_set block_of_step{};
template <class A, std::size_t B, shape F, bool T>
inline constexpr place_set block_of_step<product_step<A, B, F, T>> = place_set::of(B);
template <class A, std::size_t B, std::size_t T>
inline constexpr place_set block_of_step<convolution_step<A, B, T>> = place_set::of(B);
template <class A, std::size_t B> inline constexpr place_set block_of_step<lookup_step<A, B>> = place_set::of(B);
}  // namespace detail

/// The blocks that a program multiplies by, or looks up: what penalties see.
template <class Program> inline constexpr place_set multiplied_blocks{};
template <class Result, class... Step>
inline constexpr place_set multiplied_blocks<program<Result, Step...>> = (detail::block_of_step<Step> | ... |
                                                                          place_set{});

}  // namespace gamut::autodiff
