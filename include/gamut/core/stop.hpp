// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/core/error.hpp>

namespace gamut::core {

/// When to stop: whichever comes first. What the tolerance is compared with is written at each solver.
struct stop {
    std::size_t iterations = 1000;
    double tolerance = 1e-8;
    double seconds = 0;  ///< 0: no limit

    /// Throws option_error; `who` is the solver's name, for the message. NaN is refused.
    void validate(const char* who) const {
        if (!(tolerance >= 0))
            throw option_error(text(who, ": stop.tolerance is ", tolerance, " (it must be 0 or more) try 1e-8"));
        if (!(seconds >= 0))
            throw option_error(text(who, ": stop.seconds is ", seconds, " (it must be 0 or more) 0 means no limit"));
    }
};

}  // namespace gamut::core
