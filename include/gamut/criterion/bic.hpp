// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>

#include <gamut/criterion/concept.hpp>

namespace gamut::criterion {

/// deviance + log(rows) df: finds the true weights among few candidates, given rows enough.   Schwarz 1978.
struct bic {
    double operator()(const information& fit) const {
        return fit.deviance + std::log(fit.rows) * fit.degrees_of_freedom;
    }
};

}  // namespace gamut::criterion
