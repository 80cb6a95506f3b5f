// SPDX-License-Identifier: BSL-1.0
// Nobody waits for anybody: eight nodes on a one-way ring send parts of what they have to the next and go on. On simulated ranks one
// of which is ten times slower, in virtual seconds, beside a step in which all wait for all.
#include <cstdio>

#include <gamut/communicator/sim.hpp>
#include <gamut/exchange/all_reduce.hpp>
#include <gamut/exchange/asynchronous_push_sum.hpp>
#include <gamut/gamut.hpp>
#include <gamut/topology/ring.hpp>

using namespace gamut;

struct outcome {
    double objective = 0, apart = 0, seconds = 0;
};

template <class Exchange> outcome run(const Exchange& exchange, double rate) {
    outcome found;
    const communicator::network machines{.latency = 1e-3, .stragglers = {{.rank = 5, .factor = 10}}};
    const auto done = communicator::sim<>::run(8, machines, [&](const communicator::sim<>& ranks) {
        const auto rows = data::csv<>{.path = "examples/data/diabetes.csv"}.load(ranks, {.blocks = 8});
        const solver::problem problem(model::linear{}, rows, penalty::l2{.strength = 0.1}, backend::host<>{}, ranks,
                                      true, data::standardize(ranks, rows));
        const solver::sgd solver{.rate = rate,
                                 .batch = 442,
                                 .check_every = 0,
                                 .blocks = 8,
                                 .exchange = exchange,
                                 .stop = {.iterations = 300, .tolerance = 0}};
        const auto result = solver.minimize(problem, [&](const core::record&) { ranks.work(1e-3); });
        if (ranks.rank() == 0) found = {result.objective, result.history.back().dual_residual, 0};
    });
    found.seconds = done.seconds;
    return found;
}

int main() {
    const outcome together = run(exchange::all_reduce{}, 0.05),
                  alone = run(exchange::asynchronous_push_sum{topology::one_way_ring{}}, 0.05);
    std::printf("                   objective   nodes apart   virtual seconds\n");
    std::printf("all-reduce        %10.3f    %10.3e    %8.2f\n", together.objective, together.apart, together.seconds);
    std::printf("push-sum, alone   %10.3f    %10.3e    %8.2f\n", alone.objective, alone.apart, alone.seconds);
    return alone.objective < 1.02 * together.objective ? 0 : 1;
}
