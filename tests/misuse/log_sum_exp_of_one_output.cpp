// expect: log_sum_exp: needs one value per row and output (such as X * w with a matrix w)
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

struct mine {
#ifdef GAMUT_MISUSE_FIXED
    static constexpr bool classification = true;
    constexpr std::size_t outputs(std::size_t classes) const { return classes; }
#endif
#ifdef GAMUT_MISUSE_FIXED
    constexpr auto loss(auto w, auto X, auto y) const { return mean(log_sum_exp(X * w) - pick(X * w, y)); }
#else
    constexpr auto loss(auto w, auto X, auto y) const { return mean(log_sum_exp(y * (X * w))); }
#endif
    constexpr auto predict(auto w, auto X) const { return X * w; }
};

int main() { return estimator{.model = mine{}}.fit(data::csv<>{"file.csv"}).iterations == 0; }
