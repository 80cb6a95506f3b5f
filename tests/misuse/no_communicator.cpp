// expect: estimator: communicator needs rank, size, all_reduce, ...; see gamut/communicator/concept.hpp
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const estimator fit{.model = model::linear{}, .communicator = communicator::single{}};
#else
    const estimator fit{.model = model::linear{}, .communicator = 4};
#endif
    return fit.fit(data::csv<>{"file.csv"}).iterations == 0;
}
