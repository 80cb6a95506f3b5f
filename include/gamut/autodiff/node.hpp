// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include <gamut/autodiff/concept.hpp>
#include <gamut/autodiff/dual.hpp>

/// The nodes of a formula. A formula's type is the tape: `forward` leaves the values of the whole tree in one struct that
/// lives in registers, `reverse` walks the same type backwards and adds to the adjoints of the product X w.
///
/// Every node offers, for rows r (see gradient.hpp; for arrays, an index reader) and an index k (the output, or the entry):
///   value(r, k)                        the value alone
///   tape<R>                            {.value, what reverse needs}
///   forward(r, k, tape)                fills it in
///   reverse(r, k, tape, adjoint)       adds adjoint * d value / d (X w) to r's adjoints
///   active                             does it depend on the weights?
/// and, for what takes formulas apart (program.hpp):
///   parts                              the types of its operands
///   children(f), with(operands...)     f(operands...), and the same node with others
///   same_as(other)                     are the numbers in it equal, too?
///   columns(r)                         outputs that it has at r; 0: as many as it is asked for
namespace gamut::autodiff {

/// Some types.
template <class... E> struct types {};

/// Two formulas of one type: are the numbers in them equal, too?
template <class E> constexpr bool same(const E& a, const E& b) {
    if constexpr (std::is_empty_v<E>)
        return true;
    else
        return a.same_as(b);
}

namespace detail {
/// Outputs of a formula of two operands; a reader that knows shapes only checks them.
template <class R> constexpr std::size_t wider(R& r, std::size_t left, std::size_t right) {
    if constexpr (requires { r.must_be_equal(left, right); })
        if (left != 0 && right != 0) r.must_be_equal(left, right);
    return left < right ? right : left;
}
/// Outputs that a reduction of a reads: those of the only product, where there is one.
template <class A, class R> constexpr std::size_t columns_of(const A& a, R& r) {
    if constexpr (requires { r.outputs(); })
        return r.outputs();
    else
        return a.columns(r);
}
}  // namespace detail

/// A number written in a formula. It takes the precision of what it meets: 0.5 * x stays float if x is.
template <class T> struct constant : expression {
    T number;

    static constexpr shape form = shape::scalar;
    static constexpr bool active = false;

    constexpr constant(T n) : number(n) {}
    constexpr constant node() const { return *this; }
    constexpr bool same_as(const constant& other) const { return number == other.number; }
    template <class R> constexpr std::size_t columns(const R&) const { return 0; }

    template <class R> struct tape { typename R::value_type value; };
    template <class R> constexpr auto value(const R&, std::size_t) const {
        using V = typename R::value_type;
        if constexpr (std::is_arithmetic_v<V>)
            return static_cast<V>(number);
        else
            return V(number);
    }
    template <class R> constexpr void forward(R& r, std::size_t k, tape<R>& t) const { t.value = value(r, k); }
    template <class R, class V> constexpr void reverse(R&, std::size_t, const tape<R>&, const V&) const {}
};

template <class E> constexpr auto as_node(const E& e) {
    if constexpr (Expression<E>)
        return e.node();
    else
        return constant<E>(e);
}

template <class E> using node_type = decltype(as_node(std::declval<const E&>()));

/// Op's value, at numbers, vectors of numbers and duals alike.
template <class Op, class V> constexpr V apply(const V& x) {
    if constexpr (is_dual<V>) {
        const auto f = apply<Op>(x.value);
        return {f, Op::derivative(x.value, f) * x.tangent};
    } else {
        return Op::value(x);
    }
}

/// f(a), entry by entry.
template <class Op, class A> struct unary : expression {
    A a;

    static constexpr shape form = shape_of<A>;
    static constexpr bool active = A::active;

    constexpr explicit unary(A operand) : a(operand) {}
    constexpr unary node() const { return *this; }

    using parts = types<A>;
    template <class F> constexpr auto children(const F& f) const { return f(a); }
    template <class N> constexpr auto with(const N& n) const { return unary<Op, N>(n); }
    constexpr bool same_as(const unary& other) const { return same(a, other.a); }
    template <class R> constexpr std::size_t columns(R& r) const { return a.columns(r); }

    template <class R> constexpr auto value(R& r, std::size_t k) const { return apply<Op>(a.value(r, k)); }
    template <class R> struct tape {
        typename R::value_type value;
        typename A::template tape<R> a;
    };
    template <class R> constexpr void forward(R& r, std::size_t k, tape<R>& t) const {
        a.forward(r, k, t.a);
        t.value = apply<Op>(t.a.value);
    }
    template <class R, class V> constexpr void reverse(R& r, std::size_t k, const tape<R>& t, const V& adjoint) const {
        if constexpr (active) a.reverse(r, k, t.a, adjoint * Op::derivative(t.a.value, t.value));
    }
};

/// a op b, entry by entry; one value per row stretches over the outputs.
template <class Op, class A, class B> struct binary : expression {
    A a;
    B b;

    static constexpr shape form = Op::form(shape_of<A>, shape_of<B>);
    static constexpr bool active = A::active || B::active;

    constexpr binary(A left, B right) : a(left), b(right) {}
    constexpr binary node() const { return *this; }

    using parts = types<A, B>;
    template <class F> constexpr auto children(const F& f) const { return f(a, b); }
    template <class N, class M> constexpr auto with(const N& n, const M& m) const { return binary<Op, N, M>(n, m); }
    constexpr bool same_as(const binary& other) const { return same(a, other.a) && same(b, other.b); }
    template <class R> constexpr std::size_t columns(R& r) const {
        return detail::wider(r, a.columns(r), b.columns(r));
    }

    template <class R> constexpr auto value(R& r, std::size_t k) const {
        return Op::value(a.value(r, k), b.value(r, k));
    }
    template <class R> struct tape {
        decltype(Op::value(std::declval<typename R::value_type>(), std::declval<typename R::value_type>())) value;
        typename A::template tape<R> a;
        typename B::template tape<R> b;
    };
    template <class R> constexpr void forward(R& r, std::size_t k, tape<R>& t) const {
        a.forward(r, k, t.a);
        b.forward(r, k, t.b);
        t.value = Op::value(t.a.value, t.b.value);
    }
    template <class R, class V> constexpr void reverse(R& r, std::size_t k, const tape<R>& t, const V& adjoint) const {
        if constexpr (A::active) a.reverse(r, k, t.a, Op::left(t.a.value, t.b.value, t.value, adjoint));
        if constexpr (B::active) b.reverse(r, k, t.b, Op::right(t.a.value, t.b.value, t.value, adjoint));
    }
};

/// condition ? a : b, entry by entry. Both sides are evaluated, so both must be finite where the derivative is taken:
/// choose(x > 0, log(x), 0.0) has a derivative 0 * (1 / 0) at 0; write log(choose(x > 0, x, 1.0)) instead.
template <class C, class A, class B> struct choice : expression {
    C condition;
    A a;
    B b;

    static constexpr shape form = combine(shape_of<C>, combine(shape_of<A>, shape_of<B>));
    static constexpr bool active = A::active || B::active;

    constexpr choice(C c, A left, B right) : condition(c), a(left), b(right) {}
    constexpr choice node() const { return *this; }

    using parts = types<C, A, B>;
    template <class F> constexpr auto children(const F& f) const { return f(condition, a, b); }
    template <class L, class N, class M> constexpr auto with(const L& l, const N& n, const M& m) const {
        return choice<L, N, M>(l, n, m);
    }
    constexpr bool same_as(const choice& other) const {
        return same(condition, other.condition) && same(a, other.a) && same(b, other.b);
    }
    template <class R> constexpr std::size_t columns(R& r) const {
        return detail::wider(r, condition.columns(r), detail::wider(r, a.columns(r), b.columns(r)));
    }

    template <class R> constexpr auto value(R& r, std::size_t k) const {
        return select(condition.value(r, k), a.value(r, k), b.value(r, k));
    }
    template <class R> struct tape {
        typename R::value_type value;
        decltype(std::declval<const C&>().value(std::declval<R&>(), std::size_t())) mask;
        typename A::template tape<R> a;
        typename B::template tape<R> b;
    };
    template <class R> constexpr void forward(R& r, std::size_t k, tape<R>& t) const {
        t.mask = condition.value(r, k);
        a.forward(r, k, t.a);
        b.forward(r, k, t.b);
        t.value = select(t.mask, t.a.value, t.b.value);
    }
    template <class R, class V> constexpr void reverse(R& r, std::size_t k, const tape<R>& t, const V& adjoint) const {
        if constexpr (A::active) a.reverse(r, k, t.a, select(t.mask, adjoint, V(0)));
        if constexpr (B::active) b.reverse(r, k, t.b, select(t.mask, V(0), adjoint));
    }
};

}  // namespace gamut::autodiff
