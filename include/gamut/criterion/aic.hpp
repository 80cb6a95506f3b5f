// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/criterion/concept.hpp>

namespace gamut::criterion {

/// deviance + 2 df: the fit that predicts best, if the model is about right. Chooses many weights.   Akaike 1974.
struct aic {
    double operator()(const information& fit) const { return fit.deviance + 2 * fit.degrees_of_freedom; }
};

}  // namespace gamut::criterion
