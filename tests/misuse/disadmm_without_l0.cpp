// expect: disadmm: needs penalty::l0 (it searches for the best kappa weights); use solver::admm
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const estimator fit{.model = model::linear{}, .penalty = penalty::l0{}, .solver = solver::disadmm{}};
#else
    const estimator fit{.model = model::linear{}, .penalty = penalty::l1{}, .solver = solver::disadmm{}};
#endif
    return fit.fit(data::csv<>{"file.csv"}).iterations == 0;
}
