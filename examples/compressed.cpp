// SPDX-License-Identifier: BSL-1.0
// Eight nodes on a ring say little: gossip of compressed differences, by compressors that leave out more and more. What was left out is
// in the next difference, so all end near the same weights; what they send is counted.
// run: mpirun -n 4 compressed
#include <cstdio>

#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/mpi.hpp>
#include <gamut/compressor/int8.hpp>
#include <gamut/compressor/none.hpp>
#include <gamut/compressor/quantized.hpp>
#include <gamut/compressor/top_k.hpp>
#include <gamut/exchange/compressed_gossip.hpp>
#include <gamut/gamut.hpp>
#include <gamut/topology/ring.hpp>

using namespace gamut;

int main(int argc, char** argv) {
    communicator::mpi_session session(argc, argv);
    const communicator::counting<communicator::mpi<>> ranks;
    const data::csv<> digits{.path = "examples/data/digits.csv"};
    double worst = 1, plain_bytes = 0, fewest = 0;
    const auto fit_by = [&](const char* name, const auto& compressor, double consensus_rate) {
        const estimator e{
            .model = model::softmax{},
            .penalty = penalty::l2{.strength = 1e-3},
            .solver = solver::sgd{.rate = 0.05,
                                  .batch = 64,
                                  .check_every = 0,
                                  .blocks = 8,
                                  .exchange = exchange::compressed_gossip{topology::ring{}, compressor, consensus_rate},
                                  .stop = {.iterations = 15, .tolerance = 0}},
            .communicator = ranks};
        ranks.reset();
        const auto fit = e.fit(digits);
        const double bytes = static_cast<double>(ranks.bytes()), accuracy = fit.score(digits).accuracy;
        worst = accuracy < worst ? accuracy : worst;
        plain_bytes = plain_bytes == 0 ? bytes : plain_bytes;
        fewest = bytes;
        if (ranks.rank() == 0)
            std::printf("%-18s %6.2f MB  accuracy %.4f  nodes apart %.3f\n", name, bytes / 1e6, accuracy,
                        fit.history.back().dual_residual);
    };
    fit_by("everything", compressor::none{}, 1);
    fit_by("8 bits", compressor::int8{}, 1);
    fit_by("4 bits", compressor::quantized{.bits = 4}, 0.8);
    fit_by("the largest 10 %", compressor::top_k{.share = 0.1}, 0.2);
    return worst > 0.93 && fewest < plain_bytes / 4 ? 0 : 1;
}
