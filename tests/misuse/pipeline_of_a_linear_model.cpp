// expect: pipeline: needs a network, or a solver::formula_problem, whose steps become stages; see docs/networks.md
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>
#include <gamut/network.hpp>
#include <gamut/solver/pipeline.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const estimator fit{.model = network::regressor{network::dense{1}}, .solver = solver::pipeline{.stages = 1}};
#else
    const estimator fit{.model = model::linear{}, .solver = solver::pipeline{.stages = 1}};
#endif
    return fit.fit(data::csv<>{"file.csv"}).iterations == 0;
}
