// SPDX-License-Identifier: BSL-1.0
// compiled_ranks FILE.csv: a fit on MPI ranks whose reader and solver are in gamut::compiled_mpi.
#include <gamut/compiled_mpi.hpp>
#include <gamut/gamut.hpp>

#include <cmath>

int main(int argc, char** argv) {
    using namespace gamut;
    communicator::mpi_session session(argc, argv);
    const auto fit = estimator{.model = model::logistic{},
                               .penalty = penalty::l2{.strength = 1e-3},
                               .communicator = communicator::mpi{}}
                         .fit(data::csv{argv[1]});
    return std::abs(fit.objective - 0.0598279373) < 1e-8 ? 0 : 1;
}
