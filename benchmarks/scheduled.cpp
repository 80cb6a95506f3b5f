// SPDX-License-Identifier: BSL-1.0
// What does scheduling buy parallel coordinate descent? The lasso on three designs of 1,000 rows (--rows) and 5,000 columns (--columns),
// with P = 1, 8, 32, 128 coordinates at a time: random selection (Shotgun), scheduled (STRADS), and scheduled without its check
// of correlations, which leaves only the common share of the steps. Rounds and seconds to a duality gap of 1e-6 of the objective at zero
// weights, or how it ended; beside them solver::coordinate. Medians of --repeats (3) runs, one thread (--threads).
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>
#include <vector>

#include <gamut/communicator/single.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/solver/coordinate.hpp>
#include <gamut/solver/parallel_coordinate.hpp>
#include <gamut/solver/problem.hpp>

#include "measure.hpp"

using namespace gamut;

namespace {

struct design {
    const char* name;
    double common;      // correlation of any two columns
    double neighbours;  // of a column with the one before, within blocks of 50
};

data::arrays<backend::dense_matrix<double>> make(std::size_t n, std::size_t p, const design& d) {
    const core::random own{.seed = 1}, shared{.seed = 1, .stream = 1}, noise{.seed = 1, .stream = 2};
    backend::dense_matrix<double> x(n, p);
    std::vector<double> y(n);
    for (std::size_t i = 0; i < n; ++i) {
        const double common = std::sqrt(d.common) * shared.normal(i);
        double before = 0;
        for (std::size_t j = 0; j < p; ++j) {
            const double rest = own.normal(i * p + j);
            before = j % 50 == 0 ? rest : d.neighbours * before + std::sqrt(1 - d.neighbours * d.neighbours) * rest;
            x(i, j) = common + std::sqrt(1 - d.common) * before;
            if (j % 100 == 7) y[i] += (j % 200 == 7 ? 1 : -1) * x(i, j);
        }
        y[i] += noise.normal(i);
    }
    return data::arrays(std::move(x), y);
}

}  // namespace

int main(int argc, char** argv) {
    const auto number = [&](const char* name, const char* otherwise) {
        return static_cast<std::size_t>(std::atof(benchmark::option(argc, argv, name, otherwise).c_str()));
    };
    const std::size_t n = number("--rows", "1000"), p = number("--columns", "5000"), repeats = number("--repeats", "3");
    const double strength = std::atof(benchmark::option(argc, argv, "--strength", "0.1").c_str());
    const int threads = static_cast<int>(number("--threads", "1"));
    const communicator::single<> alone;
    constexpr core::stop stop{.tolerance = 1e-6};
    std::vector<benchmark::record> records;
    for (const design& d : {design{"iid", 0, 0}, design{"ar.9", 0, 0.9}, design{"equal.7", 0.7, 0}}) {
        const auto rows = make(n, p, d).load(alone, {.blocks = 16});
        const solver::problem<model::linear, std::remove_cvref_t<decltype(rows)>, penalty::l1, backend::host<double>,
                              communicator::single<>>
            problem({}, rows, {strength}, {.threads = threads}, alone, true, data::standardize(alone, rows));
        std::printf("%s\n%-22s %4s  %-16s %8s %9s %7s %8s\n", d.name, "", "P", "ended", "rounds", "passes", "nonzero",
                    "seconds");
        struct measured {
            bool converged;
            double rounds, seconds;
        };
        const auto measure = [&](const char* name, std::size_t together, const auto& solver) {
            std::vector<double> seconds;
            const auto found = solver.minimize(problem);
            seconds.push_back(found.seconds);
            for (std::size_t r = 1; r < repeats; ++r) seconds.push_back(solver.minimize(problem).seconds);
            const std::size_t place = found.message.rfind(" in ");  // "... in 123 rounds"
            const double rounds = place == std::string::npos ? 0 : std::atof(found.message.c_str() + place + 4);
            std::printf("%-22s %4zu  %-16s %8.0f %9zu %7zu %8.3f\n", name, together,
                        std::string(core::name(found.status)).c_str(), rounds, found.passes,
                        found.history.back().nonzeros, benchmark::median(seconds));
            return measured{found.status == core::status::converged, rounds, benchmark::median(seconds)};
        };
        const measured one = measure("coordinate", 1, solver::coordinate{.stop = stop});
        for (const std::size_t together : {1u, 8u, 32u, 128u}) {
            const measured random = measure("random", together,
                                            solver::parallel_coordinate<solver::selection::random>{
                                                .selection = {.together = together}, .stop = stop});
            const measured scheduled =
                measure("scheduled", together,
                        solver::parallel_coordinate<>{.selection = {.together = together}, .stop = stop});
            measure("scheduled, no check", together,
                    solver::parallel_coordinate<>{.selection = {.together = together, .correlation = 2}, .stop = stop});
            const std::string name = std::string(d.name) + " " + std::to_string(together);
            records.push_back({name, "not_converged", scheduled.converged ? 0.0 : 1.0, 0});
            if (random.converged) records.push_back({name, "rounds_over_random", scheduled.rounds / random.rounds, 1});
            records.push_back({name, "over_coordinate", scheduled.seconds / one.seconds, 10});
        }
    }
    return benchmark::report(records, benchmark::option(argc, argv, "--output", ""));
}
