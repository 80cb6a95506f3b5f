// expect: coordinate: needs columns and second derivatives in this process's memory (backend::host)
// SPDX-License-Identifier: BSL-1.0
#include <span>

#include <gamut/gamut.hpp>

using namespace gamut;

int main() {
    const solver::plain_function parabola(1, [](std::span<const double> w, std::span<double> gradient) {
        gradient[0] = w[0] - 1;
        return 0.5 * (w[0] - 1) * (w[0] - 1);
    });
#ifdef GAMUT_MISUSE_FIXED
    return solver::lbfgs{}.minimize(parabola).iterations == 0;
#else
    return solver::coordinate{}.minimize(parabola).iterations == 0;
#endif
}
