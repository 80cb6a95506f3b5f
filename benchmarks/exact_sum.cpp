// SPDX-License-Identifier: BSL-1.0
// What do sums cost that have the same bits on any number of ranks? Whole fits of a logistic regression with exact sums over
// the same with fast ones. Medians of alternating runs.
#include <cstddef>
#include <vector>

#include <gamut/gamut.hpp>

#include "measure.hpp"

using namespace gamut;

namespace {

template <class Sums, class Source> double time_of_fit(const Source& rows) {
    const estimator ridge{.model = model::logistic{},
                          .penalty = penalty::l2{.strength = 1e-4},
                          .communicator = communicator::single<Sums>{}};
    return ridge.fit(rows).seconds;
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t n = 100000, p = 100;
    const core::random draw{.seed = 2};
    std::vector<double> x(n * p);
    std::vector<int> y(n);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = draw.uniform(i) - 0.5;
    for (std::size_t i = 0; i < n; ++i) y[i] = x[i * p] + x[i * p + 1] + 0.5 * draw.normal(i) > 0 ? 1 : 0;
    const data::arrays rows(x, n, p, y);
    std::vector<double> ratios;
    for (int repeat = 0; repeat < 9; ++repeat) {
        const double exact = time_of_fit<core::exact>(rows), fast = time_of_fit<core::fast>(rows);
        if (repeat > 0) ratios.push_back(exact / fast);
    }
    return benchmark::report({{"logistic_100", "over_fast", benchmark::median(ratios), 1.05}},
                             benchmark::option(argc, argv, "--output", ""));
}
