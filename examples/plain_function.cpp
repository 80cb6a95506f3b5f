// SPDX-License-Identifier: BSL-1.0
// A solver on a function of your own: give its value, fill in its gradient. No data, no model, no ranks.
#include <cmath>
#include <cstdio>
#include <vector>

#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
    // Rosenbrock's valley in ten dimensions: curved, flat along its floor, lowest at (1, ..., 1)
    const auto rosenbrock = [](auto w, auto gradient) {
        double value = 0;
        for (double& g : gradient) g = 0;
        for (std::size_t i = 0; i + 1 < w.size(); ++i) {
            const double off_floor = w[i + 1] - w[i] * w[i], to_go = 1 - w[i];
            value += 100 * off_floor * off_floor + to_go * to_go;
            gradient[i] += -400 * w[i] * off_floor - 2 * to_go;
            gradient[i + 1] += 200 * off_floor;
        }
        return value;
    };

    const std::vector<double> start(10, -0.5);
    const auto fit = solver::lbfgs{}.minimize(solver::plain_function{start, rosenbrock}, core::progress{});
    std::printf("%s after %zu evaluations: %.3g at (%.6f, ..., %.6f)\n", fit.message.c_str(), fit.passes, fit.objective,
                fit.weights[0], fit.weights[9]);

    bool right = fit.status == core::status::converged;
    for (std::size_t i = 0; i < start.size(); ++i) right = right && std::abs(fit.weights[i] - 1) < 1e-5;
    return right ? 0 : 1;
}
