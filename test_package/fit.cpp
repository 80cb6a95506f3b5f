// SPDX-License-Identifier: BSL-1.0
// A fit of eight rows in memory: y = 1 + 2 x0 exactly, with a second column that doesn't matter.
#include <gamut/gamut.hpp>

#include <cmath>
#include <cstdio>
#include <vector>

int main() {
    using namespace gamut;
    const std::vector<double> x{1, 5, 2, -1, 3, 0, 4, 2, 5, -3, 6, 1, 7, 4, 8, -2};
    const std::vector<double> y{3, 5, 7, 9, 11, 13, 15, 17};
    auto fit = estimator{.model = model::linear{}}.fit(data::arrays(x, 8, 2, y));
    std::printf("gamut %d.%d.%d: mean squared error %.1e\n", version.major, version.minor, version.patch,
                fit.objective);
    return std::abs(fit.objective) < 1e-9 ? 0 : 1;
}
