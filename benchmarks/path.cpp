// SPDX-License-Identifier: BSL-1.0
// Is a whole path as cheap as its Gram matrix? Least squares, 10^6 rows (--rows) of 500 columns (--columns) in float, the best
// subsets of 1 to 50 columns, against the second moments alone. Correlated columns, 25 of them with weights. Medians of
// alternating runs.
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <gamut/backend/parallel.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/solver/path.hpp>
#include <gamut/solver/problem.hpp>

#include "measure.hpp"

using namespace gamut;

int main(int argc, char** argv) {
    const auto number = [&](const char* name, const char* otherwise) {
        return static_cast<std::size_t>(std::atof(benchmark::option(argc, argv, name, otherwise).c_str()));
    };
    const std::size_t n = number("--rows", "1e6"), p = number("--columns", "500"), kappa = number("--kappa", "50");
    const int threads = backend::host<float>{}.threads_of(1);
    data::dataset<backend::dense_matrix<float>> rows;
    rows.x = backend::dense_matrix<float>(n, p);
    rows.y.resize(n);
    rows.partition = data::partition(n, p, solver::path{}.blocks);
    for (std::size_t j = 0; j < p; ++j) rows.features.push_back("x" + std::to_string(j));
    backend::parallel_for(0, 64, static_cast<std::size_t>(threads), [&](std::size_t part, std::size_t) {
        for (std::size_t i = n * part / 64; i < n * (part + 1) / 64; ++i) {
            std::uint64_t state = 0x9e3779b97f4a7c15u * (i + 1);
            const auto uniform = [&] {  // of variance 1, fast
                state ^= state << 13, state ^= state >> 7, state ^= state << 17;
                return (static_cast<float>(state >> 40) * 0x1p-24f - 0.5f) * 3.4641016f;
            };
            for (int k = 0; k < 8; ++k) uniform();
            float before = uniform(), y = 0;
            for (std::size_t j = 0; j < p; ++j) {  // each like the one before
                before = rows.x(i, j) = 0.7f * before + 0.714f * uniform();
                if (j % 20 == 3) y += (j % 40 == 3 ? 1.f : -0.5f) * before;
            }
            rows.y[i] = y + 3 * uniform();
        }
    });
    const communicator::single<> alone;
    const solver::problem<model::linear, decltype(rows), penalty::l0, backend::host<float>, communicator::single<>>
        problem({}, rows, {}, {}, alone, true, data::standardize(alone, rows));
    const solver::path options{.largest = kappa};
    std::vector<double> over, grams;
    std::vector<solver::at_kappa<backend::array<backend::host<float>>>> found;
    for (int repeat = 0; repeat < 6; ++repeat) {
        const double gram = benchmark::seconds([&] { problem.moments(); });
        const double path = benchmark::seconds([&] { found = options.minimize(problem); });
        if (repeat == 0) continue;  // warm-up
        over.push_back(path / gram);
        grams.push_back(gram);
    }
    std::printf(
        "%zu x %zu, %d threads: a Gram matrix takes %.2f s, the path of %zu solutions had objectives %.6f to %.6f\n", n,
        p, threads, benchmark::median(grams), found.size(), found.front().result.objective,
        found.back().result.objective);
    const std::string name = "path_" + std::to_string(p);
    return benchmark::report({{name, "over_gram", benchmark::median(over), 1.15}},
                             benchmark::option(argc, argv, "--output", ""));
}
