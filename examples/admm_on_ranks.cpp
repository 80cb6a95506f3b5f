// SPDX-License-Identifier: BSL-1.0
// Three ranks share a file and agree on one model: consensus ADMM with an elastic net. The answer has the same bits on any
// number of ranks, on one as well:
// run: mpirun -n 3 admm_on_ranks
#include <cstdio>

#include <gamut/communicator/mpi.hpp>
#include <gamut/gamut.hpp>

using namespace gamut;

int main(int argc, char** argv) {
    communicator::mpi_session session(argc, argv);
    const communicator::mpi ranks{};
    try {
        const data::csv<> patients{.path = "examples/data/diabetes.csv"};
        const penalty::elastic_net net{.l1 = 2, .l2 = 0.1};
        const estimator together{
            .model = model::linear{}, .penalty = net, .solver = solver::admm{}, .communicator = ranks};
        const auto fit = together.fit(patients, core::progress{});

        const estimator alone{.model = model::linear{}, .penalty = net, .solver = solver::admm{}};
        const auto same = alone.fit(patients);
        const auto mine = patients.load(ranks);
        std::printf("rank %d of %d has rows %zu to %zu: objective %.17g, alone %.17g\n", ranks.rank(), ranks.size(),
                    mine.first_row, mine.first_row + mine.local_rows() - 1, fit.objective, same.objective);
        const bool equal = fit.objective == same.objective && fit.weights == same.weights;
        return equal && fit.status == core::status::converged ? 0 : 1;
    } catch (const core::error& problem) {
        if (ranks.rank() == 0) std::fprintf(stderr, "admm_on_ranks: %s\n", problem.what());
        return 1;
    }
}
