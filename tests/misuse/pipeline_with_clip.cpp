// expect: pipeline: update::clip needs the length of the whole gradient, which no stage has; use another update
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>
#include <gamut/network.hpp>
#include <gamut/solver/pipeline.hpp>
#include <gamut/update/clip.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const auto rule = update::plain{};
#else
    const auto rule = update::clip<>{};
#endif
    const estimator fit{.model = network::regressor{network::dense{1}}, .solver = solver::pipeline{.update = rule}};
    return fit.fit(data::csv<>{"file.csv"}).iterations == 0;
}
