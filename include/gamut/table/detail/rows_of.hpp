// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/table/concept.hpp>
#include <gamut/table/detail/dense_rows.hpp>
#include <gamut/table/detail/sparse_rows.hpp>
#include <gamut/table/sparse.hpp>

namespace gamut::table::detail {

template <class R> inline constexpr bool is_sparse = false;
template <Row R> inline constexpr bool is_sparse<sparse<R>> = true;

template <class R> struct rows_of_row { using type = dense_rows<R>; };
template <class R> struct rows_of_row<sparse<R>> { using type = sparse_rows<R>; };
template <class R> using rows_of = typename rows_of_row<R>::type;

template <class R> const R& logic_of(const R& row) { return row; }
template <class R> const R& logic_of(const sparse<R>& rows) { return rows.logic; }

}  // namespace gamut::table::detail
