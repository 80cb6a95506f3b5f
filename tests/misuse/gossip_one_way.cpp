// expect: gossip: needs a symmetric or balanced topology (on others the nodes agree on something else than the mean) use exchange::push_sum
// SPDX-License-Identifier: BSL-1.0
#include <gamut/exchange/gossip.hpp>
#include <gamut/exchange/push_sum.hpp>

using namespace gamut;

struct one_way {
    static constexpr auto kind = topology::directed;
    topology::node_list sources(std::size_t i, std::size_t, std::size_t) const { return {i == 0 ? 1u : 0u}; }
};

int main() {
#ifdef GAMUT_MISUSE_FIXED
    (void)exchange::push_sum{one_way{}};
#else
    (void)exchange::gossip{one_way{}};
#endif
}
