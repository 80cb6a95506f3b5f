// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/autodiff/concept.hpp>
#include <gamut/autodiff/functions.hpp>
#include <gamut/autodiff/leaf.hpp>
#include <gamut/autodiff/node.hpp>
#include <gamut/autodiff/parameter.hpp>

/// Operators of formulas: + - * / between expressions and numbers, comparisons, choose, min, max.
/// left and right are the operation's rules of differentiation: adjoint times the partial derivative.
namespace gamut::autodiff {

struct addition {
    static constexpr shape form(shape a, shape b) { return combine(a, b); }
    template <class V> static constexpr V value(const V& a, const V& b) { return a + b; }
    template <class V> static constexpr V left(const V&, const V&, const V&, const V& adjoint) { return adjoint; }
    template <class V> static constexpr V right(const V&, const V&, const V&, const V& adjoint) { return adjoint; }
};

struct subtraction {
    static constexpr shape form(shape a, shape b) { return combine(a, b); }
    template <class V> static constexpr V value(const V& a, const V& b) { return a - b; }
    template <class V> static constexpr V left(const V&, const V&, const V&, const V& adjoint) { return adjoint; }
    template <class V> static constexpr V right(const V&, const V&, const V&, const V& adjoint) { return -adjoint; }
};

struct multiplication {
    static constexpr shape form(shape a, shape b) {
        if (a == shape::total || b == shape::total)
            return a == shape::scalar || b == shape::scalar ? shape::total : shape::invalid;
        return combine(a, b);
    }
    template <class V> static constexpr V value(const V& a, const V& b) { return a * b; }
    template <class V> static constexpr V left(const V&, const V& b, const V&, const V& adjoint) { return adjoint * b; }
    template <class V> static constexpr V right(const V& a, const V&, const V&, const V& adjoint) {
        return adjoint * a;
    }
};

struct division {
    static constexpr shape form(shape a, shape b) {
        if (a == shape::total || b == shape::total)
            return a == shape::total && b == shape::scalar ? shape::total : shape::invalid;
        return combine(a, b);
    }
    template <class V> static constexpr V value(const V& a, const V& b) { return a / b; }
    template <class V> static constexpr V left(const V&, const V& b, const V&, const V& adjoint) { return adjoint / b; }
    template <class V> static constexpr V right(const V&, const V& b, const V& f, const V& adjoint) {
        return -adjoint * f / b;
    }
};

/// The smaller of two values; where they are equal the derivative goes to the left one.
struct minimum {
    static constexpr shape form(shape a, shape b) {
        return a == shape::total || b == shape::total ? shape::invalid : combine(a, b);
    }
    template <class V> static constexpr V value(const V& a, const V& b) { return select(b < a, b, a); }
    template <class V> static constexpr V left(const V& a, const V& b, const V&, const V& adjoint) {
        return select(b < a, V(0), adjoint);
    }
    template <class V> static constexpr V right(const V& a, const V& b, const V&, const V& adjoint) {
        return select(b < a, adjoint, V(0));
    }
};

/// The larger of two values; where they are equal the derivative goes to the left one.
struct maximum {
    static constexpr shape form(shape a, shape b) { return minimum::form(a, b); }
    template <class V> static constexpr V value(const V& a, const V& b) { return select(a < b, b, a); }
    template <class V> static constexpr V left(const V& a, const V& b, const V&, const V& adjoint) {
        return select(a < b, V(0), adjoint);
    }
    template <class V> static constexpr V right(const V& a, const V& b, const V&, const V& adjoint) {
        return select(a < b, adjoint, V(0));
    }
};

struct less {
    static constexpr shape form(shape a, shape b) { return minimum::form(a, b); }
    template <class V> static constexpr auto value(const V& a, const V& b) { return a < b; }
};

struct less_or_equal {
    static constexpr shape form(shape a, shape b) { return minimum::form(a, b); }
    template <class V> static constexpr auto value(const V& a, const V& b) { return a <= b; }
};

struct equal {
    static constexpr shape form(shape a, shape b) { return minimum::form(a, b); }
    template <class V> static constexpr auto value(const V& a, const V& b) { return a == b; }
};

/// Two operands of which at least one is an expression; X itself has its own operator*.
template <class A, class B>
concept Operands = Operand<A> && Operand<B> &&(Expression<A> || Expression<B>)&&!std::same_as<A, data> &&
                   !std::same_as<B, data>;

namespace detail {
template <class Op, class A, class B> constexpr auto make_binary(const A& a, const B& b) {
    using node = binary<Op, node_type<A>, node_type<B>>;
    static_assert(
        node::form != shape::invalid,
        "formula: these two don't fit (one value per row goes with one per row, per row and output, or a number; "
        "a sum over rows can only be added to another, subtracted and scaled)");
    return node(as_node(a), as_node(b));
}
}  // namespace detail

template <class A, class B>
requires Operands<A, B>
constexpr auto operator+(const A& a, const B& b) { return detail::make_binary<addition>(a, b); }
template <class A, class B>
requires Operands<A, B>
constexpr auto operator-(const A& a, const B& b) { return detail::make_binary<subtraction>(a, b); }
template <class A, class B>
requires(Operands<A, B> && !Block<B>) constexpr auto operator*(const A& a, const B& b) {
    return detail::make_binary<multiplication>(a, b);
}
template <class A, class B>
requires Operands<A, B>
constexpr auto operator/(const A& a, const B& b) { return detail::make_binary<division>(a, b); }
template <Expression A> constexpr auto operator-(const A& a) { return unary<negation, node_type<A>>(a.node()); }
template <class A, class B>
requires Operands<A, B>
constexpr auto min(const A& a, const B& b) { return detail::make_binary<minimum>(a, b); }
template <class A, class B>
requires Operands<A, B>
constexpr auto max(const A& a, const B& b) { return detail::make_binary<maximum>(a, b); }
template <class A, class B>
requires Operands<A, B>
constexpr auto operator<(const A& a, const B& b) { return detail::make_binary<less>(a, b); }
template <class A, class B>
requires Operands<A, B>
constexpr auto operator<=(const A& a, const B& b) { return detail::make_binary<less_or_equal>(a, b); }
template <class A, class B>
requires Operands<A, B>
constexpr auto operator>(const A& a, const B& b) { return detail::make_binary<less>(b, a); }
template <class A, class B>
requires Operands<A, B>
constexpr auto operator>=(const A& a, const B& b) { return detail::make_binary<less_or_equal>(b, a); }
template <class A, class B>
requires Operands<A, B>
constexpr auto operator==(const A& a, const B& b) { return detail::make_binary<equal>(a, b); }

/// condition ? a : b, entry by entry; see `choice` for what must be finite.
template <Expression C, Operand A, Operand B> constexpr auto choose(const C& condition, const A& a, const B& b) {
    using node = choice<node_type<C>, node_type<A>, node_type<B>>;
    static_assert(node::form != shape::invalid && node::form != shape::total,
                  "formula: choose needs values per row or entry");
    return node(as_node(condition), as_node(a), as_node(b));
}

}  // namespace gamut::autodiff
