// expect: newton_cg: needs a smooth penalty (l1 has a corner at 0); use solver::admm
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const estimator fit{.model = model::linear{}, .penalty = penalty::l2{}, .solver = solver::newton_cg{}};
#else
    const estimator fit{.model = model::linear{}, .penalty = penalty::l1{}, .solver = solver::newton_cg{}};
#endif
    return fit.fit(data::csv<>{"file.csv"}).iterations == 0;
}
