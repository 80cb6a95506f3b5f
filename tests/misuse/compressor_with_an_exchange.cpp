// expect: sgd: compressor is of gradients that all ranks add up, and an exchange sends what it wants; use exchange::compressed_gossip, or leave exchange out
// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/single.hpp>
#include <gamut/compressor/int8.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/estimator.hpp>
#include <gamut/exchange/gossip.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/solver/sgd.hpp>
#include <gamut/topology/ring.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const solver::sgd solver{.rate = .1, .blocks = 8, .compressor = compressor::int8{}};
#else
    const solver::sgd solver{
        .rate = .1, .blocks = 8, .exchange = exchange::gossip{topology::ring{}}, .compressor = compressor::int8{}};
#endif
    const estimator e{.model = model::logistic{}, .solver = solver};
    return e.fit(data::csv<>{"file.csv"}).iterations == 0;
}
