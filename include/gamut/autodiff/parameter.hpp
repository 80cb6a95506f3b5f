// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/autodiff/concept.hpp>
#include <gamut/autodiff/leaf.hpp>
#include <gamut/autodiff/node.hpp>

/// Blocks of parameters, for formulas of more than one product. All blocks of a formula lie one after another in one flat array, in
/// the order of their numbers, each row-major. A struct gives them names; it needs no macro and registers nothing:
///
///     struct two_layers {
///         autodiff::matrix<0> hidden{20, 100};
///         autodiff::row<1> hidden_bias{100};
///         autodiff::matrix<2> output{100, 10};
///         autodiff::row<3> output_bias{10};
///     };
///     const two_layers w;
///     auto z = relu(X * w.hidden + w.hidden_bias) * w.output + w.output_bias;
namespace gamut::autodiff {

/// Rows and columns of a block of parameters.
struct block_shape {
    std::size_t rows = 0, columns = 0;
    constexpr std::size_t size() const { return rows * columns; }
    friend constexpr bool operator==(const block_shape&, const block_shape&) = default;
};

/// Block I of the parameters: what a matrix<I>, row<I>, vector<I> or number<I> is in a formula.
///   matrix, vector   in products only
///   row              one number per output, such as a bias, anywhere in a table
///   number           one number, anywhere
template <std::size_t I, shape Form> struct parameter : expression {
    static_assert(is_block(Form) || Form == shape::row || Form == shape::number);
    static constexpr std::size_t index = I;
    static constexpr shape form = Form;
    static constexpr bool active = true;

    constexpr parameter node() const { return *this; }

    template <class R> struct tape { typename R::value_type value; };
    template <class R> constexpr std::size_t columns(R& r) const {
        if constexpr (Form == shape::row)
            return r.template parameter_columns<I>();
        else
            return 0;
    }
    template <class R> constexpr auto value(R& r, std::size_t k) const {
        if constexpr (Form == shape::number)
            return r.template parameter_number<I>();
        else
            return r.template parameter<I>(k);
    }
    template <class R> constexpr void forward(R& r, std::size_t k, tape<R>& t) const { t.value = value(r, k); }
    template <class R, class V> constexpr void reverse(R& r, std::size_t k, const tape<R>&, const V& adjoint) const {
        if constexpr (Form == shape::number)
            r.template add_parameter_number<I>(adjoint);
        else
            r.template add_parameter<I>(k, adjoint);
    }
};

/// The transpose of a matrix of parameters, in products.
template <class B> struct transposed_block : expression {
    static constexpr std::size_t index = B::index;
    static constexpr shape form = shape::matrix;
    static constexpr bool active = true;
    constexpr transposed_block node() const { return {}; }
};

namespace detail {
template <std::size_t I, shape Form> struct named_block : expression {
    static constexpr std::size_t index = I;
    static constexpr shape form = Form;
    static constexpr bool active = true;
    constexpr parameter<I, Form> node() const { return {}; }
};
}  // namespace detail

/// Block I: a matrix that tables are multiplied by, from the right.
template <std::size_t I> struct matrix : detail::named_block<I, shape::matrix> {
    std::size_t rows = 0, columns = 0;
    constexpr matrix(std::size_t r, std::size_t c) : rows(r), columns(c) {}
    constexpr block_shape shape_of_block() const { return {rows, columns}; }
};
/// Block I: one number per output.
template <std::size_t I> struct row : detail::named_block<I, shape::row> {
    std::size_t columns = 0;
    constexpr explicit row(std::size_t c) : columns(c) {}
    constexpr block_shape shape_of_block() const { return {1, columns}; }
};
/// Block I: a column that tables are multiplied by; the product has one value per row.
template <std::size_t I> struct vector : detail::named_block<I, shape::vector> {
    std::size_t rows = 0;
    constexpr explicit vector(std::size_t r) : rows(r) {}
    constexpr block_shape shape_of_block() const { return {rows, 1}; }
};
/// Block I: one number.
template <std::size_t I> struct number : detail::named_block<I, shape::number> {
    constexpr block_shape shape_of_block() const { return {1, 1}; }
};

/// Tables times blocks.
template <class B>
concept Block = Operand<B> && Expression<B> && is_block(std::remove_cvref_t<B>::form);
template <class A>
concept Factor = Expression<A> && !is_block(shape_of<A>);

template <class B>
requires(Block<B>&& shape_of<B> == shape::matrix) constexpr auto transpose(const B& b) {
    using node = node_type<B>;
    static_cast<void>(b);
    return transposed_block<node>{};
}

}  // namespace gamut::autodiff
