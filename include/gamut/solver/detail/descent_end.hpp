// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>

#include <gamut/core/result.hpp>
#include <gamut/core/stop.hpp>

namespace gamut::solver::detail {

/// When a method ends that measures its objective and a relative residual (a duality gap, or a violation of the conditions of
/// optimality) now and then: at the tolerance, at the limits, or where neither has got better for so long that rounding must hide
/// what is left to do.
class descent_end {
public:
    /// patience: measurements in which nothing gets better; progress: what a residual must fall to, times its least so far, to be
    /// better; epsilon: the arithmetic's.
    descent_end(const core::stop& stop, std::size_t patience, double progress, double epsilon)
        : stop_(stop),
          patience_(patience),
          progress_(progress),
          epsilon_(epsilon) {}

    /// After measurement k = 1, 2, ...; asked: by an observer or the clock.
    std::optional<core::status> operator()(std::size_t k, double objective, double residual,
                                           std::optional<core::status> asked) {
        const bool better = objective < least_objective_ - 4 * epsilon_ * std::abs(least_objective_) ||
                            residual < progress_ * least_residual_ || k == 1;
        stalled_ = better ? 0 : stalled_ + 1;
        least_objective_ = std::min(least_objective_, objective);
        least_residual_ = std::min(least_residual_, residual);
        if (!std::isfinite(objective) || std::isnan(residual)) return core::status::diverged;
        if (residual <= stop_.tolerance) return core::status::converged;
        if (asked) return asked;
        if (at_rest() && residual <= 64 * epsilon_) return core::status::converged;
        if (at_rest()) return core::status::stalled;
        if (k >= stop_.iterations) return core::status::iteration_limit;
        return std::nullopt;
    }

    bool at_rest() const { return stalled_ >= patience_; }
    double least_objective() const { return least_objective_; }

    /// What must outlive an interruption; see state.hpp.
    template <class Each> void describe(Each& each) {
        each("stalled", stalled_);
        each("least_objective", least_objective_);
        each("least_residual", least_residual_);
    }

private:
    core::stop stop_;
    std::size_t patience_, stalled_ = 0;
    double progress_, epsilon_;
    double least_objective_ = std::numeric_limits<double>::infinity(), least_residual_ = least_objective_;
};

}  // namespace gamut::solver::detail
