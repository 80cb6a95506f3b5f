// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>

namespace gamut::quadratic {

/// One weight alone:
///   weight = argmin over lower <= z <= upper of  1/2 curvature z^2 - slope z + l1 |z|  = clamp(soft(slope, l1) / curvature),
///   gain   = minus that minimum, at least 0.
/// Given are curvature > 0, l1 >= 0 and lower <= 0 <= upper. O(1).
struct best_alone {
    double weight = 0, gain = 0;
    best_alone() = default;
    best_alone(double slope, double curvature, double l1, double lower, double upper) {
        const double soft = slope > l1 ? slope - l1 : slope < -l1 ? slope + l1 : 0;
        weight = std::clamp(soft / curvature, lower, upper);
        gain = weight * slope - l1 * std::abs(weight) - 0.5 * curvature * weight * weight;
    }
};

}  // namespace gamut::quadratic
