// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstdint>

#include <gamut/core/error.hpp>

namespace gamut::table {

/// Which of a worker's rows goes first.
enum class priority {
    fifo,      ///< the one that was added to first
    random,    ///< any
    magnitude  ///< the one whose update is the greatest in proportion to what was read: |update| / |values|
};

/// When a worker's updates go out before its clock is over, so that the network is used while workers compute. Whenever
/// a worker reads or adds, a row's update goes if the worker's line is free: `idle` seconds and bytes / bandwidth
/// after the one before. A row that is added to again goes again. Results don't depend on it (asynchronous ones depend on
/// time anyway): what goes early only replaces what would go at the end of the clock.
/// Wei et al., Managed communication and consistency for fast data-parallel iterative analytics, SoCC 2015.
struct managed {
    double bandwidth = 0;  ///< bytes per second and worker; 0: nothing goes early
    double idle = 0;       ///< seconds between one that went early and the next
    table::priority priority = table::priority::fifo;
    std::uint64_t seed = 0;  ///< of priority::random

    void validate() const {
        if (!(bandwidth >= 0))
            throw core::option_error(
                core::text("table: bandwidth is ", bandwidth, " bytes per second (it must be 0 or more)"));
        if (!(idle >= 0) || !std::isfinite(idle))
            throw core::option_error(
                core::text("table: idle is ", idle, " seconds (it must be 0 or more, and finite)"));
    }
};

}  // namespace gamut::table
