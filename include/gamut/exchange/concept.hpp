// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <vector>

#include <gamut/topology/concept.hpp>

namespace gamut::exchange {

/// A method of meeting: what copies of the weights on nodes do in one step, and when and how they meet.
///     struct method {
///         template <class A, class N> struct state {          A: array of weights, N: nodes
///             state(const method&, const N& nodes, const A& start);
///             void round(double rate, gradient);              gradient(i, w, g) puts the gradient of this rank's i-th node at w
///                                                             into g, and never communicates
///             std::vector<A>& copies();                       the weights of this rank's nodes
///         };
///     };
/// It may say:
///     static constexpr bool takes_directions = true;          round(rate, gradient, direct): direct(i, w, g) may turn g into
///                                                             another direction, and copies may be changed between rounds (prox)
/// and its state:
///     void whole(A& weights);                                 the weights of all, where they are not the mean of the copies
///                                                             (subnets); collective
///     bool met(); at_meeting memory();                        see periodic.hpp
///     void settle();                                          collective, where nobody waits: all that was sent is in the copies;
///                                                             such methods cannot be resumed
/// All ranks call round together. Each state must be the same for any number of ranks.
template <class M, class A, class N> using state_of = typename M::template state<A, N>;

template <class M, class A, class N>
concept Method = std::constructible_from < state_of<M, A, N>,
const M&, const N&, const A& > &&requires(state_of<M, A, N>& state, void (*gradient)(std::size_t, const A&, A&)) {
    state.round(0.1, gradient);
    { state.copies() } -> std::same_as<std::vector<A>&>;
};

template <class M> inline constexpr bool takes_directions = false;
template <class M>
requires requires { M::takes_directions; }
inline constexpr bool takes_directions<M> = M::takes_directions;

/// The gradient is the direction.
struct as_is {
    template <class A> void operator()(std::size_t, const A&, A&) const {}
};

}  // namespace gamut::exchange
