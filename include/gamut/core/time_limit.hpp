// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/core/clock.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>

namespace gamut::core {

/// Observer: stops at the first iteration that ends `seconds` after the observer was made, on whichever rank that is first:
/// a budget for all that a program does, while a solver's stop.seconds is one for its run alone.
struct time_limit {
    double seconds = 3600;
    clock since{};

    bool operator()(const record&) const {
        if (!(seconds >= 0))
            throw option_error(text("time_limit: seconds is ", seconds, " (it must be 0 or more) try 3600"));
        return since.seconds() >= seconds;
    }
};

}  // namespace gamut::core
