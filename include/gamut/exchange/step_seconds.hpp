// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>

#include <gamut/communicator/network.hpp>
#include <gamut/core/error.hpp>
#include <gamut/exchange/all_reduce.hpp>
#include <gamut/exchange/gossip.hpp>
#include <gamut/fwd.hpp>
#include <gamut/topology/concept.hpp>

namespace gamut::exchange {

namespace detail {

inline void check_meeting(const communicator::network& links, std::size_t nodes) {
    if (nodes < 1) throw core::option_error("step_seconds: 0 nodes (at least one is needed) have as many as ranks");
    links.check(static_cast<int>(nodes));
}

}  // namespace detail

/// How long a meeting takes, before there is a machine to try it on: a node on each of `nodes` ranks, `numbers` numbers (of T), links
/// that are alike. Work comes on top, and a link that differs, a straggler or a lost rank is not looked at (communicator::sim looks).
///   core::exact   2 (2 ceil(log2 nodes) latency) + 2 (4 + 8) (numbers + 1) / bandwidth      exponents, then their multiples
///   core::fast       2 ceil(log2 nodes) latency  + 2 8 (numbers + 1) / bandwidth
template <class Sums = core::exact>
double step_seconds(const all_reduce&, const communicator::network& links, std::size_t nodes, std::size_t numbers) {
    detail::check_meeting(links, nodes);
    if (nodes == 1) return 0;
    const bool exact = std::same_as<Sums, core::exact>;
    const double rounds = 2 * static_cast<double>(std::bit_width(nodes - 1)), sums = exact ? 2 : 1,
                 bytes = (exact ? 12 : 8) * static_cast<double>(numbers + 1);
    return sums * rounds * links.latency + 2 * bytes / links.bandwidth;
}

/// The same of a gossip, where a node speaks to one of its listeners after the other: at most, and in the mean over the graph's period
///   latency + most bytes / bandwidth        most: how many hear the node that most hear; bytes: numbers sizeof(T)
/// and, if all meet now and then, a part of them as all_reduce.   step_seconds<float>(exchange::gossip{...}, ...) for another T than double.
template <class T = double, class Sums = core::exact, class G, order Order, class Rule>
double step_seconds(const gossip<G, Order, Rule>& method, const communicator::network& links, std::size_t nodes,
                    std::size_t numbers) {
    detail::check_meeting(links, nodes);
    const double bytes = static_cast<double>(numbers * sizeof(T));
    // of a graph that never repeats, the first steps say enough
    const std::size_t period = topology::period(method.topology, nodes), steps = std::clamp<std::size_t>(period, 1, 64);
    double seconds = 0;
    for (std::size_t k = 0; k < steps; ++k) {
        std::size_t most = 0;
        for (const topology::node_list& heard_by : topology::listeners_of_all(method.topology, nodes, k))
            most = std::max(most, heard_by.size());
        if (most > 0) seconds += links.latency + static_cast<double>(most) * bytes / links.bandwidth;
    }
    seconds /= static_cast<double>(steps);
    if (method.mean_every == 0) return seconds;
    const double often = 1 / static_cast<double>(method.mean_every);
    return (1 - often) * seconds + often * step_seconds<Sums>(all_reduce{}, links, nodes, numbers);
}

}  // namespace gamut::exchange
