// SPDX-License-Identifier: BSL-1.0
// Eight nodes share a file, keep their rows to themselves and only talk to their neighbours: plain gossip stays near the best weights,
// exact diffusion finds them. The same bits on any number of processes.
// run: mpirun -n 4 gossip
#include <cstdio>

#include <gamut/communicator/mpi.hpp>
#include <gamut/exchange/exact_diffusion.hpp>
#include <gamut/exchange/gossip.hpp>
#include <gamut/gamut.hpp>
#include <gamut/topology/exponential.hpp>
#include <gamut/topology/symmetric_exponential.hpp>

using namespace gamut;

template <class Ranks, class Exchange> auto fit_by(const Ranks& ranks, const Exchange& exchange) {
    const estimator e{.model = model::logistic{},
                      .penalty = penalty::l2{.strength = 1e-2},
                      .solver = solver::sgd{.rate = 0.3,
                                            .batch = 569,  // all rows: the only noise is that of who knows what
                                            .check_every = 50,
                                            .blocks = 8,
                                            .exchange = exchange,
                                            .stop = {.iterations = 400, .tolerance = 0}},
                      .communicator = ranks};
    return e.fit(data::csv<>{.path = "examples/data/breast_cancer.csv"});
}

int main(int argc, char** argv) {
    communicator::mpi_session session(argc, argv);
    const communicator::mpi ranks{};
    const auto plain = fit_by(ranks, exchange::gossip{topology::exponential{}});
    const auto exact = fit_by(ranks, exchange::exact_diffusion{topology::symmetric_exponential{}});
    const auto alone = fit_by(communicator::single<>{}, exchange::gossip{topology::exponential{}});
    const estimator direct{.model = model::logistic{}, .penalty = penalty::l2{.strength = 1e-2}};
    const double best = direct.fit(data::csv<>{.path = "examples/data/breast_cancer.csv"}).objective;
    if (ranks.rank() == 0) {
        std::printf("above the best objective      nodes apart\n");
        std::printf("gossip           %10.3e   %10.3e\n", plain.objective - best, plain.history.back().dual_residual);
        std::printf("exact diffusion  %10.3e   %10.3e\n", exact.objective - best, exact.history.back().dual_residual);
        std::printf("the same bits on one process: %s\n", alone.weights == plain.weights ? "yes" : "no");
    }
    return alone.weights == plain.weights && exact.history.back().dual_residual < plain.history.back().dual_residual
               ? 0
               : 1;
}
