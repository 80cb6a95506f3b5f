// expect: asynchronous_push_sum: needs a topology that does not change (nodes have no step in common)
// SPDX-License-Identifier: BSL-1.0
#include <gamut/exchange/asynchronous_push_sum.hpp>
#include <gamut/topology/exponential.hpp>
#include <gamut/topology/one_peer.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    (void)exchange::asynchronous_push_sum{topology::exponential{}};
#else
    (void)exchange::asynchronous_push_sum{topology::one_peer_exponential{}};
#endif
}
