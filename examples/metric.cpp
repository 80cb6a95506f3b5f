// SPDX-License-Identifier: BSL-1.0
// A metric learnt from pairs of flowers: after it, neighbours are of one species more often, and one direction is enough.
#include <cstdio>

#include <gamut/gamut.hpp>
#include <gamut/learn.hpp>

using namespace gamut;

int main() {
    const data::csv<> iris{.path = "examples/data/iris.csv"};
    const learn::metric pairs{.lambda = 1, .pairs = 4, .stop = {.iterations = 1500, .tolerance = 1e-5}};
    const auto fit = pairs.fit(iris);
    auto plain = fit;  // the distance as it was
    const std::size_t p = fit.features.size();
    plain.map.assign(p * p, 0.0);
    for (std::size_t j = 0; j < p; ++j) plain.map[j * (p + 1)] = 1;

    std::printf("%s after %zu iterations; %zu of %zu directions are left\n", fit.message.c_str(), fit.iterations,
                fit.rank(), p);
    for (std::size_t j = 0; j < p; ++j) std::printf("  %-20s %8.3f\n", fit.features[j].c_str(), fit.map[j]);
    const double before = plain.score(iris).accuracy, after = fit.score(iris).accuracy;
    std::printf("similar pairs are nearer than different ones in %.3f of all cases, before in %.3f\n", after, before);
    return after > before && after > 0.95 ? 0 : 1;
}
