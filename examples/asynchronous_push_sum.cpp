// SPDX-License-Identifier: BSL-1.0
// Nobody waits for anybody: eight nodes on a one-way ring send parts of what they have to the next and go on. One of the simulated
// machines is ten times slower. What has each way to meet reached after one virtual second?
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>

#include <gamut/communicator/sim.hpp>
#include <gamut/exchange/all_reduce.hpp>
#include <gamut/exchange/asynchronous_push_sum.hpp>
#include <gamut/exchange/nodes.hpp>
#include <gamut/gamut.hpp>
#include <gamut/topology/ring.hpp>

using namespace gamut;
using array = backend::array<backend::host<>>;

struct outcome {
    std::size_t fewest = 0, most = 0;  // steps of a node
    double error = 0;
};

// node i minimises a/2 (x - 1/a)^2, a = i + 1, and a gradient takes a millisecond; the mean over the nodes is least at 8/36
template <class Exchange> outcome after_a_second(const Exchange& exchange, std::size_t steps_together) {
    outcome found;
    std::size_t steps[8] = {};
    const communicator::network machines{.latency = 1e-4, .stragglers = {{.rank = 5, .factor = 10}}};
    communicator::sim<>::run(8, machines, [&](const communicator::sim<>& ranks) {
        const exchange::nodes all(ranks, 8);
        exchange::state_of<Exchange, array, decltype(all)> state(exchange, all, array(1));
        const auto gradient = [&](std::size_t i, const array& at, array& slope) {
            const double a = static_cast<double>(all.first() + i + 1);
            slope[0] = a * at[0] - 1;
            ranks.work(1e-3);
            ++steps[all.first() + i];
        };
        while (steps_together > 0 ? steps[ranks.rank()] < steps_together : ranks.now() < 1)
            state.round(0.002, gradient);
        if constexpr (requires { state.settle(); }) state.settle();
        array mean(1);
        all.mean(state.copies(), mean);
        if (ranks.rank() == 0) found.error = std::abs(mean[0] - 8.0 / 36);
    });
    found.fewest = *std::min_element(steps, steps + 8);
    found.most = *std::max_element(steps, steps + 8);
    return found;
}

int main() {
    const outcome together = after_a_second(exchange::all_reduce{}, 96);  // 10.4 ms each: all wait for the slow one
    const outcome apart = after_a_second(exchange::asynchronous_push_sum{topology::one_way_ring{}}, 0);
    std::printf("                 steps of a node   error\n");
    std::printf("all-reduce       %5zu to %4zu    %.4f\n", together.fewest, together.most, together.error);
    std::printf("without waiting  %5zu to %4zu    %.4f\n", apart.fewest, apart.most, apart.error);
    return apart.most > 5 * together.most && apart.error < together.error ? 0 : 1;
}
