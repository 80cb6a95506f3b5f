// SPDX-License-Identifier: BSL-1.0
// compiled FILE.csv: two fits whose reader and solvers are in gamut::compiled. This file compiles none of them, so they are there if it links.
#include <gamut/compiled.hpp>
#include <gamut/gamut.hpp>

#include <cmath>
#include <cstdio>

int main(int, char** arguments) {
    using namespace gamut;
    const data::csv source{arguments[1]};
    const auto smooth = estimator{.model = model::logistic{}, .penalty = penalty::l2{.strength = 1e-3}}.fit(source);
    const auto sparse =
        estimator{.model = model::logistic{}, .penalty = penalty::l0{.kappa = 3, .l2 = 1e-3}}.fit(source);
    std::printf("objectives %.10f %.10f\n", smooth.objective, sparse.objective);
    return std::abs(smooth.objective - 0.0598279373) < 1e-8 && std::abs(sparse.objective - 0.1059198929) < 1e-8 ? 0 : 1;
}
