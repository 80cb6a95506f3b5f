// expect: exchange::subnets: needs a network, whose hidden units are dealt; use exchange::periodic for other models
// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/single.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/estimator.hpp>
#include <gamut/exchange/periodic.hpp>
#include <gamut/exchange/subnets.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/solver/sgd.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const solver::sgd solver{.rate = .1, .blocks = 2, .exchange = exchange::periodic{.every = 4}};
#else
    const solver::sgd solver{.rate = .1, .blocks = 2, .exchange = exchange::subnets{.widths = {30, 10, 1}}};
#endif
    const estimator e{.model = model::logistic{}, .solver = solver};
    return e.fit(data::csv<>{"file.csv"}).iterations == 0;
}
