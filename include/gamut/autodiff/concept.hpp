// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <type_traits>

namespace gamut::autodiff {

/// Base of everything that may stand in a formula. It holds nothing: it marks a type as an expression and makes the
/// operators of this namespace visible for it.
struct expression {};

template <class E>
concept Expression = std::derived_from<std::remove_cvref_t<E>, expression>;

/// Number of values a formula has.
///   scalar   one, known now (a constant)
///   entries  one per entry of an array
///   weights  one per entry of the weights
///   rows     one per row of the data
///   table    one per row and output
///   row      one per output, the same for all rows (a bias, a mean over the rows)
///   number   one, the same for all rows and outputs
///   matrix   a block of parameters that only products read, and
///   vector   the same with one column
///   total    one, a sum over all rows; only linear combinations of totals are formulas
enum class shape { scalar, entries, weights, rows, table, row, number, matrix, vector, total, invalid };

constexpr bool is_block(shape s) { return s == shape::matrix || s == shape::vector; }

constexpr shape combine(shape a, shape b) {
    if (a == shape::total || b == shape::total) return a == b ? shape::total : shape::invalid;
    if (a == shape::scalar) return b;
    if (is_block(a) || is_block(b)) return shape::invalid;
    if (b == shape::scalar || a == b) return a;
    const auto tabular = [](shape s) {
        return s == shape::rows || s == shape::table || s == shape::row || s == shape::number;
    };
    if (!tabular(a) || !tabular(b)) return shape::invalid;
    if (a == shape::number) return b;
    if (b == shape::number) return a;
    return shape::table;
}

template <class E> inline constexpr shape shape_of = std::remove_cvref_t<E>::form;

/// An expression that can be evaluated at one index alone, so that a whole tree is one loop or one kernel.
template <class E>
concept Elementwise = Expression<E> &&(shape_of<E> != shape::total) && (shape_of<E> != shape::invalid) &&
                      !is_block(shape_of<E>);

/// What may be written beside an expression: another one, or a number.
template <class E>
concept Operand = Expression<E> || std::is_arithmetic_v<std::remove_cvref_t<E>>;

}  // namespace gamut::autodiff
