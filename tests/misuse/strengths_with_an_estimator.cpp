// expect: estimator: this solver's result is not a fit nor a path of kappas (strengths: a fit for each strength) call its minimize(problem) yourself; see examples/lasso_path.cpp
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const estimator fit{.model = model::linear{}, .penalty = penalty::l1{}, .solver = solver::coordinate{}};
#else
    const estimator fit{.model = model::linear{}, .penalty = penalty::l1{}, .solver = solver::strengths{}};
#endif
    return fit.fit(data::csv<>{"file.csv"}).iterations == 0;
}
