// SPDX-License-Identifier: BSL-1.0
// A support vector machine on tumour cells, solved through its dual: every round bounds the best objective from both sides, so the
// run can stop when they meet, and says how close it is. On 4 blocks (for ranks, threads) it ends
// at the same machine, later.
#include <cmath>
#include <cstdio>

#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
    const data::csv<> cells{.path = "examples/data/breast_cancer.csv"};
    double objectives[2];
    for (const std::size_t blocks : {1U, 4U}) {
        const estimator machine{.model = model::hinge{},
                                .penalty = penalty::l2{.strength = 0.01},
                                .solver =
                                    solver::dual{.blocks = blocks, .stop = {.iterations = 5000, .tolerance = 1e-6}}};
        const auto fit = machine.fit(cells, [](const core::record& now) {
            if ((now.iteration & (now.iteration - 1)) == 0)  // 1, 2, 4, 8 ...
                std::printf("round %4zu   %.7f <= minimum <= %.7f\n", now.iteration, now.objective * (1 - now.residual),
                            now.objective);
        });
        std::printf("%zu block%s: %s after %zu passes; %.1f %% of the cells told apart\n\n", blocks,
                    blocks == 1 ? "" : "s", fit.message.c_str(), fit.passes, 100 * fit.score(cells).accuracy);
        objectives[blocks / 4] = fit.objective;
    }
    return std::abs(objectives[1] / objectives[0] - 1) < 2e-6 ? 0 : 1;
}
