// expect: estimator: backend needs value_type, map, sum, ...; see gamut/backend/concept.hpp
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
#ifdef GAMUT_MISUSE_FIXED
    const estimator fit{.model = model::linear{}, .backend = backend::host<double>{}};
#else
    const estimator fit{.model = model::linear{}, .backend = 2.0};
#endif
    return fit.fit(data::csv<>{"file.csv"}).iterations == 0;
}
