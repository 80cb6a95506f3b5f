// SPDX-License-Identifier: BSL-1.0
// Is there a better choice of features than the one found? A heuristic's answer comes with a gap: no support can be better by
// more than that. Branch and bound closes it: then the choice is proven.
#include <cmath>
#include <cstdio>

#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
    const data::csv<> tumours{.path = "examples/data/breast_cancer.csv"};
    bool right = true;
    std::printf("kappa  solver    objective  lower bound     gap  nodes  features\n");
    const auto print = [](std::size_t kappa, const char* solver, const auto& fit, std::size_t nodes) {
        std::printf("%5zu  %-8s %10.7f %12.7f %6.2f%% %6zu ", kappa, solver, fit.objective, fit.lower_bound,
                    100 * fit.gap(), nodes);
        for (const auto j : fit.support()) std::printf(" %s,", fit.features[j].c_str());
        std::printf("\n");
    };
    for (std::size_t kappa = 1; kappa <= 3; ++kappa) {
        const penalty::l0 few{.kappa = kappa, .l2 = 1e-3};
        const estimator search{.model = model::logistic{}, .penalty = few};
        const estimator proof{.model = model::logistic{}, .penalty = few, .solver = solver::exact{}};
        const auto guess = search.fit(tumours);
        const auto best = proof.fit(tumours);
        print(kappa, "disadmm", guess, 0);
        print(kappa, "exact", best, best.iterations);
        right = right && best.status == core::status::converged && best.gap() <= 1e-6 &&
                best.objective <= guess.objective + 1e-9 && guess.lower_bound <= best.objective;
    }

    // not enough nodes: the best so far, and how much better another choice might be
    const estimator hasty{.model = model::logistic{},
                          .penalty = penalty::l0{.kappa = 5, .l2 = 1e-3},
                          .solver = solver::exact{.stop = {.iterations = 50}}};
    const auto open = hasty.fit(tumours);
    std::printf("kappa 5, %s: %s\n", std::string(core::name(open.status)).c_str(), open.message.c_str());
    return right && open.gap() > 0 && open.gap() < 1 ? 0 : 1;
}
