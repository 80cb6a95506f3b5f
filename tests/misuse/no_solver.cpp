// expect: estimator: solver needs minimize(problem, observers...); see gamut/solver/concept.hpp
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const estimator fit{.model = model::linear{}, .solver = solver::lbfgs{}};
#else
    const estimator fit{.model = model::linear{}, .solver = "lbfgs"};
#endif
    return fit.fit(data::csv<>{"file.csv"}).iterations == 0;
}
