// expect: formula: X can only be multiplied by the weights; write X * w
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

struct mine {
#ifdef GAMUT_MISUSE_FIXED
    constexpr auto loss(auto w, auto X, auto y) const { return mean(square(2 * (X * w) - y)); }
#else
    constexpr auto loss(auto w, auto X, auto y) const { return mean(square(X * 2 * w - y)); }
#endif
    constexpr auto predict(auto w, auto X) const { return X * w; }
};

int main() { return estimator{.model = mine{}}.fit(data::csv<>{"file.csv"}).iterations == 0; }
