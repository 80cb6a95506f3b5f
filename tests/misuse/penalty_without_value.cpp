// expect: penalty: needs value(w); see gamut/penalty/concept.hpp
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

struct mine {
#ifdef GAMUT_MISUSE_FIXED
    constexpr auto value(auto) const { return 0.0; }
#endif
    constexpr auto prox(auto w, auto) const { return w < 0 ? decltype(w){0} : w; }
};

int main() {
    return estimator{.model = model::linear{}, .penalty = mine{}}.fit(data::csv<>{"file.csv"}).iterations == 0;
}
