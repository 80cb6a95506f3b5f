// SPDX-License-Identifier: BSL-1.0
// Is nothing ever dense? 10^6 rows (--rows) of 10^5 columns (--columns), 20 ones in each, standardised: a logistic fit with an
// l1 penalty and one of 50 weights, in what memory beside the data, and how many times as long as a gradient. Dense, the
// matrix would take 800 GB.
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/backend/sparse.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/random.hpp>
#include <gamut/core/result.hpp>
#include <gamut/data/dataset.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/penalty/elastic_net.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/solver/coordinate.hpp>
#include <gamut/solver/problem.hpp>
#include <gamut/solver/swap.hpp>

#include "measure.hpp"

using namespace gamut;

namespace {

using rows = data::dataset<backend::sparse_matrix<double>>;

/// What the process has had at its most, in bytes.
double peak_memory() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return 1024.0 * static_cast<double>(used.ru_maxrss);
}

/// Columns are the rarer the higher their number; 50 of the common ones matter.
rows made(std::size_t n, std::size_t p) {
    rows made;
    made.x.rows = n;
    made.x.columns = p;
    made.x.indices.reserve(20 * n);
    made.x.offsets.reserve(n + 1);
    std::vector<std::int32_t> row;
    for (std::size_t i = 0; i < n; ++i) {
        const core::random numbers{.seed = 1, .stream = i};
        row.clear();
        double z = -0.5;
        for (std::uint64_t draw = 0; row.size() < 20; ++draw) {
            const double u = numbers.uniform(draw);
            const auto j = static_cast<std::int32_t>(static_cast<double>(p) * u * u * u);
            if (std::find(row.begin(), row.end(), j) != row.end()) continue;
            row.push_back(j);
            if (j % 20 == 3 && j < 1000) z += j % 40 == 3 ? 2 : -1;
        }
        std::sort(row.begin(), row.end());
        made.x.indices.insert(made.x.indices.end(), row.begin(), row.end());
        made.x.offsets.push_back(static_cast<std::int64_t>(made.x.indices.size()));
        made.y.push_back(core::random{.seed = 2}.uniform(i) < 1 / (1 + std::exp(-z)) ? 1 : 0);
    }
    made.classes = {"0", "1"};
    for (std::size_t j = 0; j < p; ++j) made.features.push_back("x" + std::to_string(j));
    made.partition = data::partition(n, 20, 16);
    return made;
}

}  // namespace

int main(int argc, char** argv) {
    const auto number = [&](const char* name, const char* otherwise) {
        return static_cast<std::size_t>(std::atof(benchmark::option(argc, argv, name, otherwise).c_str()));
    };
    const rows all = made(number("--rows", "1e6"), number("--columns", "1e5"));
    const double bytes = static_cast<double>(4 * all.x.indices.size() + 8 * all.x.offsets.size() + 8 * all.y.size());
    const communicator::single<> alone;
    const auto scaling = data::standardize(alone, all);
    std::vector<benchmark::record> records;

    const auto fit = [&](const char* name, const auto& penalty, const auto& solver, double most) {
        const solver::problem<model::logistic, rows, std::decay_t<decltype(penalty)>, backend::host<>,
                              communicator::single<>>
            problem({}, all, penalty, {}, alone, true, scaling);
        auto w = problem.start(), g = w;
        std::vector<double> gradients;
        for (int k = 0; k < 5; ++k) gradients.push_back(benchmark::seconds([&] { problem.value_and_gradient(w, g); }));
        const double gradient = benchmark::median(gradients);
        core::status status{};
        const double seconds = benchmark::seconds([&] {
            const auto found = solver.minimize(problem);
            status = found.status;
            std::printf("%s: objective %.8f, %zu weights, %zu passes; %s\n", name, found.objective,
                        problem.nonzeros(found.weights), problem.passes(), found.message.c_str());
        });
        std::printf("%s: %.2f s; a gradient takes %.4f s\n", name, seconds, gradient);
        records.push_back({name, "over_gradient", seconds / gradient, most});
        records.push_back({name, "peak_memory_over_data", peak_memory() / bytes, 3});
        return status == core::status::converged;
    };
    bool fine = fit("l1", penalty::elastic_net{.l1 = 2e-3}, solver::coordinate{.stop = {.tolerance = 1e-6}}, 20);
    fine = fit("l0_50", penalty::l0{.kappa = 50, .l2 = 1e-3}, solver::swap{}, 40) && fine;
    const int code = benchmark::report(records, benchmark::option(argc, argv, "--output", ""));
    return fine ? code : 1;
}
