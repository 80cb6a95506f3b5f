// expect: host: needs float or double; write backend::host<double>
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const estimator fit{.model = model::linear{}, .backend = backend::host<double>{}};
#else
    const estimator fit{.model = model::linear{}, .backend = backend::host<int>{}};
#endif
    return fit.fit(data::csv<>{"file.csv"}).iterations == 0;
}
