// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/autodiff/arithmetic.hpp>
#include <gamut/autodiff/concept.hpp>
#include <gamut/autodiff/cutting.hpp>
#include <gamut/autodiff/leaf.hpp>
#include <gamut/autodiff/node.hpp>
#include <gamut/autodiff/parameter.hpp>
#include <gamut/autodiff/reduce.hpp>
#include <gamut/autodiff/steps.hpp>
#include <gamut/autodiff/structure.hpp>

/// What is a step of its own in a program: products, moves of numbers, reductions over rows, masks, rows of a table by number.
/// Where a formula needs two of a kind that differ in a number only, a Tag tells them apart.
namespace gamut::autodiff {

namespace detail {
/// A node with no value at one row and output alone.
template <shape Form, bool Active> struct step_node : expression {
    static constexpr shape form = Form;
    static constexpr bool active = Active;
};
}  // namespace detail

template <class Op, class A, std::size_t Tag> struct moved;

namespace detail {
/// The step that multiplies by block B: patches are not kept, but made again where they are needed.
template <class A, std::size_t B, shape Form, bool Transposed> struct product_of {
    template <class S> static constexpr auto append_to(const S& steps, const A& a) {
        const auto m = cut_operand<0>(steps, a);
        using operand = std::remove_cvref_t<decltype(m.formula)>;
        return append(m.steps, product_step<operand, B, Form, Transposed>{});
    }
};
template <class A, std::size_t Tag, std::size_t B> struct product_of<moved<patches, A, Tag>, B, shape::matrix, false> {
    template <class S> static constexpr auto append_to(const S& steps, const moved<patches, A, Tag>& a) {
        const auto m = cut_operand<0>(steps, a.a);
        using operand = std::remove_cvref_t<decltype(m.formula)>;
        return append(m.steps, convolution_step<operand, B, Tag>{a.op});
    }
};
}  // namespace detail

/// a B, a being a table: one GEMM forward, at most two back. Of patches: a convolution.
template <class A, class B>
struct matrix_product : detail::step_node<shape_of<B> == shape::vector ? shape::rows : shape::table, true> {
    A a;
    constexpr explicit matrix_product(A left) : a(left) {}
    constexpr matrix_product node() const { return *this; }

    template <class S> constexpr auto make_step(const S& steps) const {
        constexpr bool transposed = std::is_same_v<B, transposed_block<parameter<B::index, shape::matrix>>>;
        return detail::product_of<A, B::index, shape_of<B>, transposed>::append_to(steps, a);
    }
};
template <Factor A, Block B> constexpr auto operator*(const A& a, const B&) {
    static_assert(shape_of<A> == shape::table,
                  "formula: a block of parameters multiplies a table (one value per row and output) from the right");
    return matrix_product<node_type<A>, node_type<B>>(a.node());
}
template <Block B> constexpr auto operator*(data, const B& b) { return inputs{} * b; }

/// op(a), see structure.hpp.
template <class Op, class A, std::size_t Tag> struct moved : detail::step_node<shape::table, A::active> {
    Op op;
    A a;
    constexpr moved(Op o, A operand) : op(o), a(operand) {}
    constexpr moved node() const { return *this; }

    template <class S> constexpr auto make_step(const S& steps) const {
        const auto m = detail::cut_operand<0>(steps, a);
        using operand = std::remove_cvref_t<decltype(m.formula)>;
        return detail::append(m.steps, structure_step<Op, operand, Tag>{op});
    }
};
template <std::size_t Tag = 0, class Op, Expression A> constexpr auto move(const Op& op, const A& a) {
    static_assert(shape_of<A> == shape::table,
                  "formula: patches, pools, slices and reshapes need one value per row and output");
    return moved<Op, node_type<A>, Tag>(op, a.node());
}
template <std::size_t Tag = 0, class Op> constexpr auto move(const Op& op, data) { return move<Tag>(op, inputs{}); }

/// Columns begin <= k < end.
template <Expression A> constexpr auto slice(const A& a, std::size_t begin, std::size_t end) {
    return move(sliced{begin, end}, a);
}
/// The numbers of a row of the data in so many rows and columns; flatten: in one row.
template <Expression A> constexpr auto reshape(const A& a, std::size_t rows, std::size_t columns) {
    return move(reshaped{rows, columns}, a);
}
template <Expression A> constexpr auto flatten(const A& a) { return move(reshaped{1, 0}, a); }
/// Of the numbers of each row of the data, rows and columns exchanged.
template <Expression A>
requires(!Block<A>) constexpr auto transpose(const A& a) { return move(turned{}, a); }

/// [ a | b ], side by side.
template <class A, class B> struct concatenation : detail::step_node<shape::table, A::active || B::active> {
    A a;
    B b;
    constexpr concatenation(A left, B right) : a(left), b(right) {}
    constexpr concatenation node() const { return *this; }

    template <class S> constexpr auto make_step(const S& steps) const {
        const auto m = detail::cut_operand<0>(steps, a);
        const auto n = detail::cut_operand<0>(m.steps, b);
        using left = std::remove_cvref_t<decltype(m.formula)>;
        using right = std::remove_cvref_t<decltype(n.formula)>;
        return detail::append(n.steps, concatenation_step<left, right>{});
    }
};
template <Expression A, Expression B> constexpr auto concatenate(const A& a, const B& b) {
    static_assert(shape_of<A> == shape::table && shape_of<B> == shape::table,
                  "concatenate: needs two tables, one value per row and output");
    return concatenation<node_type<A>, node_type<B>>(a.node(), b.node());
}

/// The mean, or the sum, over the rows at hand of each column: one number per output (of one value per row: one number). The rows at
/// hand are those of a block (see backend/program_run.hpp), and of all positions: what batch normalisation needs, not what a loss is.
template <class A, bool Mean, std::size_t Tag>
struct column_reduction : detail::step_node<shape_of<A> == shape::rows ? shape::number : shape::row, A::active> {
    A a;
    constexpr explicit column_reduction(A operand) : a(operand) {}
    constexpr column_reduction node() const { return *this; }

    template <class S> constexpr auto make_step(const S& steps) const {
        const auto done = detail::cut_formula(steps, a);
        const auto simple = [&] {
            if constexpr (shape_of<A> == shape::rows)
                return detail::in_memory(done.steps, done.formula);
            else
                return detail::elementwise(done.steps, done.formula);
        }();
        using formula = std::remove_cvref_t<decltype(simple.formula)>;
        return detail::append(simple.steps, column_step<formula, Mean, Tag>{simple.formula});
    }
};
namespace detail {
template <bool Mean, std::size_t Tag, class A> constexpr auto make_column_reduction(const A& a) {
    static_assert(shape_of<A> == shape::table || shape_of<A> == shape::rows,
                  "column_mean, column_sum: need one value per row, or per row and output");
    return column_reduction<node_type<A>, Mean, Tag>(a.node());
}
}  // namespace detail
template <std::size_t Tag = 0, Expression A> constexpr auto column_mean(const A& a) {
    return detail::make_column_reduction<true, Tag>(a);
}
template <std::size_t Tag = 0, Expression A> constexpr auto column_sum(const A& a) {
    return detail::make_column_reduction<false, Tag>(a);
}

/// Evaluated once and kept, however often it is read.
template <class A, std::size_t Tag> struct kept : detail::step_node<shape_of<A>, A::active> {
    A a;
    constexpr explicit kept(A operand) : a(operand) {}
    constexpr kept node() const { return *this; }

    template <class S> constexpr auto make_step(const S& steps) const {
        const auto done = detail::cut_formula(steps, a);
        return detail::in_memory<Tag>(done.steps, done.formula);
    }
};
template <std::size_t Tag = 0, Expression A> constexpr auto keep(const A& a) {
    static_assert(Elementwise<A>, "keep: needs values per row or output");
    return kept<node_type<A>, Tag>(a.node());
}

/// 0 with probability `rate`, else a / (1 - rate). What is dropped is drawn for (seed, step, row, output), so it is the same wherever
/// and however often it is computed; where nothing is trained, nothing is dropped. Srivastava et al. 2014.
template <class A, std::size_t Tag> struct mask_of : detail::step_node<shape::table, false> {
    A a;
    double rate;
    constexpr mask_of(A operand, double r) : a(operand), rate(r) {}
    constexpr mask_of node() const { return *this; }

    template <class S> constexpr auto make_step(const S& steps) const {
        const auto m = detail::cut_operand<0>(steps, a);
        using operand = std::remove_cvref_t<decltype(m.formula)>;
        return detail::append(m.steps, mask_step<operand, Tag>{rate});
    }
};
template <std::size_t Tag = 0, Expression A> constexpr auto dropout(const A& a, double rate) {
    static_assert(shape_of<A> == shape::table, "dropout: needs one value per row and output");
    const auto k = keep(a);
    return k * mask_of<decltype(k), Tag>(k, rate);
}

/// For each entry of a (0, 1, ...; data, as a rule) the row of that number of a block, side by side: what an embedding is.
template <class A, class B> struct rows_of_block : detail::step_node<shape::table, true> {
    A a;
    constexpr explicit rows_of_block(A operand) : a(operand) {}
    constexpr rows_of_block node() const { return *this; }

    template <class S> constexpr auto make_step(const S& steps) const {
        const auto m = detail::cut_operand<0>(steps, a);
        using operand = std::remove_cvref_t<decltype(m.formula)>;
        return detail::append(m.steps, lookup_step<operand, B::index>{});
    }
};
template <Block B, Expression A> constexpr auto lookup(const B&, const A& a) {
    static_assert(shape_of<B> == shape::matrix && !A::active,
                  "lookup: needs a matrix of parameters, and numbers of its rows that depend on no parameters");
    return rows_of_block<node_type<A>, node_type<B>>(a.node());
}
template <Block B> constexpr auto lookup(const B& b, data) { return lookup(b, inputs{}); }

/// The sum of the squares of a block of parameters: one number. mean(loss + 0.5 * strength * sum_of_squares(w.hidden)) decays it.
template <std::size_t I> struct block_squares : detail::step_node<shape::number, true> {
    constexpr block_squares node() const { return *this; }
    template <class S> constexpr auto make_step(const S& steps) const {
        return detail::append(steps, squares_step<I>{});
    }
};
template <Expression B>
requires requires { node_type<B>::index; }
constexpr auto sum_of_squares(const B&) { return block_squares<node_type<B>::index>{}; }

}  // namespace gamut::autodiff
