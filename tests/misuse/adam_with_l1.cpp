// expect: sgd: an adaptive update needs a smooth penalty (a prox has one step for all weights); use update::momentum, or penalty::l2
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>
#include <gamut/update/adam.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const estimator fit{
        .model = model::linear{}, .penalty = penalty::l2{}, .solver = solver::sgd{.update = update::adam{}}};
#else
    const estimator fit{
        .model = model::linear{}, .penalty = penalty::l1{}, .solver = solver::sgd{.update = update::adam{}}};
#endif
    return fit.fit(data::csv<>{"file.csv"}).iterations == 0;
}
