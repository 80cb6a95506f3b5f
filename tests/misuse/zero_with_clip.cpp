// expect: zero: this update needs the length of the whole gradient, which no rank has; use one that looks at one weight, or wait_free
// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/single.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/network.hpp>
#include <gamut/solver/wait_free.hpp>
#include <gamut/solver/zero.hpp>
#include <gamut/update/adam.hpp>
#include <gamut/update/clip.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const solver::wait_free sharing{};
#else
    const solver::zero sharing{};
#endif
    const estimator e{.model = network::classifier{network::dense{2}},
                      .solver = solver::sgd{.update = update::clip<update::adam>{}, .sharing = sharing}};
    return e.fit(data::csv<>{"file.csv"}).iterations == 0;
}
