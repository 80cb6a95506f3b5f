// expect: dual: needs a model with conjugate(alpha, y) and dual_step(alpha, y, z, q)
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const estimator fit{.model = model::hinge{}, .penalty = penalty::l2{}, .solver = solver::dual{}};
#else
    const estimator fit{.model = model::softmax{}, .penalty = penalty::l2{}, .solver = solver::dual{}};
#endif
    return fit.fit(data::csv<>{"file.csv"}).iterations == 0;
}
