// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace gamut::table {

/// What happened in a clock of a table, over all ranks. In runs of more than 65,536 clocks a record covers several.
struct record {
    std::string table{};
    std::uint64_t clock = 0;   ///< the first that it covers
    std::uint64_t clocks = 1;  ///< that it covers
    std::uint64_t messages = 0, bytes = 0;
    std::uint64_t hits = 0, waits = 0;  ///< readings that the rank's own copy answered, and others
    double waited = 0;                  ///< seconds, of all workers together
    std::uint64_t applied = 0;          ///< updates of workers (asynchronous: of rows) that were applied
    std::uint64_t late = 0;             ///< and that came too late to be (backup_workers)
    std::uint64_t early = 0;            ///< rows' updates that went before the clock was over (managed)
    std::uint64_t pushed = 0;           ///< rows that servers sent without being asked
    double staleness = 0;               ///< mean: clocks that a reading lacked; asynchronous: updates that came between
    std::uint64_t most_stale = 0;       ///< the greatest
    double seconds = 0;                 ///< since the run began, when the last worker ended this clock
};

/// What a run says of itself.
struct report {
    std::string message{};  ///< a sentence when something should be known, else empty
    double seconds = 0;     ///< virtual ones on communicator::sim
    record total{};         ///< over all clocks
    std::vector<record> history{};
};

/// Anything callable with a record.
template <class O>
concept Observer = std::invocable<O&, const record&>;

}  // namespace gamut::table
