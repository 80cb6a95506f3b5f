// SPDX-License-Identifier: BSL-1.0
// Four workers fit least squares through a parameter server on a fifth machine; in every clock another one of them is
// five times slower. What does each rule cost, and how near does it come to the truth? The machines do not exist: the
// seconds are those that such a network would take.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include <gamut/communicator/sim.hpp>
#include <gamut/consistency/asynchronous.hpp>
#include <gamut/consistency/backup_workers.hpp>
#include <gamut/consistency/bounded_staleness.hpp>
#include <gamut/consistency/bulk_synchronous.hpp>
#include <gamut/core/random.hpp>
#include <gamut/table/descent.hpp>
#include <gamut/table/shared.hpp>

using namespace gamut;
const std::vector<double> truth{3, -2, 0, 1, 0, 0, 5, -1};

/// Mean slope of 1/2 (x'w - y)^2 over the worker's 50 rows, which are drawn anew, and the same, each time.
std::vector<double> gradient(std::size_t worker, const std::vector<double>& w) {
    std::vector<double> slope(8), x(8);
    for (std::size_t i = 0; i < 50; ++i) {
        const core::random draws{.seed = worker, .stream = i};
        double error = 0.1 * draws.normal(8);
        for (std::size_t j = 0; j < 8; ++j) error += (x[j] = draws.normal(j)) * (w[j] - truth[j]);
        for (std::size_t j = 0; j < 8; ++j) slope[j] += error * x[j] / 50;
    }
    return slope;
}

double slowly(int rank, std::uint64_t clock) { return clock % 4 + 1 == std::uint64_t(rank) ? 5 : 1; }
double seconds(const char* name, const auto& rule, double rate) {
    const auto work = [&](const auto& ranks) {
        const table::layout layout{.width = 8, .workers_on = {1, 2, 3, 4}, .servers_on = {0}};
        table::shared weights{ranks, layout, table::descent{.rate = rate}, rule};
        const auto said = weights.run(100, [&](auto& me) {
            const auto w = me.get(0);
            ranks.work(0.01);
            me.add(0, gradient(me.id(), w));
        });
        double error = 0;
        for (std::size_t j = 0; const double w : weights.row(0)) error = std::max(error, std::abs(w - truth[j++]));
        if (ranks.rank() == 0)
            std::printf("%-18s %8.2f %8.1f %8.2f\n", name, said.seconds, said.total.staleness, 1000 * error);
    };
    return communicator::sim<>::run(5, {.latency = 1e-3, .slower = slowly}, work).seconds;
}

int main() {
    std::printf("%-18s %8s %8s %8s\n", "rule", "seconds", "stale", "1000 err");
    const double together = seconds("bulk synchronous", consistency::bulk_synchronous{}, 0.2);
    const double loosely = seconds("slack 3, pushed", consistency::bounded_staleness{.slack = 3, .pushes = true}, 0.2);
    const double backup = seconds("the first 3 of 4", consistency::backup_workers{.enough = 3}, 0.2);
    const double alone = seconds("asynchronous", consistency::asynchronous{}, 0.05);
    return loosely < together && backup < together && alone < together ? 0 : 1;
}
