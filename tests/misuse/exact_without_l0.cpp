// expect: exact: needs penalty::l0 (it proves which kappa weights are best); use solver::lbfgs or admm
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const estimator fit{.model = model::linear{}, .penalty = penalty::l0{}, .solver = solver::exact{}};
#else
    const estimator fit{.model = model::linear{}, .penalty = penalty::l1{}, .solver = solver::exact{}};
#endif
    return fit.fit(data::csv<>{"file.csv"}).iterations == 0;
}
