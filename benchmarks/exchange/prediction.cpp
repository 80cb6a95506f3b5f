// SPDX-License-Identifier: BSL-1.0
// Gossip or all-reduce? What exchange::step_seconds says of a link, beside what communicator::sim takes for the same steps: who is faster, and
// by how much the prediction is off. 64 ranks with 10,000 numbers each, gossip on the exponential graph (six messages a step), twelve links.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/communicator/sim.hpp>
#include <gamut/exchange/all_reduce.hpp>
#include <gamut/exchange/gossip.hpp>
#include <gamut/exchange/nodes.hpp>
#include <gamut/exchange/step_seconds.hpp>
#include <gamut/topology/exponential.hpp>

#include "../measure.hpp"

using namespace gamut;
using array = backend::array<backend::host<>>;

namespace {

constexpr std::size_t count = 64, width = 10'000;

/// Virtual seconds of a step, in the mean of 10 after the first one, in which the ranks compare their graphs.
template <class M> double simulated(const M& method, const communicator::network& links) {
    const auto after = [&](int steps) {
        return communicator::sim<>::run(
                   static_cast<int>(count), links,
                   [&](const auto& ranks) {
                       const exchange::nodes all(ranks, count);
                       exchange::state_of<M, array, std::remove_const_t<decltype(all)>> state(method, all,
                                                                                              array(width));
                       for (int k = 0; k < steps; ++k)
                           state.round(0.1, [](std::size_t, const array& at, array& slope) { slope = at; });
                   })
            .seconds;
    };
    return (after(11) - after(1)) / 10;
}

}  // namespace

int main(int argc, char** argv) {
    const exchange::gossip gossip{topology::exponential{}};
    const exchange::all_reduce all;
    double right = 0, gossips = 0, worst = 0;
    for (const double latency : {1e-6, 1e-5, 1e-4, 1e-3})
        for (const double bandwidth : {1e7, 1e8, 1e9}) {
            const communicator::network links{.latency = latency, .bandwidth = bandwidth};
            const double said_gossip = exchange::step_seconds(gossip, links, count, width),
                         said_all = exchange::step_seconds(all, links, count, width),
                         took_gossip = simulated(gossip, links), took_all = simulated(all, links);
            std::printf("%5.0f us, %5.0f MB/s: gossip %9.3f ms (said %9.3f), all-reduce %9.3f ms (said %9.3f)\n",
                        1e6 * latency, 1e-6 * bandwidth, 1e3 * took_gossip, 1e3 * said_gossip, 1e3 * took_all,
                        1e3 * said_all);
            right += (said_gossip < said_all) == (took_gossip < took_all);
            gossips += took_gossip < took_all;
            for (const auto& [said, took] : {std::pair(said_gossip, took_gossip), std::pair(said_all, took_all)})
                worst = std::max(worst, std::abs(said / took - 1));
        }
    const double no_goal = std::numeric_limits<double>::infinity();
    const std::vector<benchmark::record> records{{"gossip or all-reduce", "right_predictions", right, 12, true},
                                                 {"gossip or all-reduce", "gossip_is_faster", gossips, no_goal},
                                                 {"gossip or all-reduce", "off_prediction", worst, 0.05}};
    return benchmark::report(records, benchmark::option(argc, argv, "--output", ""));
}
