// SPDX-License-Identifier: BSL-1.0
// Graphs of which every rank knows one side of its own nodes only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include <gamut/communicator/single.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/random.hpp>
#include <gamut/exchange/first_node.hpp>
#include <gamut/exchange/gossip.hpp>
#include <gamut/exchange/infer.hpp>
#include <gamut/exchange/push_sum.hpp>
#include <gamut/topology/exponential.hpp>
#include <gamut/topology/full.hpp>
#include <gamut/topology/listed.hpp>
#include <gamut/topology/mesh.hpp>
#include <gamut/topology/random_regular.hpp>
#include <gamut/topology/ring.hpp>
#include <gamut/topology/star.hpp>

#include "averaging.hpp"

namespace inferred {

using namespace gamut;
using lists = std::vector<topology::node_list>;

/// What of all nodes' lists this rank has to say.
template <class C> lists own(const C& ranks, const lists& all) {
    const auto at = [&](int rank) {
        return all.begin() + static_cast<std::ptrdiff_t>(exchange::first_node(all.size(), rank, ranks.size()));
    };
    return {at(ranks.rank()), at(ranks.rank() + 1)};
}

inline void require(bool holds, const std::string& what) {
    if (!holds) throw std::runtime_error(what);
}

/// Both sides of a graph come from either of them, and from both.
template <class C, class G> void check_graph(const C& ranks, const G& graph, std::size_t n) {
    const lists heard = topology::heard_by_all(graph, n, 0), listeners = topology::listeners_of_all(graph, n, 0);
    const auto check = [&](const exchange::neighbours& known, const char* side) {
        const topology::listed found = exchange::infer(ranks, n, known);
        require(found.heard == heard, core::text("other sources, from ", side, " of ", n));
        require(topology::heard_by_all(found, n, 7) == heard, "other sources by the concept");
        require(topology::listeners_of_all(found, n, 0) == listeners, core::text("other listeners, from ", side));
    };
    check({.sources = own(ranks, heard)}, "sources");
    check({.destinations = own(ranks, listeners)}, "destinations");
    check({.sources = own(ranks, heard), .destinations = own(ranks, listeners)}, "both");
    lists untidy = own(ranks, listeners);
    for (std::size_t k = 0; k < untidy.size(); ++k) {
        std::reverse(untidy[k].begin(), untidy[k].end());
        untidy[k].insert(untidy[k].end(), untidy[k].begin(), untidy[k].end());
        untidy[k].push_back(exchange::first_node(n, ranks.rank(), ranks.size()) + k);
    }
    check({.destinations = untidy}, "repetitions");
}

/// What a call refuses, in words; they must be an option_error of all ranks.
template <class C>
void check_refusal(const C& ranks, std::size_t n, const exchange::neighbours& known, const std::string& words) {
    std::string found;
    try {
        exchange::infer(ranks, n, known);
    } catch (const core::option_error& error) {
        found = error.what();
    }
    require(found == words, "refused as: " + found);
}

template <class C> void check(const C& ranks) {
    for (const std::size_t n : {1, 2, 5, 8, 11}) {
        check_graph(ranks, topology::ring{}, n);
        check_graph(ranks, topology::one_way_ring{}, n);
        check_graph(ranks, topology::star{}, n);
        check_graph(ranks, topology::full{}, n);
        check_graph(ranks, topology::exponential{}, n);
        check_graph(ranks, topology::mesh{}, n);
        for (std::uint64_t seed = 0; seed < 5; ++seed) {  // any digraph, nodes that nobody hears among them
            const core::random draw{.seed = seed};
            topology::listed graph{lists(n)};
            for (std::size_t i = 0; i < n; ++i)
                for (std::size_t j = 0; j < n; ++j)
                    if (i != j && draw.uniform(i * n + j) < .3) graph.heard[i].push_back(j);
            check_graph(ranks, graph, n);
        }
    }

    // 0 -> 1, 0 -> 2, 1 -> 2, 2 -> 3, 3 -> 0: who sends knows it, and push-sum has the bits of a graph that all know
    const lists heard{{3}, {0}, {0, 1}, {2}}, listeners{{1, 2}, {2}, {3}, {0}};
    const topology::listed digraph = exchange::infer(ranks, 4, {.destinations = own(ranks, listeners)});
    const auto numbers = [](const auto& c, const topology::listed& graph) {
        return averaging::of(c, exchange::push_sum{graph}, 4, 3, 9).numbers;
    };
    require(numbers(ranks, digraph) == numbers(communicator::single<>{}, {heard}), "push-sum has other bits");
    const topology::listed ring =
        exchange::infer(ranks, 6, {.sources = own(ranks, topology::heard_by_all(topology::ring{}, 6, 0))});
    require(averaging::of(ranks, exchange::gossip{ring}, 6, 3, 9).numbers ==
                averaging::of(communicator::single<>{}, exchange::gossip{topology::ring{}}, 6, 3, 9).numbers,
            "gossip has other bits");

    lists wrong = listeners;
    wrong[2] = {3, 9};
    check_refusal(ranks, 4, {.destinations = own(ranks, wrong)},
                  "infer: node 2 sends to node 9 (there are nodes 0 to 3) name these only");
    check_refusal(ranks, 4, {.sources = own(ranks, wrong)},
                  "infer: node 2 hears node 9 (there are nodes 0 to 3) name these only");
    wrong[2] = {1, 3};
    check_refusal(ranks, 4, {.sources = own(ranks, heard), .destinations = own(ranks, wrong)},
                  "infer: node 2 sends to node 1, which does not hear it (where both sides are given they must agree) "
                  "give one of them, and the other follows");
    wrong[2] = {};
    check_refusal(ranks, 4, {.sources = own(ranks, heard), .destinations = own(ranks, wrong)},
                  "infer: node 3 hears node 2, which does not send to it (where both sides are given they must agree) "
                  "give one of them, and the other follows");
    check_refusal(ranks, 4, {},
                  "infer: whom node 0 hears is not known, and not to whom node 0 sends (one side must be known of all "
                  "nodes) let all ranks give sources, or all destinations");
    check_refusal(ranks, 0, {}, "infer: 0 nodes (at least one is needed) say how many there are");
    check_refusal(ranks, 1'000'000'000'000, {},
                  core::text("infer: 1000000000000 nodes (all ranks together gave ", 3 * ranks.size(),
                             " numbers, with the lengths of their lists) give a list for each node"));
    // only the last rank is wrong
    const bool last = ranks.rank() + 1 == ranks.size();
    exchange::neighbours known{.destinations = own(ranks, listeners)};
    if (last) known.destinations.resize(7);
    check_refusal(ranks, 4, known,
                  core::text("infer: rank ", ranks.size() - 1, " has 7 lists of destinations (it has ",
                             4 - exchange::first_node(4, ranks.size() - 1, ranks.size()),
                             " of 4 nodes) give a list for each of its nodes"));
    if (ranks.size() > 1) {
        check_refusal(ranks, last ? 5 : 4, {.destinations = own(ranks, listeners)},
                      core::text("infer: rank 0 has 4 nodes in mind and rank ", ranks.size() - 1,
                                 " has 5 (they are the same nodes) give all ranks the same number"));
        exchange::neighbours half{.sources = own(ranks, heard)};
        if (last) half = {.destinations = own(ranks, listeners)};
        const std::size_t theirs = exchange::first_node(4, ranks.size() - 1, ranks.size());
        check_refusal(ranks, 4, half,
                      core::text("infer: whom node ", theirs,
                                 " hears is not known, and not to whom node 0 sends (one side must be known of all "
                                 "nodes) let all ranks give sources, or all destinations"));
    }
}

}  // namespace inferred
