// expect: coordinate: the loss has corners (it works on second derivatives) use solver::dual, which needs an l2, or solver::admm
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const estimator fit{.model = model::hinge{}, .penalty = penalty::l1{}, .solver = solver::admm{}};
#else
    const estimator fit{.model = model::hinge{}, .penalty = penalty::l1{}, .solver = solver::coordinate{}};
#endif
    return fit.fit(data::csv<>{"file.csv"}).iterations == 0;
}
