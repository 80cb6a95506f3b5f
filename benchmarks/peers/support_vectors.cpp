// SPDX-License-Identifier: BSL-1.0
// What support_vectors.py runs for gamut: fits one LIBSVM file and prints processor seconds, rounds, passes, the gap and the objective.
//   support_vectors FILE hinge|squared_hinge|logistic C TOLERANCE BLOCKS REPEATS
// The objective is liblinear's: |w|^2 / 2 + C times the sum of the losses, no intercept.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include <gamut/gamut.hpp>

using namespace gamut;

namespace {

template <class Model> void fit(char** options) {
    const double C = std::atof(options[2]);
    const solver::dual machine{.blocks = std::size_t(std::atoi(options[4])),
                               .stop = {.iterations = 100000, .tolerance = std::atof(options[3])}};
    const auto rows = data::libsvm<>{.path = options[0]}.load(communicator::single<>{},
                                                              {.classification = true, .blocks = machine.blocks});
    using dataset = std::remove_cvref_t<decltype(rows)>;
    const double scale = static_cast<double>(rows.rows()) * C;
    for (int r = 0; r < std::atoi(options[5]); ++r) {
        const std::clock_t begin = std::clock();
        const solver::problem<Model, dataset, penalty::l2, backend::host<>, communicator::single<>> problem(
            Model{}, rows, penalty::l2{1 / scale}, backend::host<>{}, communicator::single<>{}, false);
        const auto found = machine.minimize(problem);
        const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
        std::printf("%.6f %zu %zu %.3e %.17g\n", seconds, found.iterations, found.passes, found.history.back().residual,
                    found.objective * scale);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 7) return 2;
    const std::string loss = argv[2];
    if (loss == "hinge")
        fit<model::hinge>(argv + 1);
    else if (loss == "squared_hinge")
        fit<model::squared_hinge>(argv + 1);
    else
        fit<model::logistic>(argv + 1);
}
