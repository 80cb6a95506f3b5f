// expect: topology::function: needs a callable (i, n, k) that returns a topology::node_list
// SPDX-License-Identifier: BSL-1.0
#include <gamut/topology/function.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const topology::function graph{
        [](std::size_t i, std::size_t n, std::size_t) { return topology::node_list{(i + 1) % n}; }};
#else
    const topology::function graph{[](std::size_t i) { return topology::node_list{i + 1}; }};
#endif
    return graph.period(2) == 0 ? 0 : 1;
}
