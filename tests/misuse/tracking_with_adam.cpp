// expect: sgd: this exchange adds up gradients, and takes neither another update nor a penalty that is not smooth; use exchange::gossip, periodic or all_reduce
// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/single.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/estimator.hpp>
#include <gamut/exchange/gossip.hpp>
#include <gamut/exchange/gradient_tracking.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/sgd.hpp>
#include <gamut/update/adam.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const solver::sgd solver{
        .rate = .1, .update = update::adam{}, .blocks = 8, .exchange = exchange::gossip{topology::ring{}}};
#else
    const solver::sgd solver{
        .rate = .1, .update = update::adam{}, .blocks = 8, .exchange = exchange::gradient_tracking{topology::ring{}}};
#endif
    const estimator e{.model = model::logistic{}, .penalty = penalty::l2{}, .solver = solver};
    return e.fit(data::csv<>{"file.csv"}).iterations == 0;
}
