// expect: cross_validate: the estimator's solver must be solver::path (it compares the fits of a path)
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const estimator fit{.model = model::linear{}, .penalty = penalty::l0{}, .solver = solver::path{}};
#else
    const estimator fit{.model = model::linear{}, .penalty = penalty::l0{}, .solver = solver::swap{}};
#endif
    return cross_validate(fit, data::csv<>{"file.csv"}).curve.empty();
}
