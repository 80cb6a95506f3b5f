// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>
#include <utility>

#include <gamut/autodiff/arithmetic.hpp>
#include <gamut/backend/array.hpp>
#include <gamut/core/error.hpp>

/// What a gradient becomes before it is a step: a rule turns the gradient g at the weights w into a direction d, and whoever
/// calls it steps by  w = w - rate d.
///
/// A rule is written for one weight and remembers `slots` numbers about it. One weight knows nothing of another, so a rule
/// on a piece of the weights gives the bits of the same rule on all of them: on one process, on nodes, on servers, on ZeRO's
/// pieces. A rule says
///
///     static constexpr std::size_t slots;          numbers remembered per weight; 0 at the beginning
///     at<T>(step)                                  step k = 1, 2, ...; returns what is called as
///     (w, g, memory)                               g becomes the direction; memory[0] ... memory[slots - 1]
///
/// where w, g and memory[s] are numbers of type T, or arrays of a backend in a solver: the lines are the same. What depends on
/// the step alone is computed once, in `at`. A rule that needs the length of the whole gradient (clip) has at<T>(step, length).
///
/// Optional: `adaptive` (true: each weight has a step length of its own); gain() (a gradient g that stays the same becomes the
/// direction gain g in the end; 1 if not said); validate(), which throws option_error.
namespace gamut::update {

/// The rule depends on |gradient| over all weights, which who holds a piece of them must ask the others for.
template <class U, class T = double>
concept NeedsLength = requires(const U& u, std::size_t step, double length, const T& w, T& g, T* memory) {
    u.template at<T>(step, length)(w, g, memory);
};

template <class U, class T = double>
concept Update = requires {
    { std::integral_constant<std::size_t, U::slots>::value } -> std::convertible_to<std::size_t>;
}
&&(NeedsLength<U, T> ||
   requires(const U& u, std::size_t step, const T& w, T& g, T* memory) { u.template at<T>(step)(w, g, memory); });

/// The direction is not a sum of gradients: weights with small gradients take longer steps. A prox, whose step is one number
/// for all weights, does not fit it.
template <class U> inline constexpr bool is_adaptive = requires { requires U::adaptive; };

/// What a gradient that stays the same is multiplied by in the end: a prox must take steps of rate gain, or it would weigh less
/// than the gradients.
template <class U> double gain(const U& rule) {
    if constexpr (requires { rule.gain(); })
        return rule.gain();
    else
        return 1;
}

/// Checks the options of a rule that has a `validate`; throws option_error.
template <class U> void validate(const U& rule) {
    if constexpr (requires { rule.validate(); }) rule.validate();
}

namespace detail {

/// Throws option_error unless 0 <= value < 1.
inline void check_decay(const char* rule, const char* option, double value, const char* suggestion) {
    if (!(value >= 0 && value < 1))
        throw core::option_error(core::text("update::", rule, ": ", option, " is ", value,
                                            " (it must be at least 0 and below 1) try ", suggestion));
}

/// Throws option_error unless value is finite and above 0.
inline void check_positive(const char* rule, const char* option, double value, const char* suggestion) {
    if (!(value > 0 && std::isfinite(value)))
        throw core::option_error(core::text("update::", rule, ": ", option, " is ", value,
                                            " (it must be finite and above 0) try ", suggestion));
}

/// 1 / (1 - decay^step): a mean that began at 0 is too small by the inverse of this.
inline double correction(double decay, std::size_t step) {
    return 1 / (1 - std::pow(decay, static_cast<double>(step)));
}

/// The larger of two numbers or, entry by entry, of two arrays; a NaN in b is not hidden.
template <std::floating_point T> constexpr T larger(T a, T b) { return a > b ? a : b; }
template <autodiff::Elementwise A> auto larger(const A& a, const A& b) { return autodiff::choose(a > b, a, b); }

template <class T, class U> auto at(const U& rule, std::size_t step, double length) {
    if (step < 1)
        throw core::option_error("update: step is 0 (steps are counted from 1) pass 1 with the first gradient");
    if constexpr (NeedsLength<U, T>)
        return rule.template at<T>(step, length);
    else
        return rule.template at<T>(step);
}

}  // namespace detail

/// The gradient becomes a direction, in place, for all weights or a piece of them.
///   step      1, 2, ...
///   weights   n numbers, where the gradient was taken
///   gradient  n numbers; on return the direction d of  w = w - rate d
///   memory    slots x n numbers, row-major: slot s of weight j is memory[s n + j]; zeros before step 1
///   length    |gradient| over all weights, pieces elsewhere included; read by rules that NeedsLength only
/// One pass. Not a number in, not a number out. Throws shape_error for sizes that do not fit, option_error for step 0.
template <class T, Update<T> U>
void direct(const U& rule, std::size_t step, double length, std::span<const T> weights, std::span<T> gradient,
            std::span<T> memory) {
    const std::size_t n = gradient.size();
    if (weights.size() != n || memory.size() != U::slots * n)
        throw core::shape_error(core::text("update: ", n, " gradients and ", memory.size(), " numbers of memory for ",
                                           weights.size(), " weights (", U::slots,
                                           " are remembered per weight) sizes must fit"));
    const auto now = detail::at<T>(rule, step, length);
    const T* const w = weights.data();
    T* const g = gradient.data();
    T* const m = memory.data();
#if defined(__clang__)
#    pragma clang loop vectorize(assume_safety)
#else
#    pragma GCC ivdep
#endif
    for (std::size_t j = 0; j < n; ++j) {
        std::array<T, U::slots> slots{};
        for (std::size_t s = 0; s < U::slots; ++s) slots[s] = m[s * n + j];
        T d = g[j];
        now(w[j], d, slots.data());
        g[j] = d;
        for (std::size_t s = 0; s < U::slots; ++s) m[s * n + j] = slots[s];
    }
}

/// The same for a rule that looks at one weight only.
template <class T, Update<T> U>
requires(!NeedsLength<U, T>) void direct(const U& rule, std::size_t step, std::span<const T> weights,
                                         std::span<T> gradient, std::span<T> memory) {
    direct<T>(rule, step, 0, weights, gradient, memory);
}

/// The same on arrays of any backend; memory: as many arrays as the rule has slots, zeros before step 1. One pass for each
/// line of the rule. A rule that needs the length is given that of `gradient`, which must be the whole.
template <class B, class U>
requires Update<U, typename B::value_type>
void direct(const U& rule, std::size_t step, const backend::array<B>& weights, backend::array<B>& gradient,
            std::array<backend::array<B>, U::slots>& memory) {
    using T = typename B::value_type;
    double length = 0;
    if constexpr (NeedsLength<U, T>) length = backend::norm(gradient);
    detail::at<T>(rule, step, length)(weights, gradient, memory.data());
}

}  // namespace gamut::update
