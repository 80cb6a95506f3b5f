// SPDX-License-Identifier: BSL-1.0
// How seldom can copies of the weights meet? Eight nodes go their own ways for 1, 8 or 40 steps, then take the mean.
// run: mpirun -n 4 local_sgd
#include <cstdio>

#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/mpi.hpp>
#include <gamut/exchange/periodic.hpp>
#include <gamut/gamut.hpp>
#include <gamut/update/momentum.hpp>

using namespace gamut;

int main(int argc, char** argv) {
    communicator::mpi_session session(argc, argv);
    const communicator::counting<communicator::mpi<>> ranks;
    const data::csv<> digits{.path = "examples/data/digits.csv"};
    double worst = 1;
    if (ranks.rank() == 0) std::printf("steps alone  messages    MB  objective  accuracy\n");
    for (const std::size_t every : {1U, 8U, 40U}) {
        const estimator e{.model = model::softmax{},
                          .penalty = penalty::l2{.strength = 1e-3},
                          .solver = solver::sgd{.rate = 0.01,
                                                .update = update::momentum{.momentum = 0.9},
                                                .batch = 64,
                                                .check_every = 0,
                                                .blocks = 8,
                                                .exchange = exchange::periodic{.every = every},
                                                .stop = {.iterations = 12, .tolerance = 0}},
                          .communicator = ranks};
        ranks.reset();
        const auto fit = e.fit(digits);
        const double messages = static_cast<double>(ranks.messages()), bytes = static_cast<double>(ranks.bytes());
        const double accuracy = fit.score(digits).accuracy;
        worst = accuracy < worst ? accuracy : worst;
        if (ranks.rank() == 0)
            std::printf("%11zu  %8.0f  %4.1f  %9.5f  %8.4f\n", every, messages, bytes / 1e6, fit.objective, accuracy);
    }
    return worst > 0.95 ? 0 : 1;
}
