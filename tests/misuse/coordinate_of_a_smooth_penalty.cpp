// expect: coordinate: the penalty is smooth (it makes no zeros to work around) use solver::lbfgs, or penalty::elastic_net with l1 = 0
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const estimator fit{.model = model::linear{}, .penalty = penalty::l1{}, .solver = solver::coordinate{}};
#else
    const estimator fit{.model = model::linear{}, .penalty = penalty::l2{}, .solver = solver::coordinate{}};
#endif
    return fit.fit(data::csv<>{"file.csv"}).iterations == 0;
}
