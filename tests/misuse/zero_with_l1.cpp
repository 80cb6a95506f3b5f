// expect: zero: needs a smooth penalty (a prox may look at more than one piece); use penalty::l2
// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/single.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/network.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/zero.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const penalty::l2 penalty{1e-3};
#else
    const penalty::l1 penalty{1e-3};
#endif
    const estimator e{.model = network::classifier{network::dense{2}},
                      .penalty = penalty,
                      .solver = solver::sgd{.sharing = solver::zero{}}};
    return e.fit(data::csv<>{"file.csv"}).iterations == 0;
}
