// expect: estimator: data and backend differ in precision; write data::csv<float>{...} with backend::host<float>{}
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const estimator fit{.model = model::linear{}, .backend = backend::host<double>{}};
#else
    const estimator fit{.model = model::linear{}, .backend = backend::host<float>{}};
#endif
    return fit.fit(data::csv<>{"file.csv"}).iterations == 0;
}
