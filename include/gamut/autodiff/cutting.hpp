// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <type_traits>

#include <gamut/autodiff/concept.hpp>
#include <gamut/autodiff/node.hpp>
#include <gamut/autodiff/steps.hpp>
#include <gamut/autodiff/structure.hpp>
#include <gamut/core/error.hpp>

/// How a formula is taken apart into steps; see program.hpp. A node that is a step of its own has
///     make_step(steps)      what cut_formula returns for it
namespace gamut::autodiff {

namespace detail {

/// Steps in the order in which they are done. A list, so that one more is one more type.
struct no_steps {
    static constexpr std::size_t size = 0;
};
template <class Before, class Step> struct list_of_steps {
    Before before;
    Step last;
    static constexpr std::size_t size = Before::size + 1;
};

template <class E> inline constexpr bool is_slot = false;
template <std::size_t I, shape F, bool A> inline constexpr bool is_slot<slot<I, F, A>> = true;

/// Steps, and a formula that reads their slots.
template <class Steps, class E> struct cutting {
    Steps steps;
    E formula;
};

template <class Step, class Steps> inline constexpr std::size_t place_of = place_set::most;
template <class Step, class Before, class Last>
inline constexpr std::size_t place_of<Step, list_of_steps<Before, Last>> =
    std::is_same_v<Step, Last> ? Before::size : place_of<Step, Before>;
template <std::size_t I, class Before, class Last> constexpr const auto& step_at(const list_of_steps<Before, Last>& s) {
    if constexpr (I == Before::size)
        return s.last;
    else
        return step_at<I>(s.before);
}

template <class Steps, class Step> constexpr auto append(const Steps& steps, const Step& step) {
    constexpr std::size_t known = place_of<Step, Steps>;
    constexpr std::size_t place = known < place_set::most ? known : Steps::size;
    static_assert(place < place_set::most, "formula: more than 256 steps; cut it into several");
    using result = slot<place, Step::form, Step::active>;
    if constexpr (known < place_set::most) {
        if (!same(step_at<place>(steps), step))
            throw core::option_error(
                "formula: two of its parts differ in a number only (steps are told apart by their types) give one of "
                "them a name of its own, such as keep<1>(...)");
        return cutting<Steps, result>{steps, {}};
    } else {
        return cutting<list_of_steps<Steps, Step>, result>{{steps, step}, {}};
    }
}

template <class Steps, class E> constexpr auto cut_formula(const Steps& steps, const E& e);

/// The operands one after another; then `make` of what is left of them.
template <class Steps, class Make> constexpr auto cut_all(const Steps& steps, const Make& make) {
    const auto made = make();
    return cutting<Steps, std::remove_const_t<decltype(made)>>{steps, made};
}
template <class Steps, class Make, class E, class... More>
constexpr auto cut_all(const Steps& steps, const Make& make, const E& first, const More&... more) {
    const auto done = cut_formula(steps, first);
    return cut_all(
        done.steps, [&](const auto&... others) { return make(done.formula, others...); }, more...);
}

/// Row-wise reductions become slots, too: what reads them is elementwise.
template <class Steps, class E> constexpr auto cut_reductions(const Steps& steps, const E& e);
template <class Steps, class Make> constexpr auto cut_all_reductions(const Steps& steps, const Make& make) {
    return cut_all(steps, make);
}
template <class Steps, class Make, class E, class... More>
constexpr auto cut_all_reductions(const Steps& steps, const Make& make, const E& first, const More&... more) {
    const auto done = cut_reductions(steps, first);
    return cut_all_reductions(
        done.steps, [&](const auto&... others) { return make(done.formula, others...); }, more...);
}
template <class Steps, class E> constexpr auto cut_reductions(const Steps& steps, const E& e) {
    if constexpr (!reads_of<E>.row_wise)
        return cutting<Steps, E>{steps, e};
    else if constexpr (is_row_wise<E>())
        return append(steps, formula_step<E, 0>{e});
    else
        return e.children([&](const auto&... parts) {
            return cut_all_reductions(
                steps, [&](const auto&... cut) { return e.with(cut...); }, parts...);
        });
}

/// A formula whose reductions a kernel along the outputs need not know.
template <class Steps, class E> constexpr auto elementwise(const Steps& steps, const E& e) {
    if constexpr (shape_of<E> == shape::rows)
        return cutting<Steps, E>{steps, e};
    else
        return cut_reductions(steps, e);
}

/// An operand that a step can read from memory.
template <std::size_t Tag = 0, class Steps, class E> constexpr auto in_memory(const Steps& steps, const E& e) {
    if constexpr (is_slot<E> || std::is_same_v<E, inputs>) {
        return cutting<Steps, E>{steps, e};
    } else {
        const auto simple = elementwise(steps, e);
        using formula = std::remove_cvref_t<decltype(simple.formula)>;
        return append(simple.steps, formula_step<formula, Tag>{simple.formula});
    }
}

template <class Steps, class E> constexpr auto cut_formula(const Steps& steps, const E& e) {
    if constexpr (std::is_same_v<E, inputs>)
        return append(steps, structure_step<copied, inputs, 0>{});
    else if constexpr (requires { e.make_step(steps); })
        return e.make_step(steps);
    else if constexpr (requires { typename E::parts; })
        return e.children([&](const auto&... parts) {
            return cut_all(
                steps, [&](const auto&... cut) { return e.with(cut...); }, parts...);
        });
    else
        return cutting<Steps, E>{steps, e};
}

/// An operand of a step: a formula in memory; the data as they are.
template <std::size_t Tag, class Steps, class E> constexpr auto cut_operand(const Steps& steps, const E& e) {
    if constexpr (std::is_same_v<E, inputs>) {
        return cutting<Steps, E>{steps, e};
    } else {
        const auto done = cut_formula(steps, e);
        return in_memory<Tag>(done.steps, done.formula);
    }
}

}  // namespace detail

}  // namespace gamut::autodiff
