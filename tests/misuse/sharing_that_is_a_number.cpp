// expect: sgd: sharing must be solver::zero, wait_free or another with gradients(problem, batch) or minimize(sgd, problem, observers...); see gamut/solver/replicated.hpp
// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/single.hpp>
#include <gamut/solver/sgd.hpp>
#include <gamut/solver/zero.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const solver::sgd solver{.rate = .1, .sharing = solver::zero{.stage = 2}};
#else
    const solver::sgd solver{.rate = .1, .sharing = 2};
#endif
    return solver.batch == 0;
}
