// expect: wait_free: needs a problem whose weights are blocks of parameters, a network's or a solver::formula_problem
// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/single.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/network.hpp>
#include <gamut/solver/wait_free.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const auto model = network::classifier{network::dense{2}};
#else
    const model::softmax model{};
#endif
    const estimator e{.model = model, .solver = solver::sgd{.rate = .1, .sharing = solver::wait_free{}}};
    return e.fit(data::csv<>{"file.csv"}).iterations == 0;
}
