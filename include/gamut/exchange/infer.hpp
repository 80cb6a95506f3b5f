// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <gamut/communicator/all_gather.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/exchange/first_node.hpp>
#include <gamut/topology/concept.hpp>
#include <gamut/topology/listed.hpp>

namespace gamut::exchange {

/// What a rank knows of its own nodes, one list for each: whom it hears, or to whom it sends, or both. Order, repetitions and the node
/// itself do not matter. A rank without nodes gives none.
struct neighbours {
    std::vector<topology::node_list> sources{}, destinations{};
};

namespace detail {

/// Lists of all nodes, in their order; `known` says of which.
struct side {
    std::vector<topology::node_list> lists;
    std::vector<bool> known;

    explicit side(std::size_t nodes) : lists(nodes), known(nodes) {}
    bool has(std::size_t i, std::size_t j) const { return std::binary_search(lists[i].begin(), lists[i].end(), j); }
    /// The first node that is not known; as many as there are if all are.
    std::size_t gap() const {
        return static_cast<std::size_t>(std::find(known.begin(), known.end(), false) - known.begin());
    }
};

/// lists of this rank's nodes, behind their number, each behind its length.
inline void put(const std::vector<topology::node_list>& lists, std::vector<std::int64_t>& out) {
    out.push_back(static_cast<std::int64_t>(lists.size()));
    for (const topology::node_list& list : lists) {
        out.push_back(static_cast<std::int64_t>(list.size()));
        for (const std::size_t node : list) out.push_back(static_cast<std::int64_t>(node));
    }
}

inline std::size_t next(std::span<const std::int64_t>& words) {
    const std::int64_t word = words.front();
    words = words.subspan(1);
    return static_cast<std::size_t>(word);
}

/// What `put` wrote on a rank with the nodes from `first` on, `own` of them.
inline void take(std::span<const std::int64_t>& words, int rank, std::size_t first, std::size_t own,
                 std::string_view what, std::string_view does, side& all) {
    const std::size_t lists = next(words), n = all.lists.size();
    if (lists != 0 && lists != own)
        throw core::option_error(core::text("infer: rank ", rank, " has ", lists, " lists of ", what, " (it has ", own,
                                            " of ", n, " nodes) give a list for each of its nodes"));
    for (std::size_t i = first; i < first + lists; ++i) {
        topology::node_list& list = all.lists[i];
        list.resize(next(words));
        for (std::size_t& node : list) {
            node = next(words);
            if (node >= n)
                throw core::option_error(core::text("infer: node ", i, ' ', does, " node ", node,
                                                    " (there are nodes 0 to ", n - 1, ") name these only"));
        }
        topology::detail::tidy(list, i, n);
        all.known[i] = true;
    }
}

/// Node i of `one` has j, whose list in `other` is known and does not have i.
inline void check_that_others_agree(const side& one, std::string_view does, const side& other,
                                    std::string_view not_so) {
    for (std::size_t i = 0; i < one.lists.size(); ++i)
        for (const std::size_t j : one.lists[i])
            if (other.known[j] && !other.has(j, i))
                throw core::option_error(core::text("infer: node ", i, ' ', does, " node ", j, ", which does not ",
                                                    not_so,
                                                    " it (where both sides are given they must agree) give one "
                                                    "of them, and the other follows"));
}

}  // namespace detail

/// The graph of which every rank knows only its own nodes' part: to whom they send, and not whom they hear, or the other way round.
///   infer(ranks, 8, {.destinations = {{1, 2}, {3}}})     on a rank with two of the eight nodes
/// All ranks get the whole graph: heard[i] is whom node i hears, topology::listeners_of(graph, i, n, 0) to whom it sends. Every exchange
/// takes it that takes such a graph: push-sum any, gossip one in which both hear each other. One of the two sides must be known of all nodes; where the other is given too, both must agree.
/// Costs a gather of one number and an all-gather of the lists. Whatever does not fit is an option_error, the same on all ranks, for all
/// see what each of them said. Collective.
template <communicator::PairwiseCommunicator C>
topology::listed infer(const C& ranks, std::size_t nodes, const neighbours& mine) {
    std::vector<std::int64_t> said{static_cast<std::int64_t>(nodes)};
    detail::put(mine.sources, said);
    detail::put(mine.destinations, said);
    const std::vector<std::int64_t> by_all = communicator::all_gather(ranks, std::span<const std::int64_t>(said));

    const auto n = static_cast<std::size_t>(by_all.front());  // rank 0's, so that all ranks find the same
    if (n == 0) throw core::option_error("infer: 0 nodes (at least one is needed) say how many there are");
    if (n > std::max<std::size_t>(by_all.size(), 1 << 20))  // every node has a list, so a length at least
        throw core::option_error(core::text("infer: ", n, " nodes (all ranks together gave ", by_all.size(),
                                            " numbers, with the lengths of their lists) give a list for each node"));
    detail::side sources(n), destinations(n);
    std::span<const std::int64_t> words = by_all;
    for (int rank = 0; rank < ranks.size(); ++rank) {
        const std::size_t theirs = detail::next(words), first = first_node(n, rank, ranks.size()),
                          own = first_node(n, rank + 1, ranks.size()) - first;
        if (theirs != n)
            throw core::option_error(core::text("infer: rank 0 has ", n, " nodes in mind and rank ", rank, " has ",
                                                theirs, " (they are the same nodes) give all ranks the same number"));
        detail::take(words, rank, first, own, "sources", "hears", sources);
        detail::take(words, rank, first, own, "destinations", "sends to", destinations);
    }
    detail::check_that_others_agree(sources, "hears", destinations, "send to");
    detail::check_that_others_agree(destinations, "sends to", sources, "hear");

    if (sources.gap() == n) return {sources.lists};
    if (destinations.gap() < n)
        throw core::option_error(core::text(
            "infer: whom node ", sources.gap(), " hears is not known, and not to whom node ", destinations.gap(),
            " sends (one side must be known of all nodes) let all ranks give sources, or "
            "all destinations"));
    topology::listed graph{std::vector<topology::node_list>(n)};
    for (std::size_t j = 0; j < n; ++j)
        for (const std::size_t i : destinations.lists[j]) graph.heard[i].push_back(j);
    return graph;
}

}  // namespace gamut::exchange
