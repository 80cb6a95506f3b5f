// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include <gamut/topology/concept.hpp>

namespace gamut::topology {

/// One listener and one to listen to, at distance 1, 2, 4 ... in turn: a permutation each step, and where n is a power of 2
/// everybody has the mean after log2 n steps, from any phase on.   Ying et al., NeurIPS 2021, section 4.
struct one_peer_exponential {
    static constexpr auto kind = balanced;
    std::size_t phase = 0;
    std::size_t period(std::size_t n) const { return detail::doublings(n); }
    node_list sources(std::size_t i, std::size_t n, std::size_t k) const {
        return {(i + n - (std::size_t(1) << ((k + phase) % detail::doublings(n))) % n) % n};
    }
};

/// Any graph, one listener of every node at a time: node j speaks to the k-th of those who hear it, counted on from j. It need not be
/// a permutation, so it goes with push_sum and its kin.
template <class G> struct one_peer {
    static constexpr auto kind = directed;
    static_assert(!changes<G>, "one_peer: needs a graph that does not change of itself");
    G graph{};

    /// The least common multiple of the nodes' numbers of listeners; 0 (never, as far as one can see) above a million.
    std::size_t period(std::size_t n) const {
        std::size_t whole = 1;
        for (const node_list& listeners : listeners_of_all(graph, n, 0)) {
            whole = std::lcm(whole, std::max<std::size_t>(listeners.size(), 1));
            if (whole > 1'000'000) return 0;
        }
        return whole;
    }
    node_list sources(std::size_t i, std::size_t n, std::size_t k) const { return all_sources(n, k)[i]; }
    std::vector<node_list> all_sources(std::size_t n, std::size_t k) const {
        std::vector<node_list> heard(n), listeners = listeners_of_all(graph, n, 0);
        for (std::size_t j = 0; j < n; ++j) {
            if (listeners[j].empty()) continue;
            std::sort(listeners[j].begin(), listeners[j].end(),
                      [&](std::size_t a, std::size_t b) { return (a + n - j) % n < (b + n - j) % n; });
            heard[listeners[j][k % listeners[j].size()]].push_back(j);
        }
        return heard;
    }
};
template <class G> one_peer(G) -> one_peer<G>;

}  // namespace gamut::topology
