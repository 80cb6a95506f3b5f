// expect: asynchronous: needs a smooth penalty (servers know pieces of the weights); use solver::sgd
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>
#include <gamut/solver/asynchronous.hpp>

using namespace gamut;

int main() {
    const auto data = data::arrays(std::vector<double>{1, 2}, 2, 1, std::vector<double>{0, 1})
                          .load(communicator::single<>{}, {.classification = true, .blocks = 2});
#ifdef GAMUT_MISUSE_FIXED
    const penalty::l2 penalty{.strength = 1e-2};
#else
    const penalty::l1 penalty{.strength = 1e-2};
#endif
    const solver::problem p(model::logistic{}, data, penalty, backend::host<>{}, communicator::single<>{}, true);
    (void)solver::asynchronous<>{.blocks = 2}.minimize(p);
}
