// SPDX-License-Identifier: BSL-1.0
// Second derivatives of a network: Newton's method by products of the Hessian with vectors, each about two gradients, ends where the
// gradient is 0 to eight digits; descent by gradients of batches comes near.
#include <cstdio>
#include <string>

#include <gamut/gamut.hpp>
#include <gamut/network.hpp>

using namespace gamut;

int main() {
    const data::csv<> cancer{.path = "examples/data/breast_cancer.csv"};
    const auto layers = network::classifier{network::dense{8}, network::tanh{}, network::dense{2}};
    const auto fit_by = [&](const char* name, const auto& solver) {
        const estimator e{.model = layers, .penalty = penalty::l2{1e-2}, .solver = solver};
        const auto fit = e.fit(data::all_but_every(cancer, 5));
        std::printf("%-22s objective %.8f, |gradient| %.1e, %3zu iterations, %4zu passes: %s\n", name, fit.objective,
                    fit.history.back().residual, fit.iterations, fit.passes,
                    std::string(core::name(fit.status)).c_str());
        return fit;
    };
    const auto newton = fit_by("Newton, by products", solver::newton_cg{.stop = {.iterations = 200}});
    const auto descent =
        fit_by("gradients alone", solver::sgd{.rate = 0.1, .momentum = 0.9, .batch = 64, .stop = {.iterations = 60}});
    return newton.status == core::status::converged && newton.objective <= descent.objective + 1e-6 ? 0 : 1;
}
