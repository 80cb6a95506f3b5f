// SPDX-License-Identifier: BSL-1.0
// What does it cost to meet? Eight nodes on eight ranks of communicator::sim, 10,000 numbers each: messages and bytes of a node per
// step, for each exchange and graph. And the time of a meeting of eight nodes in one process, over a loop that adds up the
// same numbers by hand. Medians of alternating runs.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/sim.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/compressor/half.hpp>
#include <gamut/compressor/int8.hpp>
#include <gamut/compressor/none.hpp>
#include <gamut/compressor/quantized.hpp>
#include <gamut/compressor/sign.hpp>
#include <gamut/compressor/top_k.hpp>
#include <gamut/exchange/all_reduce.hpp>
#include <gamut/exchange/compressed_gossip.hpp>
#include <gamut/exchange/exact_diffusion.hpp>
#include <gamut/exchange/extra.hpp>
#include <gamut/exchange/gossip.hpp>
#include <gamut/exchange/gradient_tracking.hpp>
#include <gamut/exchange/nodes.hpp>
#include <gamut/exchange/periodic.hpp>
#include <gamut/exchange/push_diging.hpp>
#include <gamut/exchange/push_sum.hpp>
#include <gamut/topology/base_k.hpp>
#include <gamut/topology/exponential.hpp>
#include <gamut/topology/full.hpp>
#include <gamut/topology/one_peer.hpp>
#include <gamut/topology/ring.hpp>

#include "measure.hpp"

using namespace gamut;
using array = backend::array<backend::host<>>;

namespace {

constexpr std::size_t count = 8, width = 10'000;
const double no_goal = std::numeric_limits<double>::infinity();

/// The mean over nodes and steps, of 12 steps after the first 12.
template <class M> void count_messages(const char* name, const M& method, std::vector<benchmark::record>& records) {
    using ranks_type = communicator::counting<communicator::sim<>>;
    double messages = 0, bytes = 0;
    communicator::sim<>::run(static_cast<int>(count), {}, [&](const auto& c) {
        const ranks_type ranks(c);
        const exchange::nodes<ranks_type> all(ranks, count);
        exchange::state_of<M, array, exchange::nodes<ranks_type>> state(method, all, array(width));
        const auto steps = [&] {
            for (int k = 0; k < 12; ++k)
                state.round(0.1, [&](std::size_t i, const array& at, array& slope) {
                    for (std::size_t j = 0; j < width; ++j)
                        slope[j] = at[j] - static_cast<double>((all.first() + i + j) % 7);
                });
        };
        steps();
        ranks.reset();
        steps();
        messages += static_cast<double>(ranks.messages()) / (12.0 * count);
        bytes += static_cast<double>(ranks.bytes()) / (12.0 * count);
    });
    records.push_back({name, "messages", messages, no_goal});
    records.push_back({name, "kilobytes", bytes / 1000, no_goal});
}

/// Seconds of gossip on a ring, and of the same sums by hand.
std::pair<double, double> times() {
    const communicator::single<> here;
    const exchange::nodes<communicator::single<>> all(here, count);
    using gossip = exchange::gossip<topology::ring>;
    exchange::state_of<gossip, array, exchange::nodes<communicator::single<>>> state(gossip{}, all, array(width));
    const auto still = [](std::size_t, const array& at, array& slope) { slope = 0.0 * at; };
    state.round(0.1, still);
    const double library = benchmark::seconds([&] {
        for (int k = 0; k < 300; ++k) state.round(0.1, still);
    });
    std::vector<std::vector<double>> x(count, std::vector<double>(width, 1)), moved = x;
    std::vector<double> slope(width);
    const double third = 1.0 / 3;
    const double by_hand = benchmark::seconds([&] {
        for (int k = 0; k < 300; ++k) {
            for (std::size_t i = 0; i < count; ++i) {
                for (std::size_t j = 0; j < width; ++j) slope[j] = 0.0 * x[i][j];
                for (std::size_t j = 0; j < width; ++j) moved[i][j] = x[i][j] - 0.1 * slope[j];
            }
            for (std::size_t i = 0; i < count; ++i) {
                const std::vector<double>&before = moved[(i + count - 1) % count], &after = moved[(i + 1) % count];
                for (std::size_t j = 0; j < width; ++j) x[i][j] = third * (before[j] + moved[i][j] + after[j]);
            }
        }
    });
    if (x[0][0] != x[1][1] || state.copies()[0][0] != 0) return {no_goal, 1};  // both were computed
    return {library, by_hand};
}

}  // namespace

int main(int argc, char** argv) {
    using namespace exchange;
    using topology::ring;
    std::vector<benchmark::record> records;
    count_messages("all_reduce", all_reduce{}, records);
    count_messages("periodic 4", periodic{.every = 4}, records);
    count_messages("gossip ring", gossip{ring{}}, records);
    count_messages("gossip exponential", gossip{topology::exponential{}}, records);
    count_messages("gossip one_peer", gossip{topology::one_peer_exponential{}}, records);
    count_messages("gossip base_k", gossip{topology::base_k{}}, records);
    count_messages("gossip full", gossip{topology::full{}}, records);
    count_messages("extra ring", extra{ring{}}, records);
    count_messages("exact_diffusion ring", exact_diffusion{ring{}}, records);
    count_messages("gradient_tracking ring", gradient_tracking{ring{}}, records);
    count_messages("push_sum ring", push_sum{ring{}}, records);
    count_messages("push_diging ring", push_diging{ring{}}, records);
    count_messages("compressed none", compressed_gossip{ring{}, compressor::none{}, 1}, records);
    count_messages("compressed half", compressed_gossip{ring{}, compressor::half{}, 1}, records);
    count_messages("compressed int8", compressed_gossip{ring{}, compressor::int8{}, 1}, records);
    count_messages("compressed 4 bits", compressed_gossip{ring{}, compressor::quantized{}, 0.8}, records);
    count_messages("compressed sign", compressed_gossip{ring{}, compressor::sign{}, 0.1}, records);
    count_messages("compressed top 1 %", compressed_gossip{ring{}, compressor::top_k{}, 0.02}, records);

    std::vector<double> ratios;
    for (int repeat = 0; repeat < 9; ++repeat) {
        const auto [library, by_hand] = times();
        if (repeat > 0) ratios.push_back(library / by_hand);
    }
    records.push_back({"gossip ring", "over_by_hand", benchmark::median(ratios), 1.5});
    return benchmark::report(records, benchmark::option(argc, argv, "--output", ""));
}
