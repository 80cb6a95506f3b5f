// expect: parallel_coordinate: needs backend::host and a model of one output with largest_curvature; see gamut/solver/column_view.hpp
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const estimator fit{.model = model::logistic{}, .penalty = penalty::l1{}, .solver = solver::parallel_coordinate{}};
#else
    const estimator fit{.model = model::poisson{}, .penalty = penalty::l1{}, .solver = solver::parallel_coordinate{}};
#endif
    return fit.fit(data::csv<>{"file.csv"}).iterations == 0;
}
