// expect: formula: these two don't fit (
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

struct mine {
#ifdef GAMUT_MISUSE_FIXED
    constexpr auto loss(auto w, auto X, auto y) const { return mean(square(X * w - y)); }
#else
    constexpr auto loss(auto w, auto X, auto y) const { return mean(square(X * w - mean(y))); }
#endif
    constexpr auto predict(auto w, auto X) const { return X * w; }
};

int main() { return estimator{.model = mine{}}.fit(data::csv<>{"file.csv"}).iterations == 0; }
