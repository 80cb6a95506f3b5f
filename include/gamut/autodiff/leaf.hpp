// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/autodiff/concept.hpp>
#include <gamut/autodiff/node.hpp>

namespace gamut::autodiff {

/// The weights w of a model: a vector (Rank 1, one output) or a matrix with one column per output (Rank 2). The bias, if
/// there is one, is added to the product with the data and is no part of w.
template <int Rank> struct weights : expression {
    static constexpr shape form = shape::weights;
    static constexpr bool active = true;

    constexpr weights node() const { return *this; }
};

/// The product X w of the data with the weights. Its type is its name: however often a formula writes it, it is computed once.
template <int Rank> struct product : expression {
    static constexpr shape form = Rank == 1 ? shape::rows : shape::table;
    static constexpr bool active = true;

    constexpr product node() const { return *this; }

    template <class R> struct tape { typename R::value_type value; };
    template <class R> constexpr auto value(R& r, std::size_t k) const { return r.product(Rank == 1 ? 0 : k); }
    template <class R> constexpr void forward(R& r, std::size_t k, tape<R>& t) const { t.value = value(r, k); }
    template <class R, class V> constexpr void reverse(R& r, std::size_t k, const tape<R>&, const V& adjoint) const {
        r.add_adjoint(Rank == 1 ? 0 : k, adjoint);
    }
};

/// The data X, one row per observation. It means nothing alone: only its product with the weights does.
struct data : expression {
    static constexpr shape form = shape::invalid;
    static constexpr bool active = false;

    constexpr data node() const { return *this; }

    template <int Rank> friend constexpr auto operator*(data, weights<Rank>) { return product<Rank>{}; }
    template <Operand A> friend constexpr auto operator*(data, const A& a) {
        static_assert(std::same_as<A, void>, "formula: X can only be multiplied by the weights; write X * w");
        return a;
    }
    template <Operand A> friend constexpr auto operator*(const A& a, data) {
        static_assert(std::same_as<A, void>, "formula: X can only be multiplied by the weights; write X * w");
        return a;
    }
};

/// The labels y, one per row: a number, or the class as 0, 1, ..., k - 1.
struct labels : expression {
    static constexpr shape form = shape::rows;
    static constexpr bool active = false;

    constexpr labels node() const { return *this; }

    template <class R> struct tape { typename R::value_type value; };
    template <class R> constexpr std::size_t columns(R&) const { return 0; }
    template <class R> constexpr auto value(R& r, std::size_t) const { return r.label(); }
    template <class R> constexpr void forward(R& r, std::size_t, tape<R>& t) const { t.value = r.label(); }
    template <class R, class V> constexpr void reverse(R&, std::size_t, const tape<R>&, const V&) const {}
};

/// The entries of an array that lives in memory: what solvers compute with.
template <class T> struct entries : expression {
    const T* first;
    std::size_t count;

    static constexpr shape form = shape::entries;
    static constexpr bool active = false;

    constexpr entries(const T* pointer, std::size_t size) : first(pointer), count(size) {}
    constexpr entries node() const { return *this; }

    template <class R> constexpr auto value(R& r, std::size_t k) const { return r.load(first, k); }
};

/// Number of entries of an elementwise formula over arrays; SIZE_MAX where formulas of different lengths meet, 0 for
/// constants alone.
template <class E> constexpr std::size_t length(const E&) { return 0; }
template <class T> constexpr std::size_t length(const entries<T>& e) { return e.count; }
namespace detail {
constexpr std::size_t same_length(std::size_t a, std::size_t b) {
    return a == 0 || a == b ? b : b == 0 ? a : static_cast<std::size_t>(-1);
}
}  // namespace detail
template <class Op, class A> constexpr std::size_t length(const unary<Op, A>& e) { return length(e.a); }
template <class Op, class A, class B> constexpr std::size_t length(const binary<Op, A, B>& e) {
    return detail::same_length(length(e.a), length(e.b));
}
template <class C, class A, class B> constexpr std::size_t length(const choice<C, A, B>& e) {
    return detail::same_length(length(e.condition), detail::same_length(length(e.a), length(e.b)));
}

}  // namespace gamut::autodiff
