// expect: sgd: compressor and sharing both say what of a gradient travels; leave one of them out
// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/single.hpp>
#include <gamut/compressor/half.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/estimator.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/solver/sgd.hpp>
#include <gamut/solver/wait_free.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const solver::sgd solver{.rate = .1, .blocks = 8, .compressor = compressor::half{}};
#else
    const solver::sgd solver{.rate = .1, .blocks = 8, .compressor = compressor::half{}, .sharing = solver::wait_free{}};
#endif
    const estimator e{.model = model::logistic{}, .solver = solver};
    return e.fit(data::csv<>{"file.csv"}).iterations == 0;
}
