// expect: sgd: sharing is of one copy of the weights, and an exchange has one per node; leave one of them out
// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/single.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/estimator.hpp>
#include <gamut/exchange/gossip.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/solver/sgd.hpp>
#include <gamut/solver/wait_free.hpp>
#include <gamut/topology/ring.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const solver::sgd solver{.rate = .1, .blocks = 8, .exchange = exchange::gossip{topology::ring{}}};
#else
    const solver::sgd solver{
        .rate = .1, .blocks = 8, .exchange = exchange::gossip{topology::ring{}}, .sharing = solver::wait_free{}};
#endif
    const estimator e{.model = model::logistic{}, .solver = solver};
    return e.fit(data::csv<>{"file.csv"}).iterations == 0;
}
