// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/autodiff/concept.hpp>
#include <gamut/autodiff/node.hpp>

namespace gamut::autodiff {

/// The weights w of a model: a vector (Rank 1, one output) or a matrix with one column per output (Rank 2). The bias, if
/// there is one, is added to every product of the data and is no part of w.
template <int Rank>
struct weights : expression {
    static constexpr shape form = shape::weights;
    static constexpr bool active = true;
    using products = types<>;

    constexpr weights node() const { return *this; }

    template <class V>
    struct tape {
        V value;
    };
    template <class R>
    constexpr auto value(R& r, std::size_t k) const {
        return r.weight(k);
    }
    template <class R>
    constexpr auto forward(R& r, std::size_t k) const {
        return tape<typename R::value_type>{r.weight(k)};
    }
    template <class R, class Tape, class V>
    constexpr void reverse(R& r, std::size_t k, const Tape&, const V& adjoint) const {
        r.add_weight_adjoint(k, adjoint);
    }
};

/// 1 for formulas of a weight vector, 2 for those of a weight matrix, 0 if there are no weights in it.
template <class E>
inline constexpr int rank_of = 0;
template <int Rank>
inline constexpr int rank_of<weights<Rank>> = Rank;
template <class Op, class A>
inline constexpr int rank_of<unary<Op, A>> = rank_of<A>;
template <class Op, class A, class B>
inline constexpr int rank_of<binary<Op, A, B>> = rank_of<A> > rank_of<B> ? rank_of<A> : rank_of<B>;

/// The product X W of the data with the weights, or with an elementwise formula of them: X * w, X * square(w).
/// Its type is its name: the same product written twice is computed once.
template <class W>
struct product : expression {
    W factor;

    static constexpr int rank = rank_of<W>;
    static constexpr shape form = rank == 1 ? shape::rows : shape::table;
    static constexpr bool active = true;
    using products = types<product>;

    constexpr explicit product(W w) : factor(w) {}
    constexpr product node() const { return *this; }

    template <class V>
    struct tape {
        V value;
    };
    template <class R>
    constexpr auto value(R& r, std::size_t k) const {
        return r.template product_value<product>(rank == 1 ? 0 : k);
    }
    template <class R>
    constexpr auto forward(R& r, std::size_t k) const {
        return tape<typename R::value_type>{value(r, k)};
    }
    template <class R, class Tape, class V>
    constexpr void reverse(R& r, std::size_t k, const Tape&, const V& adjoint) const {
        r.template add_adjoint<product>(rank == 1 ? 0 : k, adjoint);
    }
};

/// The data X, one row per observation. It means nothing alone: only its product with weights does.
struct data : expression {
    static constexpr shape form = shape::invalid;
    static constexpr bool active = false;
    using products = types<>;

    constexpr data node() const { return *this; }

    template <Expression W>
    friend constexpr auto operator*(data, const W& w) {
        static_assert(shape_of<W> == shape::weights, "formula: X must be multiplied by weights; write X * w");
        return product<W>(w.node());
    }
};

/// The labels y, one per row: a number, or the class as 0, 1, ..., k - 1.
struct labels : expression {
    static constexpr shape form = shape::rows;
    static constexpr bool active = false;
    using products = types<>;

    constexpr labels node() const { return *this; }

    template <class V>
    struct tape {
        V value;
    };
    template <class R>
    constexpr auto value(R& r, std::size_t) const {
        return r.label();
    }
    template <class R>
    constexpr auto forward(R& r, std::size_t) const {
        return tape<typename R::value_type>{r.label()};
    }
    template <class R, class Tape, class V>
    constexpr void reverse(R&, std::size_t, const Tape&, const V&) const {}
};

/// The entries of an array that lives in memory: what solvers compute with.
template <class T>
struct entries : expression {
    const T* first;
    std::size_t count;

    static constexpr shape form = shape::entries;
    static constexpr bool active = false;
    using products = types<>;

    constexpr entries(const T* pointer, std::size_t size) : first(pointer), count(size) {}
    constexpr entries node() const { return *this; }

    template <class R>
    constexpr auto value(R& r, std::size_t k) const {
        return r.load(first, k);
    }
};

/// Number of entries of an elementwise formula over arrays; SIZE_MAX where formulas of different lengths meet, 0 for
/// constants alone.
template <class E>
constexpr std::size_t length(const E&) {
    return 0;
}
template <class T>
constexpr std::size_t length(const entries<T>& e) {
    return e.count;
}
namespace detail {
constexpr std::size_t same_length(std::size_t a, std::size_t b) {
    return a == 0 || a == b ? b : b == 0 ? a : static_cast<std::size_t>(-1);
}
}  // namespace detail
template <class Op, class A>
constexpr std::size_t length(const unary<Op, A>& e) {
    return length(e.a);
}
template <class Op, class A, class B>
constexpr std::size_t length(const binary<Op, A, B>& e) {
    return detail::same_length(length(e.a), length(e.b));
}
template <class C, class A, class B>
constexpr std::size_t length(const choice<C, A, B>& e) {
    return detail::same_length(length(e.condition), detail::same_length(length(e.a), length(e.b)));
}

}  // namespace gamut::autodiff
