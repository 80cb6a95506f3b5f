// expect: pick: the index must be one value per row, such as y
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

struct mine {
    static constexpr bool classification = true;
    constexpr std::size_t outputs(std::size_t classes) const { return classes; }
#ifdef GAMUT_MISUSE_FIXED
    constexpr auto loss(auto w, auto X, auto y) const { return -mean(pick(X * w, y)); }
#else
    constexpr auto loss(auto w, auto X, auto y) const { return -mean(y * pick(X * w, row_sum(X * w))); }
#endif
    constexpr auto predict(auto w, auto X) const { return X * w; }
};

int main() { return estimator{.model = mine{}}.fit(data::csv<>{"file.csv"}).iterations == 0; }
