// expect: model: needs predict(w, X) that returns a formula; see gamut/model/concept.hpp
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

struct mine {
    constexpr auto loss(auto w, auto X, auto y) const { return mean(square(X * w - y)); }
#ifdef GAMUT_MISUSE_FIXED
    constexpr auto predict(auto w, auto X) const { return X * w; }
#endif
};

int main() { return estimator{.model = mine{}}.fit(data::csv<>{"file.csv"}).iterations == 0; }
