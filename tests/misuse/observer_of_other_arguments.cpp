// expect: fit: an observer must be callable with a const core::record& and return nothing or bool; see gamut/core/observe.hpp
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
    const estimator linear{.model = model::linear{}};
#ifdef GAMUT_MISUSE_FIXED
    const auto watch = [](const core::record& now) { return now.objective < 1; };
#else
    const auto watch = [](double objective) { return objective < 1; };
#endif
    return linear.fit(data::csv<>{"file.csv"}, watch).iterations == 0;
}
