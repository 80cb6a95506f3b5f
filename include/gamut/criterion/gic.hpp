// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>

#include <gamut/criterion/concept.hpp>

namespace gamut::criterion {

/// deviance + log(log(rows)) log(candidates) df: for candidates whose number grows with the rows.
/// Fan and Tang, Tuning parameter selection in high dimensional penalized likelihood, JRSS B 75 (2013).
struct gic {
    double operator()(const information& fit) const {
        const auto p = static_cast<double>(std::max<std::size_t>(fit.candidates, 1));
        return fit.deviance + std::log(std::log(fit.rows)) * std::log(p) * fit.degrees_of_freedom;
    }
};

}  // namespace gamut::criterion
