// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <vector>

#include <gamut/table/detail/joint_run.hpp>
#include <gamut/table/record.hpp>

namespace gamut::table {

/// `clocks` clocks of workers that read and add to several tables: body(in_first, in_second, ...) is one clock of one
/// worker. The tables have the same workers; rules, rows and servers are each table's own.
///     table::run(100, [&](auto& weights, auto& counts) {...}, w, n);
/// Returns a report per table. Collective, see table::shared::run.
template <class Body, class... Table> std::vector<report> run(std::uint64_t clocks, Body body, Table&... tables) {
    return detail::joint_run<typename Table::part_type...>::of(clocks, body, tables.part_...);
}

}  // namespace gamut::table
