// SPDX-License-Identifier: BSL-1.0
// Which few of ten measurements tell most about the progression of diabetes? Least squares on the best kappa features.
#include <cmath>
#include <cstdio>

#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
    const data::csv<> patients{.path = "examples/data/diabetes.csv"};
    // the sums of squares that the best subsets leave, found by trying all of them
    const double known[] = {1719581.811, 1416694.014, 1362708.694, 1331431.404, 1287881.155};
    bool right = true;
    const solver::disadmm<> thorough{.growth = 1.02};  // the slower, the more subsets it comes across

    std::printf("kappa      R2  features\n");
    for (std::size_t kappa = 1; kappa <= 5; ++kappa) {
        const estimator subset{.model = model::linear{}, .penalty = penalty::l0{.kappa = kappa}, .solver = thorough};
        const auto fit = subset.fit(patients);
        const auto quality = fit.score(patients);
        std::printf("%5zu  %6.4f ", kappa, quality.r_squared);
        for (const auto j : fit.support()) std::printf(" %s", fit.features[j].c_str());
        std::printf("\n");
        const double residual = 2 * quality.loss * double(quality.rows);
        right = right && std::abs(residual / known[kappa - 1] - 1) < 1e-6;
    }

    // people whom the fit has not seen, in the units of the file: age, sex, bmi, bp, s1 .. s6
    const xt::xtensor<double, 2> strangers{{.04, .05, .06, .02, -.04, -.03, -.04, -.002, .02, -.02},
                                           {.04, .05, -.06, .02, -.04, -.03, .04, -.002, -.05, -.02}};
    const estimator subset{.model = model::linear{}, .penalty = penalty::l0{.kappa = 5}, .solver = thorough};
    const auto expected = subset.fit(patients).predict(data::arrays(strangers));
    std::printf("heavy %.0f, lean %.0f (from 25 to 346)\n", expected.value(0), expected.value(1));
    return right && expected.value(0) > expected.value(1) ? 0 : 1;
}
