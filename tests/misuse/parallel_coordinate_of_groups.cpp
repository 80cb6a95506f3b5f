// expect: parallel_coordinate: needs a penalty of one weight after the other (l1, elastic_net, mcp, scad ...); use solver::coordinate for groups
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const estimator fit{.model = model::linear{}, .penalty = penalty::l1{}, .solver = solver::parallel_coordinate{}};
#else
    const estimator fit{.model = model::linear{}, .penalty = penalty::group{}, .solver = solver::parallel_coordinate{}};
#endif
    return fit.fit(data::csv<>{"file.csv"}).iterations == 0;
}
