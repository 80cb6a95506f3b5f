// SPDX-License-Identifier: BSL-1.0
// resumable SOLVER FOLDER: fits with a checkpoint in FOLDER after every iteration, goes on from the newest one there, and prints every bit
// of what it found. kill.py ends it at random moments.
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include <gamut/communicator/mpi.hpp>
#include <gamut/core/checkpoints.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/estimator.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/penalty/elastic_net.hpp>
#include <gamut/solver/admm.hpp>
#include <gamut/solver/sgd.hpp>

using namespace gamut;

template <class Solver> void fit(Solver solver, const std::string& folder) {
    solver.resume = folder;
    const estimator classifier{.model = model::logistic{},
                               .penalty = penalty::elastic_net{.l1 = 0.01, .l2 = 0.01},
                               .solver = solver,
                               .communicator = communicator::mpi<>{}};
    core::checkpoints keeper{.every = 1, .folder = folder, .keep = 2};
    const auto found = classifier.fit(data::csv{.path = "examples/data/breast_cancer.csv"}, keeper);
    if (communicator::mpi<>{}.rank() != 0) return;
    std::printf("%s after %zu iterations and %zu passes\n", std::string(core::name(found.status)).c_str(),
                found.iterations, found.passes);
    for (const double w : found.solver_weights) std::printf("%a\n", w);
    for (const core::record& now : found.history)
        std::printf("%zu %a %a %a %zu %zu\n", now.iteration, now.objective, now.residual, now.dual_residual,
                    now.nonzeros, now.passes);
}

int main(int count, char** words) {
    communicator::mpi_session session(count, words, 60.0);
    if (count != 3) return 2;
    try {
        if (std::string_view(words[1]) == "sgd")
            fit(solver::sgd{.rate = 0.1, .momentum = 0.9, .stop = {.iterations = 120, .tolerance = 0}}, words[2]);
        else
            fit(solver::admm{.stop = {.iterations = 120, .tolerance = 0}}, words[2]);
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        return 1;
    }
}
