// SPDX-License-Identifier: BSL-1.0
// How does a step scale to machines that do not exist? 20 ms of work and a megabyte of weights on each rank of communicator::sim, 50 us and
// 1 GB/s: gossip with one peer, all-reduce, and a table on one server, on 1 to 1,024 ranks. `scaling` is the time of a rank alone over that
// of a step; what all-reduce and the server should take, a formula says.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <type_traits>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/communicator/sim.hpp>
#include <gamut/consistency/bulk_synchronous.hpp>
#include <gamut/exchange/all_reduce.hpp>
#include <gamut/exchange/gossip.hpp>
#include <gamut/exchange/nodes.hpp>
#include <gamut/exchange/step_seconds.hpp>
#include <gamut/table/shared.hpp>
#include <gamut/table/sum.hpp>
#include <gamut/topology/one_peer.hpp>

#include "../measure.hpp"

using namespace gamut;
using array = backend::array<backend::host<>>;

namespace {

// a thousand numbers are computed with, a hundred and twenty-five thousand are what the network is told
constexpr std::size_t width = 1000, weights = 125'000;
constexpr double work = 0.02;
const communicator::network links{.latency = 50e-6, .bandwidth = 1e9 * width / weights};
constexpr int first = 10, steps = 10;  // in the first steps ranks compare the graphs of a period

template <class Run> double seconds_per_step(int ranks, Run run) {
    const auto after = [&](int count) {
        return communicator::sim<>::run(ranks, links, [&](const auto& c) { run(c, count); }).seconds;
    };
    return (after(first + steps) - after(first)) / steps;
}

template <class M> double of_exchange(int ranks, const M& method) {
    return seconds_per_step(ranks, [&](const auto& c, int count) {
        const exchange::nodes all(c, static_cast<std::size_t>(c.size()));
        exchange::state_of<M, array, std::remove_const_t<decltype(all)>> state(method, all, array(width));
        for (int k = 0; k < count; ++k)
            state.round(0.1, [&](std::size_t, const array& at, array& slope) {
                c.work(work);
                slope = at;
            });
    });
}

/// `workers` workers, and a server on a rank of its own.
double of_server(int workers) {
    return seconds_per_step(workers + 1, [&](const auto& c, int count) {
        table::layout place{.width = width, .servers = 1, .servers_on = {0}};
        place.workers_on.resize(static_cast<std::size_t>(workers));
        std::iota(place.workers_on.begin(), place.workers_on.end(), 1);
        place.workers = place.workers_on.size();
        table::shared t{c, place, table::sum{}, consistency::bulk_synchronous{}};
        t.run(static_cast<std::uint64_t>(count), [&](auto& me) {
            me.get(0);
            c.work(work);
            me.add(0, std::vector<double>(width, 1));
        });
    });
}

}  // namespace

int main(int argc, char** argv) {
    const double no_goal = std::numeric_limits<double>::infinity(), bytes = 8 * width;
    std::vector<benchmark::record> records;
    for (const int ranks : {16, 128, 1024}) {
        const auto n = static_cast<std::size_t>(ranks);
        const auto say = [&](const char* name, double step, double model, double goal) {
            const std::string which = std::string(name) + ", " + std::to_string(ranks) + " ranks";
            records.push_back({which, "scaling", work / step, goal, true});
            records.push_back({which, "off_model", std::abs(step / model - 1), 0.02});
        };
        const exchange::gossip one_peer{topology::one_peer_exponential{}};
        say("one peer", of_exchange(ranks, one_peer), work + exchange::step_seconds(one_peer, links, n, width), 0.9);
        say("all_reduce", of_exchange(ranks, exchange::all_reduce{}),
            work + exchange::step_seconds(exchange::all_reduce{}, links, n, width), no_goal);
        // an update travels to the server, a question as well, and the server answers one worker after the other
        say("one server", of_server(ranks), work + 2 * links.latency + (ranks + 1) * bytes / links.bandwidth, no_goal);
    }
    return benchmark::report(records, benchmark::option(argc, argv, "--output", ""));
}
