// expect: exact: needs a convex loss (no other has bounds); if the model's is, write static constexpr bool convex = true; in it
// SPDX-License-Identifier: BSL-1.0
#include <gamut/gamut.hpp>

using namespace gamut;

struct cauchy {
#ifdef GAMUT_MISUSE_FIXED
    static constexpr bool convex = true;  // says so, and is wrong; that cannot be noticed
#endif
    constexpr auto loss(auto w, auto X, auto y) const { return mean(log(1 + square(X * w - y))); }
    constexpr auto predict(auto w, auto X) const { return X * w; }
};

int main() {
    const estimator fit{.model = cauchy{}, .penalty = penalty::l0{.l2 = 1e-3}, .solver = solver::exact{}};
    return fit.fit(data::csv<>{"file.csv"}).iterations == 0;
}
