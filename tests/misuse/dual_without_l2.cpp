// expect: dual: needs penalty::l2 or penalty::elastic_net (without l2 the dual has no weights); use solver::admm
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const estimator fit{.model = model::logistic{}, .penalty = penalty::elastic_net{}, .solver = solver::dual{}};
#else
    const estimator fit{.model = model::logistic{}, .penalty = penalty::l1{}, .solver = solver::dual{}};
#endif
    return fit.fit(data::csv<>{"file.csv"}).iterations == 0;
}
