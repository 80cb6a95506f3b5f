// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>

namespace gamut::quadratic {

/// One weight alone: the z that makes 1/2 curvature z^2 - slope z + l1 |z| least within bounds, and what that is below 0.
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
