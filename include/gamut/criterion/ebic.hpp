// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>

#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/criterion/bic.hpp>

namespace gamut::criterion {

/// bic + 2 gamma log(number of supports of that size): for many candidates. gamma = 0 is bic; 1 is right when there are far more
/// candidates than rows.   Chen and Chen, Extended Bayesian information criteria, Biometrika 95 (2008).
struct ebic {
    double gamma = 0.5;

    double operator()(const information& fit) const {
        if (!(gamma >= 0 && gamma <= 1))
            throw core::option_error(core::text("ebic: gamma is ", gamma, " (it must lie between 0 and 1)"));
        const auto p = static_cast<double>(fit.candidates), k = static_cast<double>(fit.chosen);
        const double supports = std::lgamma(p + 1) - std::lgamma(k + 1) - std::lgamma(p - k + 1);
        return bic{}(fit) + 2 * gamma * supports;
    }
};

}  // namespace gamut::criterion
