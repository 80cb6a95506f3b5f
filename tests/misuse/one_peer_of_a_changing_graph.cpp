// expect: one_peer: needs a graph that does not change of itself
// SPDX-License-Identifier: BSL-1.0
#include <gamut/topology/mesh.hpp>
#include <gamut/topology/one_peer.hpp>
#include <gamut/topology/random_pairs.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    (void)topology::one_peer{topology::mesh{}};
#else
    (void)topology::one_peer{topology::random_pairs{}};
#endif
}
