// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/autodiff/arithmetic.hpp>
#include <gamut/autodiff/concept.hpp>
#include <gamut/autodiff/functions.hpp>
#include <gamut/autodiff/node.hpp>

/// Reductions of formulas: over the outputs of a row (row_sum, log_sum_exp, pick) and over the rows (sum, mean).
namespace gamut::autodiff {

namespace detail {
/// Forward and reverse at one output; the scratch of that forward pass is given back.
template <class A, class R, class V> constexpr void pull(const A& a, R& r, std::size_t k, const V& adjoint) {
    const auto mark = r.scratch_mark();
    typename A::template tape<R> t;
    a.forward(r, k, t);
    a.reverse(r, k, t, adjoint);
    r.release_scratch(mark);
}
}  // namespace detail

/// sum over outputs k of a_k, one value per row.
template <class A> struct row_total : expression {
    A a;

    static constexpr shape form = shape::rows;
    static constexpr bool active = A::active;

    constexpr explicit row_total(A operand) : a(operand) {}
    constexpr row_total node() const { return *this; }

    using parts = types<A>;
    static constexpr bool row_wise = true;
    template <class F> constexpr auto children(const F& f) const { return f(a); }
    template <class N> constexpr auto with(const N& n) const { return row_total<N>(n); }
    constexpr bool same_as(const row_total& other) const { return same(a, other.a); }
    template <class R> constexpr std::size_t columns(R& r) const { return a.columns(r), 0; }

    template <class R> struct tape { typename R::value_type value; };
    template <class R> constexpr auto value(R& r, std::size_t) const {
        typename R::value_type s(0);
        for (std::size_t k = 0; k < detail::columns_of(a, r); ++k) s = s + a.value(r, k);
        return s;
    }
    template <class R> constexpr void forward(R& r, std::size_t k, tape<R>& t) const { t.value = value(r, k); }
    template <class R, class V> constexpr void reverse(R& r, std::size_t, const tape<R>&, const V& adjoint) const {
        if constexpr (active)
            for (std::size_t k = 0; k < detail::columns_of(a, r); ++k) detail::pull(a, r, k, adjoint);
    }
};

/// log sum over outputs k of exp(a_k) = m + log sum exp(a_k - m), m the largest a_k: log_sum_exp(1000, 1000) = 1000 + log 2.
/// Derivative: the softmax exp(a_k - value). The exponentials of the forward pass are kept in r's scratch, c per row.
template <class A> struct log_sum_of_exponentials : expression {
    A a;

    static constexpr shape form = shape::rows;
    static constexpr bool active = A::active;

    constexpr explicit log_sum_of_exponentials(A operand) : a(operand) {}
    constexpr log_sum_of_exponentials node() const { return *this; }

    using parts = types<A>;
    static constexpr bool row_wise = true;
    template <class F> constexpr auto children(const F& f) const { return f(a); }
    template <class N> constexpr auto with(const N& n) const { return log_sum_of_exponentials<N>(n); }
    constexpr bool same_as(const log_sum_of_exponentials& other) const { return same(a, other.a); }
    template <class R> constexpr std::size_t columns(R& r) const { return a.columns(r), 0; }

    template <class R> struct tape {
        typename R::value_type value;
        typename R::value_type* exponentials;
        typename R::value_type sum;
    };
    template <class R> constexpr auto largest(R& r) const {
        auto m = value_of(a.value(r, 0));
        for (std::size_t k = 1; k < detail::columns_of(a, r); ++k) {
            const auto x = value_of(a.value(r, k));
            m = select(m < x, x, m);
        }
        return m;
    }
    template <class R> constexpr auto value(R& r, std::size_t) const {
        using V = typename R::value_type;
        const V m(largest(r));
        V s(0);
        for (std::size_t k = 0; k < detail::columns_of(a, r); ++k) s = s + apply<exponential>(a.value(r, k) - m);
        return m + apply<logarithm>(s);
    }
    template <class R> constexpr void forward(R& r, std::size_t, tape<R>& t) const {
        using V = typename R::value_type;
        const V m(largest(r));
        t.exponentials = r.take_scratch(detail::columns_of(a, r));
        t.sum = V(0);
        for (std::size_t k = 0; k < detail::columns_of(a, r); ++k) {
            t.exponentials[k] = apply<exponential>(a.value(r, k) - m);
            t.sum = t.sum + t.exponentials[k];
        }
        t.value = m + apply<logarithm>(t.sum);
    }
    template <class R, class V> constexpr void reverse(R& r, std::size_t, const tape<R>& t, const V& adjoint) const {
        if constexpr (active) {
            const V scale = adjoint / t.sum;
            for (std::size_t k = 0; k < detail::columns_of(a, r); ++k) detail::pull(a, r, k, scale * t.exponentials[k]);
        }
    }
};

/// The largest of a row's outputs; the derivative goes to the first of equals.
template <class A> struct row_largest : expression {
    A a;

    static constexpr shape form = shape::rows;
    static constexpr bool active = A::active;

    constexpr explicit row_largest(A operand) : a(operand) {}
    constexpr row_largest node() const { return *this; }

    using parts = types<A>;
    static constexpr bool row_wise = true;
    template <class F> constexpr auto children(const F& f) const { return f(a); }
    template <class N> constexpr auto with(const N& n) const { return row_largest<N>(n); }
    constexpr bool same_as(const row_largest& other) const { return same(a, other.a); }
    template <class R> constexpr std::size_t columns(R& r) const { return a.columns(r), 0; }

    template <class R> struct tape { typename R::value_type value; };
    template <class R> constexpr auto value(R& r, std::size_t) const {
        auto m = a.value(r, 0);
        for (std::size_t k = 1; k < detail::columns_of(a, r); ++k) {
            const auto x = a.value(r, k);
            m = select(m < x, x, m);
        }
        return m;
    }
    template <class R> constexpr void forward(R& r, std::size_t k, tape<R>& t) const { t.value = value(r, k); }
    template <class R, class V> constexpr void reverse(R& r, std::size_t, const tape<R>& t, const V& adjoint) const {
        if constexpr (active) {
            V left = adjoint;  // what has found no place yet
            for (std::size_t k = 0; k < detail::columns_of(a, r); ++k) {
                const auto here = a.value(r, k) == t.value;
                detail::pull(a, r, k, select(here, left, V(0)));
                left = select(here, V(0), left);
            }
        }
    }
};

/// a_k with k the class that `index` holds, one value per row.
template <class A, class Index> struct picked : expression {
    A a;
    Index index;

    static constexpr shape form = shape::rows;
    static constexpr bool active = A::active;

    constexpr picked(A operand, Index i) : a(operand), index(i) {}
    constexpr picked node() const { return *this; }

    using parts = types<A, Index>;
    static constexpr bool row_wise = true;
    template <class F> constexpr auto children(const F& f) const { return f(a, index); }
    template <class N, class M> constexpr auto with(const N& n, const M& m) const { return picked<N, M>(n, m); }
    constexpr bool same_as(const picked& other) const { return same(a, other.a) && same(index, other.index); }
    template <class R> constexpr std::size_t columns(R& r) const { return a.columns(r), 0; }

    template <class R> struct tape { typename R::value_type value; };
    template <class R> constexpr auto value(R& r, std::size_t) const {
        using V = typename R::value_type;
        const V wanted = index.value(r, 0);
        V s(0), current(0);
        for (std::size_t k = 0; k < detail::columns_of(a, r); ++k, current = current + V(1))
            s = select(wanted == current, a.value(r, k), s);
        return s;
    }
    template <class R> constexpr void forward(R& r, std::size_t k, tape<R>& t) const { t.value = value(r, k); }
    template <class R, class V> constexpr void reverse(R& r, std::size_t, const tape<R>&, const V& adjoint) const {
        if constexpr (active) {
            const V wanted = index.value(r, 0);
            V current(0);
            for (std::size_t k = 0; k < detail::columns_of(a, r); ++k, current = current + V(1))
                detail::pull(a, r, k, select(wanted == current, adjoint, V(0)));
        }
    }
};

/// sum over rows i of omega_i a_i, or that divided by Omega = sum omega_i; omega are the sample weights (1 if there are
/// none). Evaluated at one row it gives that row's share, so that linear combinations of totals are evaluated row by row.
template <bool Mean, class A> struct row_reduction : expression {
    A a;

    static constexpr shape form = shape::total;
    static constexpr bool active = A::active;

    constexpr explicit row_reduction(A operand) : a(operand) {}
    constexpr row_reduction node() const { return *this; }

    using parts = types<A>;
    static constexpr bool row_wise = true;
    template <class F> constexpr auto children(const F& f) const { return f(a); }
    template <class N> constexpr auto with(const N& n) const { return row_reduction<Mean, N>(n); }
    constexpr bool same_as(const row_reduction& other) const { return same(a, other.a); }
    template <class R> constexpr std::size_t columns(R& r) const { return a.columns(r), 0; }

    template <class R> struct tape {
        typename R::value_type value;
        typename A::template tape<R> a;
    };
    template <class R> constexpr auto weight(R& r) const {
        if constexpr (Mean)
            return r.mean_weight();
        else
            return r.sum_weight();
    }
    template <class R> constexpr auto value(R& r, std::size_t) const { return a.value(r, 0) * weight(r); }
    template <class R> constexpr void forward(R& r, std::size_t, tape<R>& t) const {
        a.forward(r, 0, t.a);
        t.value = t.a.value * weight(r);
    }
    template <class R, class V> constexpr void reverse(R& r, std::size_t, const tape<R>& t, const V& adjoint) const {
        if constexpr (active) a.reverse(r, 0, t.a, adjoint * weight(r));
    }
};

/// How many vectors of one value per output the forward pass of a formula keeps per row.
template <class E> inline constexpr std::size_t scratch_of = 0;
namespace detail {
template <class E> inline constexpr std::size_t own_scratch = 0;
template <class A> inline constexpr std::size_t own_scratch<log_sum_of_exponentials<A>> = 1;
template <class Parts> inline constexpr std::size_t scratch_of_parts = 0;
template <class... E> inline constexpr std::size_t scratch_of_parts<types<E...>> = (scratch_of<E> + ... + 0);
}  // namespace detail
template <class E>
requires requires { typename E::parts; }
inline constexpr std::size_t scratch_of<E> = detail::own_scratch<E> + detail::scratch_of_parts<typename E::parts>;

/// Whether a formula has several outputs per row somewhere, that is a matrix of weights.
template <class E> inline constexpr bool has_table = shape_of<E> == shape::table;
template <class Op, class A> inline constexpr bool has_table<unary<Op, A>> = has_table<A>;
template <class Op, class A, class B> inline constexpr bool has_table<binary<Op, A, B>> = has_table<A> || has_table<B>;
template <class C, class A, class B>
inline constexpr bool has_table<choice<C, A, B>> = has_table<C> || has_table<A> || has_table<B>;
template <class A> inline constexpr bool has_table<row_total<A>> = true;
template <class A> inline constexpr bool has_table<log_sum_of_exponentials<A>> = true;
template <class A> inline constexpr bool has_table<row_largest<A>> = true;
template <class A, class Index> inline constexpr bool has_table<picked<A, Index>> = true;
template <bool Mean, class A> inline constexpr bool has_table<row_reduction<Mean, A>> = has_table<A>;

/// Row sums of a formula with one value per row and output.
template <Expression A> constexpr auto row_sum(const A& a) {
    static_assert(shape_of<A> == shape::table,
                  "row_sum: needs one value per row and output (such as X * w with a matrix w)");
    return row_total<node_type<A>>(a.node());
}

template <Expression A> constexpr auto log_sum_exp(const A& a) {
    static_assert(shape_of<A> == shape::table,
                  "log_sum_exp: needs one value per row and output (such as X * w with a matrix w)");
    return log_sum_of_exponentials<node_type<A>>(a.node());
}

template <Expression A> constexpr auto row_max(const A& a) {
    static_assert(shape_of<A> == shape::table,
                  "row_max: needs one value per row and output (such as X * w with a matrix w)");
    return row_largest<node_type<A>>(a.node());
}

/// The entry of each row that belongs to its label: pick(X * w, y).
template <Expression A, Expression Index> constexpr auto pick(const A& a, const Index& index) {
    static_assert(shape_of<A> == shape::table,
                  "pick: needs one value per row and output (such as X * w with a matrix w)");
    static_assert(shape_of<Index> == shape::rows && !Index::active,
                  "pick: the index must be one value per row, such as y");
    return picked<node_type<A>, node_type<Index>>(a.node(), index.node());
}

template <Expression A> constexpr auto sum(const A& a) {
    static_assert(shape_of<A> == shape::rows,
                  "sum: needs one value per row; reduce the outputs first with row_sum, log_sum_exp or pick");
    return row_reduction<false, node_type<A>>(a.node());
}

template <Expression A> constexpr auto mean(const A& a) {
    static_assert(shape_of<A> == shape::rows,
                  "mean: needs one value per row; reduce the outputs first with row_sum, log_sum_exp or pick");
    return row_reduction<true, node_type<A>>(a.node());
}

}  // namespace gamut::autodiff
