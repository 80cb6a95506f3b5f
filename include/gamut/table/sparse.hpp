// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/fwd.hpp>
#include <gamut/table/concept.hpp>
#include <gamut/table/sum.hpp>

namespace gamut::table {

/// Rows of which only the entries exist that were ever added to: as wide as 64 bits count, read and added to as
/// table::entries. `logic` is any row that works entry by entry; the values are those of the same row, dense.
/// A clock costs in proportion to the entries that it adds to when the logic is additive (sum), else to all that exist.
template <class R> struct sparse { R logic{}; };

sparse()->sparse<>;
template <class R> sparse(R) -> sparse<R>;

}  // namespace gamut::table
