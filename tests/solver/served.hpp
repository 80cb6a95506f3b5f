// SPDX-License-Identifier: BSL-1.0
// Logistic regression by workers and servers.
#pragma once

#include <cstddef>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/consistency/bulk_synchronous.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/asynchronous.hpp>
#include <gamut/solver/problem.hpp>
#include <gamut/update/momentum.hpp>

namespace served {

using namespace gamut;

/// 160 rows of 5 columns and two classes.
inline auto rows() {
    const core::random draw{.seed = 31};
    constexpr std::size_t n = 160, p = 5;
    std::vector<double> x(n * p), y(n);
    for (std::size_t i = 0; i < n; ++i) {
        double z = 3 * draw.normal(100'000 + i);
        for (std::size_t j = 0; j < p; ++j) z += (x[i * p + j] = draw.normal(i * p + j)) * (j % 2 ? -1 : 1);
        y[i] = z > 0 ? 1 : 0;
    }
    return data::arrays(x, n, p, y);
}

template <class C, class Solver> auto minimum(const C& c, const Solver& solver) {
    const auto data = rows().load(c, {.classification = true, .blocks = 7});
    const solver::problem problem(model::logistic{}, data, penalty::l2{.strength = 1e-2}, backend::host<>{.threads = 1},
                                  c, true);
    return solver.minimize(problem);
}

template <class K> using by_table = solver::asynchronous<double, update::momentum, K>;

/// What must have the same bits on any number of ranks.
template <class K> by_table<K> steps(const K& rule, std::size_t servers) {
    return {.rate = 0.05,
            .update = {.momentum = 0.5},
            .batch = 40,
            .blocks = 7,
            .consistency = rule,
            .servers = servers,
            .stop = {.iterations = 4, .tolerance = 0}};
}

}  // namespace served
