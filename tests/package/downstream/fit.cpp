// SPDX-License-Identifier: BSL-1.0
// A user's program: one fit, from a file whose path is its argument.
#include <gamut/gamut.hpp>

#include <cstdio>
#include <string>

int main(int, char** argv) {
    using namespace gamut;
    estimator sparse{.model = model::logistic{}, .penalty = penalty::l0{.kappa = 3, .l2 = 1e-3}};
    auto fit = sparse.fit(data::csv{.path = argv[1]});
    std::printf("objective %.10f, %s\n", fit.objective, std::string(core::name(fit.status)).c_str());
    return fit.objective < 0.1064 ? 0 : 1;
}
