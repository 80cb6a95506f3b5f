// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gamut/table/managed.hpp>

namespace gamut::table {

/// How large a table is, who works on it, and who keeps it. Workers and servers are numbers of their own, dealt in runs to
/// the ranks, or to those that are named; their counts need not divide each other, and a rank may have several of both.
/// Server s keeps the rows s, s + servers, s + 2 servers ...; rows come into being when they are first added to.
struct layout {
    std::uint64_t rows = 1, width = 1;
    std::size_t workers = 0, servers = 0;         ///< 0: one per rank
    std::vector<int> workers_on{}, servers_on{};  ///< these ranks only; none: all of them
    table::managed early{};                       ///< what goes out before a clock is over
    std::string name = "table";                   ///< as records and errors call it
};

}  // namespace gamut::table
