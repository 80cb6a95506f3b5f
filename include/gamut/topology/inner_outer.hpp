// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>

#include <gamut/topology/concept.hpp>

namespace gamut::topology {

namespace detail {

inline std::size_t machines_of(const char* who, std::size_t n, std::size_t local) {
    if (local < 3)
        throw core::option_error(
            core::text(who, ": machines of ", local,
                       " nodes (one speaks to others of its place outside, so two or more must be left "
                       "to mix inside) take 3 or more, or topology::hierarchical"));
    if (n % local != 0)
        throw core::option_error(core::text(who, ": ", n, " nodes in machines of ", local, " (they do not fit)"));
    return n / local;
}

/// Of machines of `local` nodes: one node of each, another one every step, hears its like `outer` machines before it, and the others,
/// without it, those `inner` places before them. A permutation.
inline node_list inner_outer_sources(std::size_t i, std::size_t machines, std::size_t local, std::size_t speaker,
                                     std::size_t inner, std::size_t outer) {
    const std::size_t machine = i / local, place = i % local, others = local - 1;
    if (place == speaker) return {(machine + machines - outer % machines) % machines * local + place};
    if (others < 2) return {};
    const std::size_t among = place - (place > speaker);  // its place without the speaker
    const std::size_t source = (among + others - inner % others) % others;
    return {machine * local + source + (source >= speaker)};
}

}  // namespace detail

/// Machines of `local` nodes: in turn one node of each hears its like on the machine before, while the others go round a ring inside.
/// As BlueFog's inner-outer ring.
struct inner_outer_ring {
    static constexpr auto kind = balanced;
    std::size_t local = 4;
    std::size_t period(std::size_t) const { return local; }
    node_list sources(std::size_t i, std::size_t n, std::size_t k) const {
        const std::size_t machines = detail::machines_of("topology::inner_outer_ring", n, local);
        return detail::inner_outer_sources(i, machines, local, k % local, 1, 1);
    }
};

/// The same with distances 1, 2, 4 ..., both between machines and inside. As BlueFog's inner-outer exponential graph.
struct inner_outer_exponential {
    static constexpr auto kind = balanced;
    std::size_t local = 4;
    std::size_t period(std::size_t n) const {
        const std::size_t machines = detail::machines_of("topology::inner_outer_exponential", n, local);
        return local * std::lcm(detail::doublings(machines), detail::doublings(std::max<std::size_t>(local - 1, 1)));
    }
    node_list sources(std::size_t i, std::size_t n, std::size_t k) const {
        const std::size_t machines = detail::machines_of("topology::inner_outer_exponential", n, local),
                          turn = k / local;
        return detail::inner_outer_sources(i, machines, local, k % local,
                                           std::size_t(1)
                                               << turn % detail::doublings(std::max<std::size_t>(local - 1, 1)),
                                           std::size_t(1) << turn % detail::doublings(machines));
    }
};

}  // namespace gamut::topology
