// expect: compressed_gossip: differences carry what was left out already; use the compressor without error_feedback
// SPDX-License-Identifier: BSL-1.0
#include <gamut/compressor/error_feedback.hpp>
#include <gamut/compressor/top_k.hpp>
#include <gamut/exchange/compressed_gossip.hpp>
#include <gamut/topology/ring.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    (void)exchange::compressed_gossip{topology::ring{}, compressor::top_k{}};
#else
    (void)exchange::compressed_gossip{topology::ring{}, compressor::error_feedback{compressor::top_k{}}};
#endif
}
