// SPDX-License-Identifier: BSL-1.0
// Four nodes train a copy of a network each on their own digits: they hear their neighbours on a ring after every step, or take the mean
// of all now and then. The same bits on any number of processes.
// run: mpirun -n 2 distributed_network
#include <cstdio>

#include <gamut/communicator/mpi.hpp>
#include <gamut/exchange/gossip.hpp>
#include <gamut/exchange/periodic.hpp>
#include <gamut/gamut.hpp>
#include <gamut/network.hpp>
#include <gamut/topology/ring.hpp>

using namespace gamut;

const data::csv<> digits{.path = "examples/data/digits.csv"};

template <class Ranks, class Exchange> auto fit_by(const Ranks& ranks, const Exchange& exchange) {
    const estimator e{.model = network::classifier{network::dense{48}, network::relu{}, network::dense{10}},
                      .penalty = penalty::l2{1e-3},
                      .solver = solver::sgd{.rate = 0.05,
                                            .momentum = 0.9,
                                            .batch = 64,
                                            .check_every = 0,
                                            .blocks = 4,
                                            .exchange = exchange,
                                            .stop = {.iterations = 15, .tolerance = 0}},
                      .communicator = ranks};
    return e.fit(data::all_but_every(digits, 5));
}

int main(int argc, char** argv) {
    communicator::mpi_session session(argc, argv);
    const communicator::mpi ranks{};
    const auto say = [&](const char* name, const auto& fit) {
        const double accuracy = fit.score(data::every(digits, 5)).accuracy;
        if (ranks.rank() == 0)
            std::printf("%-22s accuracy %.4f, nodes apart %.2e\n", name, accuracy, fit.history.back().dual_residual);
        return accuracy;
    };
    const auto by_gossip = fit_by(ranks, exchange::gossip{topology::ring{}});
    const double ring = say("gossip on a ring", by_gossip);
    const double mean = say("the mean, every 20", fit_by(ranks, exchange::periodic{.every = 20}));
    const bool same = fit_by(communicator::single<>{}, exchange::gossip{topology::ring{}}).weights == by_gossip.weights;
    if (ranks.rank() == 0) std::printf("the same bits on one process: %s\n", same ? "yes" : "no");
    return same && ring > 0.94 && mean > 0.94 ? 0 : 1;
}
