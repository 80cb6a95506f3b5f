// SPDX-License-Identifier: BSL-1.0
// One logistic ADMM fit on the cuda system. Where there is a GPU its weights must be a minimum, checked with plain loops.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <random>
#include <vector>

#include <gamut/backend/device_sweep.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/error.hpp>
#include <gamut/data/dataset.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/solver/admm.hpp>
#include <gamut/solver/problem.hpp>

using namespace gamut;

namespace {

constexpr std::size_t n = 1000, p = 8;
constexpr double strength = 0.02;
using rows = data::dataset<backend::dense_matrix<double>>;

std::vector<double> fit(const rows& x) {
    using machine = backend::device<double, backend::system::cuda>;
    using communicator::single;
    const solver::problem<model::logistic, rows, penalty::l1, machine, single<>> problem(
        model::logistic{}, x, penalty::l1{.strength = strength}, machine{}, single<>{}, true);
    const solver::admm<> consensus{.stop = {.iterations = 2000, .tolerance = 1e-12}};
    return consensus.minimize(problem).weights.download();
}

/// How far 0 is from the subgradients of the objective at w, whose last entry is the intercept.
double distance_from_a_minimum(const rows& data, const std::vector<double>& w) {
    std::vector<double> gradient(p + 1);
    for (std::size_t i = 0; i < n; ++i) {
        double z = w[p];
        for (std::size_t j = 0; j < p; ++j) z += data.x(i, j) * w[j];
        const double s = (1 / (1 + std::exp(-z)) - data.y[i]) / static_cast<double>(n);
        for (std::size_t j = 0; j < p; ++j) gradient[j] += s * data.x(i, j);
        gradient[p] += s;
    }
    double worst = std::abs(gradient[p]);
    for (std::size_t j = 0; j < p; ++j) {
        const double slope = w[j] > 0 ? strength : -strength;
        const double d = w[j] != 0 ? std::abs(gradient[j] + slope) : std::abs(gradient[j]) - strength;
        worst = d > worst || d != d ? d : worst;
    }
    return worst;
}

}  // namespace

int main() {
    std::mt19937 engine(1);
    const auto draw = [&] { return static_cast<double>(engine()) / 2147483648.0 - 1; };
    rows observed;
    observed.x = backend::dense_matrix<double>(n, p);
    for (double& x : observed.x.values) x = draw();
    for (std::size_t i = 0; i < n; ++i)
        observed.y.push_back(observed.x(i, 0) - 0.5 * observed.x(i, 1) + draw() > 0.1 ? 1 : 0);
    observed.partition = data::partition(n, p);
    observed.classes = {"0", "1"};
    try {
        const std::vector<double> w = fit(observed);
        const double distance = distance_from_a_minimum(observed, w);
        const auto zeros = std::count(w.begin(), w.end(), 0.0);
        std::printf("distance from a minimum: %g; %zu weights are 0\n", distance, static_cast<std::size_t>(zeros));
        return distance <= 1e-9 && zeros > 0 ? 0 : 1;
    } catch (const core::error& problem) {
        std::printf("%s\n", problem.what());
        return 1;
    }
}
