// expect: sum: needs one value per row; reduce the outputs first with row_sum, log_sum_exp or pick
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

struct mine {
    constexpr std::size_t outputs(std::size_t) const { return 3; }
#ifdef GAMUT_MISUSE_FIXED
    constexpr auto loss(auto w, auto X, auto y) const { return sum(row_sum(square(X * w)) - y); }
#else
    constexpr auto loss(auto w, auto X, auto y) const { return sum(square(X * w) - y); }
#endif
    constexpr auto predict(auto w, auto X) const { return X * w; }
};

int main() { return estimator{.model = mine{}}.fit(data::csv<>{"file.csv"}).iterations == 0; }
