// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <type_traits>

#include <gamut/autodiff/concept.hpp>
#include <gamut/autodiff/leaf.hpp>
#include <gamut/autodiff/node.hpp>
#include <gamut/autodiff/parameter.hpp>
#include <gamut/autodiff/place_set.hpp>
#include <gamut/autodiff/structure.hpp>

/// What a program is made of: steps, each of which fills a slot, and the leaves that read slots.
namespace gamut::autodiff {

/// The result of step I of a program. Everything between two steps is evaluated where its slots are read.
template <std::size_t I, shape Form, bool Active> struct slot : expression {
    static constexpr std::size_t index = I;
    static constexpr shape form = Form;
    static constexpr bool active = Active;

    constexpr slot node() const { return *this; }

    template <class R> struct tape { typename R::value_type value; };
    template <class R> constexpr std::size_t columns(R& r) const {
        if constexpr (Form == shape::table || Form == shape::row)
            return r.template slot_columns<I>();
        else
            return 0;
    }
    template <class R> constexpr auto value(R& r, std::size_t k) const {
        if constexpr (Form == shape::table)
            return r.template slot<I>(k);
        else if constexpr (Form == shape::rows)
            return r.template slot_rows<I>();
        else if constexpr (Form == shape::row)
            return r.template slot_line<I>(k);
        else
            return r.template slot_number<I>();
    }
    template <class R> constexpr void forward(R& r, std::size_t k, tape<R>& t) const { t.value = value(r, k); }
    template <class R, class V> constexpr void reverse(R& r, std::size_t k, const tape<R>&, const V& adjoint) const {
        if constexpr (!Active)
            return;
        else if constexpr (Form == shape::table)
            r.template add_slot<I>(k, adjoint);
        else if constexpr (Form == shape::rows)
            r.template add_slot_rows<I>(adjoint);
        else if constexpr (Form == shape::row)
            r.template add_slot_line<I>(k, adjoint);
        else
            r.template add_slot_number<I>(adjoint);
    }
};

/// The data as a table, one row per observation: what table(X) is. A product with it reads the data where they are; elsewhere it is
/// copied, once.
struct inputs : expression {
    static constexpr shape form = shape::table;
    static constexpr bool active = false;
    constexpr inputs node() const { return *this; }
};
constexpr inputs table(data) { return {}; }
template <Expression A> constexpr auto table(const A& a) { return a.node(); }

/// slot = formula, entry by entry: one per row and output, per row, or per output.
template <class E, std::size_t Tag> struct formula_step {
    E formula;
    static constexpr shape form = shape_of<E>;
    static constexpr bool active = E::active;
    constexpr bool same_as(const formula_step& other) const { return same(formula, other.formula); }
};

/// slot = A B or, Transposed, A B': a table or the data times block B.
template <class A, std::size_t B, shape Form, bool Transposed> struct product_step {
    static constexpr shape form = Form == shape::vector ? shape::rows : shape::table;
    static constexpr bool active = true;
};

/// slot = the mean, or the sum, over the rows at hand of each column of a formula.
template <class E, bool Mean, std::size_t Tag> struct column_step {
    E formula;
    static constexpr shape form = shape_of<E> == shape::rows ? shape::number : shape::row;
    static constexpr bool active = E::active;
    constexpr bool same_as(const column_step& other) const { return same(formula, other.formula); }
};

/// slot = op(A): numbers moved, see structure.hpp. A: the data or a slot.
template <class Op, class A, std::size_t Tag> struct structure_step {
    Op op;
    static constexpr shape form = shape::table;
    static constexpr bool active = A::active;
    constexpr bool same_as(const structure_step& other) const { return op == other.op; }
};

/// slot = patches of A times block B: a convolution, whose patches are nobody's but its own. A: the data or a slot.
template <class A, std::size_t B, std::size_t Tag> struct convolution_step {
    patches op;
    static constexpr shape form = shape::table;
    static constexpr bool active = true;
    constexpr bool same_as(const convolution_step& other) const { return op == other.op; }
};

/// slot = op(A), as it is drawn for each row of the data, see drawn_moves.hpp.
template <class Op, class A, std::size_t Tag> struct drawn_move_step {
    Op op;
    static constexpr shape form = shape::table;
    static constexpr bool active = A::active;
    constexpr bool same_as(const drawn_move_step& other) const { return op == other.op; }
};

/// slot = [ A | B ], side by side.
template <class A, class B> struct concatenation_step {
    static constexpr shape form = shape::table;
    static constexpr bool active = A::active || B::active;
};

/// slot = 1 / (1 - rate) with probability 1 - rate, else 0, for each entry of A.
template <class A, std::size_t Tag> struct mask_step {
    double rate = 0;
    static constexpr shape form = shape::table;
    static constexpr bool active = false;
    constexpr bool same_as(const mask_step& other) const { return rate == other.rate; }
};

/// slot = rows of block B, for each entry of A the row of that number.
template <class A, std::size_t B> struct lookup_step {
    static constexpr shape form = shape::table;
    static constexpr bool active = true;
};

/// slot = the sum of the squares of block B.
template <std::size_t B> struct squares_step {
    static constexpr shape form = shape::number;
    static constexpr bool active = true;
};

/// What a formula, or a step, reads.
struct reads {
    place_set tables{}, rows{},
        lines{};             // slots: a value per row and output; per row; per output or one (row and number)
    place_set parameters{};  // blocks
    bool row_wise = false;   // needs all outputs of a row at once

    constexpr place_set slots() const { return tables | rows | lines; }
    constexpr reads operator|(const reads& o) const {
        return {tables | o.tables, rows | o.rows, lines | o.lines, parameters | o.parameters, row_wise || o.row_wise};
    }
};

template <class E> inline constexpr reads reads_of{};
template <std::size_t I, bool A> inline constexpr reads reads_of<slot<I, shape::table, A>>{.tables = place_set::of(I)};
template <std::size_t I, bool A> inline constexpr reads reads_of<slot<I, shape::rows, A>>{.rows = place_set::of(I)};
template <std::size_t I, bool A> inline constexpr reads reads_of<slot<I, shape::row, A>>{.lines = place_set::of(I)};
template <std::size_t I, bool A> inline constexpr reads reads_of<slot<I, shape::number, A>>{.lines = place_set::of(I)};
template <std::size_t I, shape F> inline constexpr reads reads_of<parameter<I, F>>{.parameters = place_set::of(I)};
namespace detail {
template <class Parts> inline constexpr reads reads_of_parts{};
template <class... E> inline constexpr reads reads_of_parts<types<E...>> = (reads_of<E> | ... | reads{});
template <class E> constexpr bool is_row_wise() {
    if constexpr (requires { E::row_wise; })
        return E::row_wise;
    else
        return false;
}
}  // namespace detail
template <class E>
requires requires { typename E::parts; }
inline constexpr reads reads_of<E> =
    detail::reads_of_parts<typename E::parts> | reads{.row_wise = detail::is_row_wise<E>()};
template <class E, std::size_t T> inline constexpr reads reads_of<formula_step<E, T>> = reads_of<E>;
template <class E, bool M, std::size_t T> inline constexpr reads reads_of<column_step<E, M, T>> = reads_of<E>;
template <class A, std::size_t B, shape F, bool T>
inline constexpr reads reads_of<product_step<A, B, F, T>> = reads_of<A> | reads{.parameters = place_set::of(B)};
template <class A, std::size_t B, std::size_t T>
inline constexpr reads reads_of<convolution_step<A, B, T>> = reads_of<A> | reads{.parameters = place_set::of(B)};
template <class Op, class A, std::size_t T> inline constexpr reads reads_of<structure_step<Op, A, T>> = reads_of<A>;
template <class Op, class A, std::size_t T> inline constexpr reads reads_of<drawn_move_step<Op, A, T>> = reads_of<A>;
template <class A, class B> inline constexpr reads reads_of<concatenation_step<A, B>> = reads_of<A> | reads_of<B>;
template <class A, std::size_t B>
inline constexpr reads reads_of<lookup_step<A, B>> = reads_of<A> | reads{.parameters = place_set::of(B)};
template <std::size_t B> inline constexpr reads reads_of<squares_step<B>>{.parameters = place_set::of(B)};

}  // namespace gamut::autodiff
