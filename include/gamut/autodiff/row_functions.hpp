// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/autodiff/arithmetic.hpp>
#include <gamut/autodiff/concept.hpp>
#include <gamut/autodiff/functions.hpp>
#include <gamut/autodiff/node.hpp>
#include <gamut/autodiff/reduce.hpp>

/// Functions of whole rows that others make up, and what stands beside formulas: classes as rows, values without derivatives.
namespace gamut::autodiff {

/// sqrt(x) whose derivative at 0 is taken as 0.
struct root_of_squares {
    template <class V> static constexpr V value(const V& x) { return square_root::value(x); }
    template <class V> static constexpr V derivative(const V&, const V& f) {
        return select(f > V(0), V(0.5) / f, V(0));
    }
};

/// exp(a_k) / sum over k of exp(a_k), without overflow.
template <Expression A> constexpr auto softmax(const A& a) { return exp(a - log_sum_exp(a)); }
/// log of the same.
template <Expression A> constexpr auto log_softmax(const A& a) { return a - log_sum_exp(a); }
/// sum over outputs k of a_k b_k.
template <Expression A, Expression B> constexpr auto dot(const A& a, const B& b) { return row_sum(a * b); }
/// Of each row, the sum of squares, and its root; the root's derivative at 0 is taken as 0.
template <Expression A> constexpr auto square_norm(const A& a) { return row_sum(square(a)); }
template <Expression A> constexpr auto norm(const A& a) { return detail::make_unary<root_of_squares>(square_norm(a)); }
/// How many outputs a table has; a itself is not evaluated.
template <class A> struct outputs_of : expression {
    A a;

    static constexpr shape form = shape::rows;
    static constexpr bool active = false;

    constexpr explicit outputs_of(A operand) : a(operand) {}
    constexpr outputs_of node() const { return *this; }

    using parts = types<A>;
    static constexpr bool row_wise = true;
    template <class F> constexpr auto children(const F& f) const { return f(a); }
    template <class N> constexpr auto with(const N& n) const { return outputs_of<N>(n); }
    constexpr bool same_as(const outputs_of& other) const { return same(a, other.a); }
    template <class R> constexpr std::size_t columns(R& r) const { return a.columns(r), 0; }

    template <class R> struct tape { typename R::value_type value; };
    template <class R> constexpr auto value(R& r, std::size_t) const {
        using V = typename R::value_type;
        return V(static_cast<double>(detail::columns_of(a, r)));
    }
    template <class R> constexpr void forward(R& r, std::size_t k, tape<R>& t) const { t.value = value(r, k); }
    template <class R, class V> constexpr void reverse(R&, std::size_t, const tape<R>&, const V&) const {}
};
/// The mean of each row's outputs.
template <Expression A> constexpr auto row_mean(const A& a) {
    const auto s = row_sum(a);
    return s / outputs_of<node_type<A>>(a.node());
}

/// min(max(a, low), high).
template <Expression A, Operand L, Operand H> constexpr auto clamp(const A& a, const L& low, const H& high) {
    return min(max(a, low), high);
}

/// a, of which no derivative is taken.
template <class A> struct without_gradient : expression {
    A a;

    static constexpr shape form = shape_of<A>;
    static constexpr bool active = false;

    constexpr explicit without_gradient(A operand) : a(operand) {}
    constexpr without_gradient node() const { return *this; }

    using parts = types<A>;
    template <class F> constexpr auto children(const F& f) const { return f(a); }
    template <class N> constexpr auto with(const N& n) const { return without_gradient<N>(n); }
    constexpr bool same_as(const without_gradient& other) const { return same(a, other.a); }
    template <class R> constexpr std::size_t columns(R& r) const { return a.columns(r); }

    template <class R> struct tape { typename R::value_type value; };
    template <class R> constexpr auto value(R& r, std::size_t k) const {
        using V = typename R::value_type;
        return V(value_of(V(a.value(r, k))));
    }
    template <class R> constexpr void forward(R& r, std::size_t k, tape<R>& t) const { t.value = value(r, k); }
    template <class R, class V> constexpr void reverse(R&, std::size_t, const tape<R>&, const V&) const {}
};
template <Expression A> constexpr auto stop_gradient(const A& a) {
    static_assert(Elementwise<A>, "stop_gradient: needs values per row or output");
    return without_gradient<node_type<A>>(a.node());
}

/// 1 at the class that `index` holds, 0 elsewhere: a table of so many classes; classes 0: of as many as what stands beside it.
template <class Index> struct indicator : expression {
    Index index;
    std::size_t classes;

    static constexpr shape form = shape::table;
    static constexpr bool active = false;

    constexpr indicator(Index i, std::size_t n) : index(i), classes(n) {}
    constexpr indicator node() const { return *this; }

    using parts = types<Index>;
    template <class F> constexpr auto children(const F& f) const { return f(index); }
    template <class N> constexpr auto with(const N& n) const { return indicator<N>(n, classes); }
    constexpr bool same_as(const indicator& other) const {
        return classes == other.classes && same(index, other.index);
    }
    template <class R> constexpr std::size_t columns(R&) const { return classes; }

    template <class R> struct tape { typename R::value_type value; };
    template <class R> constexpr auto value(R& r, std::size_t k) const {
        using V = typename R::value_type;
        return select(index.value(r, 0) == r.output(k), V(1), V(0));
    }
    template <class R> constexpr void forward(R& r, std::size_t k, tape<R>& t) const { t.value = value(r, k); }
    template <class R, class V> constexpr void reverse(R&, std::size_t, const tape<R>&, const V&) const {}
};
template <Expression Index> constexpr auto one_hot(const Index& index, std::size_t classes) {
    static_assert(shape_of<Index> == shape::rows && !Index::active,
                  "one_hot: the index must be one value per row, such as y");
    return indicator<node_type<Index>>(index.node(), classes);
}
/// For all outputs of a table that it is added to, or the like: z - one_hot(y).
template <Expression Index> constexpr auto one_hot(const Index& index) { return one_hot(index, 0); }

}  // namespace gamut::autodiff
