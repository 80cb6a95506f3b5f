// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <utility>

#include <gamut/topology/concept.hpp>

namespace gamut::topology {

/// Any f(i, n, k) that returns the nodes which node i of n hears at step k.
template <class F> struct function {
    F f;
    static_assert(
        requires(const F& call, std::size_t i) { node_list(call(i, i, i)); },
        "topology::function: needs a callable (i, n, k) that returns a topology::node_list");
    std::size_t period(std::size_t) const { return 0; }
    node_list sources(std::size_t i, std::size_t n, std::size_t k) const { return f(i, n, k); }
};
template <class F> function(F) -> function<F>;

}  // namespace gamut::topology
