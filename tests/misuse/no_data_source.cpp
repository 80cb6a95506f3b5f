// expect: fit: needs a source of rows such as data::csv{"file.csv"}; see gamut/data/concept.hpp
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
    const estimator linear{.model = model::linear{}};
#ifdef GAMUT_MISUSE_FIXED
    return linear.fit(data::csv<>{"file.csv"}).iterations == 0;
#else
    return linear.fit("file.csv").iterations == 0;
#endif
}
