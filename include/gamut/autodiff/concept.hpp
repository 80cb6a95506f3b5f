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
///   total    one, a sum over all rows; only linear combinations of totals are formulas
enum class shape { scalar, entries, weights, rows, table, total, invalid };

constexpr shape combine(shape a, shape b) {
    if (a == shape::total || b == shape::total) return a == b ? shape::total : shape::invalid;
    if (a == shape::scalar) return b;
    if (b == shape::scalar || a == b) return a;
    if ((a == shape::rows && b == shape::table) || (a == shape::table && b == shape::rows)) return shape::table;
    return shape::invalid;
}

template <class E> inline constexpr shape shape_of = std::remove_cvref_t<E>::form;

/// An expression that can be evaluated at one index alone, so that a whole tree is one loop or one kernel.
template <class E>
concept Elementwise = Expression<E> &&(shape_of<E> != shape::total) && (shape_of<E> != shape::invalid);

/// What may be written beside an expression: another one, or a number.
template <class E>
concept Operand = Expression<E> || std::is_arithmetic_v<std::remove_cvref_t<E>>;

}  // namespace gamut::autodiff
