// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/core/error.hpp>

namespace gamut::topology {

/// Node numbers.
using node_list = std::vector<std::size_t>;

/// What a graph knows of itself, at every step:
///   symmetric   j hears i whenever i hears j
///   balanced    every node is heard by as many as it hears
///   directed    neither is sure
enum class graph_kind { unknown, symmetric, balanced, directed };
inline constexpr auto symmetric = graph_kind::symmetric, balanced = graph_kind::balanced,
                      directed = graph_kind::directed;

/// Who hears whom: sources(i, n, k) are the nodes whose numbers node i of n gets at step k. Order, repetitions and i itself do not
/// matter. All ranks must give the same answer.
///     struct ring { node_list sources(std::size_t i, std::size_t n, std::size_t k) const; };
/// It may say more:
///     static constexpr auto kind = topology::symmetric;    then methods that need more refuse to compile, and what it does not
///                                                          say is looked at when a run begins
///     std::size_t period(std::size_t n) const;             it changes, and repeats after that many steps; 0: never
///     std::vector<node_list> all_sources(n, k) const;      of all nodes at once, where that is cheaper than one after the other
template <class G>
concept Graph = requires(const G& g, std::size_t i) {
    { g.sources(i, i, i) } -> std::convertible_to<node_list>;
};

/// What node `from` says counts by `weight`.
struct link {
    std::size_t from = 0;
    double weight = 0;
};

/// A graph with weights of its own: row(i, n, k) are the links of node i at step k, its own among them.
template <class M>
concept Mixing = requires(const M& m, std::size_t i) {
    { m.row(i, i, i) } -> std::convertible_to<std::vector<link>>;
};

template <class G> inline constexpr graph_kind kind_of = graph_kind::unknown;
template <class G>
requires requires { G::kind; }
inline constexpr graph_kind kind_of<G> = G::kind;

template <class G> inline constexpr bool changes = requires(const G& g) { g.period(std::size_t(1)); };

/// After how many steps it repeats; 0: never.
template <class G> std::size_t period(const G& g, std::size_t n) {
    if constexpr (changes<G>)
        return g.period(n);
    else
        return 1;
}

namespace detail {

inline void tidy(node_list& heard, std::size_t i, std::size_t n) {
    std::sort(heard.begin(), heard.end());
    heard.erase(std::unique(heard.begin(), heard.end()), heard.end());
    std::erase(heard, i);
    if (!heard.empty() && heard.back() >= n)
        throw core::option_error(
            core::text("topology: node ", i, " hears node ", heard.back(), " (there are nodes 0 to ", n - 1, ")"));
}

}  // namespace detail

/// Whom node i of n hears at step k: sorted, each once, itself left out. Throws option_error for a node that is none.
template <Graph G> node_list heard_by(const G& g, std::size_t i, std::size_t n, std::size_t k) {
    node_list heard = g.sources(i, n, k);
    detail::tidy(heard, i, n);
    return heard;
}

/// The same of all nodes.
template <Graph G> std::vector<node_list> heard_by_all(const G& g, std::size_t n, std::size_t k) {
    std::vector<node_list> heard;
    if constexpr (requires { g.all_sources(n, k); })
        heard = g.all_sources(n, k);
    else
        for (std::size_t i = 0; i < n; ++i) heard.push_back(g.sources(i, n, k));
    for (std::size_t i = 0; i < n; ++i) detail::tidy(heard[i], i, n);
    return heard;
}

/// Who hears whom, the other way round: what the sources of all say.
template <Graph G> std::vector<node_list> listeners_of_all(const G& g, std::size_t n, std::size_t k) {
    std::vector<node_list> listeners(n);
    const auto heard = heard_by_all(g, n, k);
    for (std::size_t i = 0; i < n; ++i)
        for (const std::size_t j : heard[i]) listeners[j].push_back(i);
    return listeners;
}
template <Graph G> node_list listeners_of(const G& g, std::size_t i, std::size_t n, std::size_t k) {
    return listeners_of_all(g, n, k)[i];
}

namespace detail {

/// The number of hops 1, 2, 4 ... below n; at least one.
inline std::size_t doublings(std::size_t n) {
    std::size_t count = 0;
    while ((std::size_t(1) << count) < n) ++count;
    return std::max<std::size_t>(count, 1);
}

}  // namespace detail

}  // namespace gamut::topology
