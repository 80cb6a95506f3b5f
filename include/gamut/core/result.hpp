// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gamut/core/error.hpp>

namespace gamut::core {

/// How a run ended. `converged` implies that objective, iterate and residual are finite.
enum class status {
    converged,        ///< the residual fell below the tolerance
    iteration_limit,  ///< stop.iterations used up
    time_limit,       ///< stop.seconds used up
    stopped,          ///< an observer asked for it
    diverged,         ///< a value that is not finite, or an objective that grows without end
    separable,        ///< some rows can be told apart perfectly: the unpenalised minimum is at infinity
    stalled           ///< nothing gets better any more, but this is no minimum, or cannot be told to be one
};

inline constexpr status every_status[] = {status::converged, status::iteration_limit, status::time_limit,
                                          status::stopped,   status::diverged,        status::separable,
                                          status::stalled};

constexpr std::string_view name(status value) {
    switch (value) {
    case status::converged:
        return "converged";
    case status::iteration_limit:
        return "iteration limit";
    case status::time_limit:
        return "time limit";
    case status::stopped:
        return "stopped";
    case status::diverged:
        return "diverged";
    case status::separable:
        return "separable";
    case status::stalled:
        return "stalled";
    }
    return "unknown";
}

/// What a run shows observers besides numbers.
struct shown_run {
    virtual std::vector<double> weights() const = 0;

protected:
    ~shown_run() = default;
};

/// What an observer sees after an iteration; NaN: this solver has no such number. Everything but seconds, rank and
/// ranks has the same bits for every number of ranks. The two views must refer to string literals.
struct record {
    static constexpr double none = std::numeric_limits<double>::quiet_NaN();
    std::string_view solver{}, phase{};
    std::size_t iteration = 0;
    double objective = none;
    double residual = none;  ///< what the stopping rule compares with the tolerance
    double dual_residual = none;
    double step = none;  ///< step length, or the rho of a method of multipliers
    std::size_t nonzeros = 0;
    std::size_t passes = 0;  ///< over the data so far
    double seconds = 0;      ///< since the run began
    int rank = 0, ranks = 1;
    std::size_t limit = 0;           ///< iterations that the run may take; 0: not known
    const shown_run* run = nullptr;  ///< only while an observer is called; null: this solver shows no more

    /// The weights at this iteration, as the penalty sees them, intercepts last. A copy; no messages.
    std::vector<double> weights() const {
        if (run == nullptr)
            throw option_error(text("record: no weights (", solver.empty() ? "this solver" : solver,
                                    " shows none, or the observer is no longer called) use another observer"));
        return run->weights();
    }
};

/// How much of an objective may be too much: (objective - lower_bound) / |objective|, never below 0; NaN if there is no bound.
inline double relative_gap(double objective, double lower_bound) {
    return std::max(objective - lower_bound, 0.0) / std::max(std::abs(objective), std::numeric_limits<double>::min());
}

template <class Array> struct result {
    Array weights;
    double objective = std::numeric_limits<double>::quiet_NaN();
    double lower_bound = std::numeric_limits<double>::quiet_NaN();  ///< of the least objective; NaN: none was computed
    core::status status = core::status::iteration_limit;
    std::string message{};  ///< why it ended, in a sentence
    std::size_t iterations = 0;
    std::size_t passes = 0;  ///< over the data
    double seconds = 0;
    std::vector<record> history{};

    double gap() const { return relative_gap(objective, lower_bound); }
};

}  // namespace gamut::core
