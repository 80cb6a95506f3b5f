// SPDX-License-Identifier: BSL-1.0
// A model of your own is a formula. Huber's loss grows like a square near 0 and like a line beyond delta, so a few wild
// measurements cannot drag the line away as they do with least squares. Gradients and Hessian products are derived from it.
#include <cmath>
#include <cstdio>
#include <vector>

#include <gamut/gamut.hpp>

using namespace gamut;

struct huber {
    double delta = 1;
    constexpr auto loss(auto w, auto X, auto y) const {
        auto r = X * w - y;
        return mean(choose(abs(r) < delta, 0.5 * square(r), delta * (abs(r) - 0.5 * delta)));
    }
    constexpr auto predict(auto w, auto X) const { return X * w; }
};

int main() {
    // y = 3 x + 1 and some noise; one measurement in ten is off by 50 x
    constexpr std::size_t rows = 200;
    const core::random noise{.seed = 1};
    std::vector<double> x(rows), y(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        x[i] = double(i) / rows;
        y[i] = 3 * x[i] + 1 + 0.1 * noise.normal(i) + (i % 10 == 9 ? 50 * x[i] : 0);
    }
    const data::arrays measurements(x, rows, 1, y);

    const auto squares = estimator{.model = model::linear{}}.fit(measurements);
    const auto robust = estimator{.model = huber{.delta = 0.2}}.fit(measurements);
    std::printf("truth          3.000 x + 1.000\n");
    std::printf("least squares %6.3f x + %5.3f\n", squares.weights[0], squares.intercept[0]);
    std::printf("huber         %6.3f x + %5.3f   (%s)\n", robust.weights[0], robust.intercept[0],
                robust.message.c_str());

    const bool close = std::abs(robust.weights[0] - 3) < 0.2 && std::abs(robust.intercept[0] - 1) < 0.1;
    return close && std::abs(squares.weights[0] - 3) > 1 ? 0 : 1;
}
