// expect: path: needs penalty::l0 (it counts weights); for other penalties use solver::strengths
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const estimator fit{.model = model::linear{}, .penalty = penalty::l0{}, .solver = solver::path{}};
    return fit.fit(data::csv<>{"file.csv"}).size() == 0;
#else
    const estimator fit{.model = model::linear{}, .penalty = penalty::l1{}, .solver = solver::path{}};
    return fit.fit(data::csv<>{"file.csv"}).iterations == 0;
#endif
}
