// SPDX-License-Identifier: BSL-1.0
// What does it take to prove that a choice of kappa columns is the best? Nodes and seconds of branch and bound on one thread,
// to a gap of 1e-4, and the gap that the bound at a heuristic's answer leaves. --seconds S limits each proof (60).
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <gamut/gamut.hpp>

#include "measure.hpp"

using namespace gamut;

namespace {

struct instance {
    const char* name;
    std::size_t n, p, kappa;
    double correlation, signal_to_noise, l2;  // neighbours' correlation: columns are an autoregressive sequence
    bool classes;
};

constexpr instance instances[] = {
    {"linear, n 500 p 100 kappa 10", 500, 100, 10, 0.35, 6, 0.1, false},
    {"linear, n 500 p 1000 kappa 10", 500, 1000, 10, 0.35, 6, 0.3, false},
    {"linear, n 100 p 1000 kappa 10, correlated", 100, 1000, 10, 0.7, 6, 1, false},
    {"linear, n 100 p 1000 kappa 10, correlated, less l2", 100, 1000, 10, 0.7, 6, 0.3, false},
    {"linear, n 100 p 1000 kappa 10, noise", 100, 1000, 10, 0.35, 2, 1, false},
    {"linear, n 500 p 40 kappa 10, no l2", 500, 40, 10, 0.7, 2, 0, false},
    {"logistic, n 500 p 50 kappa 5", 500, 50, 5, 0.5, 6, 0.01, true},
    {"logistic, n 1000 p 1000 kappa 10", 1000, 1000, 10, 0.5, 6, 0.05, true},
};

data::arrays<backend::dense_matrix<double>> rows_of(const instance& c) {
    const core::random draw{.seed = 3};
    std::vector<double> x(c.n * c.p), y(c.n), noise(c.n);
    double variance = 0;
    for (std::size_t i = 0; i < c.n; ++i) {
        double last = draw.normal(c.n * c.p + i * c.p);
        for (std::size_t j = 0; j < c.p; ++j) {
            last = c.correlation * last + std::sqrt(1 - c.correlation * c.correlation) * draw.normal(i * c.p + j);
            x[i * c.p + j] = last;
        }
        for (std::size_t s = 0; s < c.kappa; ++s) y[i] += x[i * c.p + s * c.p / c.kappa];
        variance += y[i] * y[i] / static_cast<double>(c.n);
        noise[i] = draw.normal(7 * c.n * c.p + i);
    }
    for (std::size_t i = 0; i < c.n; ++i) {
        y[i] += std::sqrt(variance / c.signal_to_noise) * noise[i];
        if (c.classes) y[i] = y[i] > 0 ? 1 : 0;
    }
    return data::arrays(x, c.n, c.p, y);
}

template <class Model> void measure(const instance& c, double seconds, std::vector<benchmark::record>& records) {
    const auto rows = rows_of(c);
    const penalty::l0 few{.kappa = c.kappa, .l2 = c.l2};
    const backend::host<> machine{.threads = 1};
    const estimator heuristic{
        .model = Model{}, .penalty = few, .solver = solver::swap{.bounding = {.steps = 100}}, .backend = machine};
    const estimator proof{.model = Model{},
                          .penalty = few,
                          .solver = solver::exact{.stop = {.tolerance = 1e-4, .seconds = seconds}},
                          .backend = machine};
    const auto guess = heuristic.fit(rows);
    const auto best = proof.fit(rows);
    std::printf("%-52s %8.3f s %7zu nodes %6zu passes  gap %.1e  swap: %8.3f s, gap %.4f, %.5f above\n", c.name,
                best.seconds, best.iterations, best.passes, best.gap(), guess.seconds, guess.gap(),
                guess.objective / best.objective - 1);
    records.push_back({c.name, "seconds", best.seconds, 10});
    records.push_back({c.name, "gap", best.gap(), 1e-4});
}

}  // namespace

int main(int argc, char** argv) {
    const double seconds = std::atof(benchmark::option(argc, argv, "--seconds", "60").c_str());
    std::vector<benchmark::record> records;
    for (const instance& c : instances)
        if (c.classes)
            measure<model::logistic>(c, seconds, records);
        else
            measure<model::linear>(c, seconds, records);
    return benchmark::report(records, benchmark::option(argc, argv, "--output", ""));
}
