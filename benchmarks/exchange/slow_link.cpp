// SPDX-License-Identifier: BSL-1.0
// What is compression worth on a slow link? Four nodes on a ring train a network on digits, in single precision, until its
// loss is that of --loss: all-reduce, gossip, and gossip of the largest 1 % of differences. One process alone says after how many epochs (the
// bits do not depend on ranks); several take the time of so many, without that of looking at the loss.
// run: slow_link --loss .1, then mpirun -n 2 slow_link --epochs "A B C" --output FILE over the link; examples/data is read
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include <gamut/communicator/mpi.hpp>
#include <gamut/compressor/top_k.hpp>
#include <gamut/exchange/all_reduce.hpp>
#include <gamut/exchange/compressed_gossip.hpp>
#include <gamut/exchange/gossip.hpp>
#include <gamut/gamut.hpp>
#include <gamut/network.hpp>
#include <gamut/topology/ring.hpp>

#include "../measure.hpp"

using namespace gamut;

namespace {

double rate = 0.01, consensus_rate = 0.05;
std::size_t width = 400;  // 42,450 numbers in all

template <class E, class O>
void fit(const communicator::mpi<>& ranks, const E& exchange, std::size_t epochs, std::size_t look_every,
         O&& observer) {
    const estimator e{.model = network::classifier{network::dense{width}, network::relu{}, network::dense{40},
                                                   network::relu{}, network::dense{10}},
                      .penalty = penalty::l2{1e-4},
                      .solver = solver::sgd{.rate = rate,
                                            .momentum = 0.9,
                                            .batch = 64,
                                            .check_every = look_every,
                                            .blocks = 4,
                                            .exchange = exchange,
                                            .stop = {.iterations = epochs, .tolerance = 0}},
                      .backend = backend::host<float>{.threads = 1},
                      .communicator = ranks};
    e.fit(data::csv<float>{.path = "examples/data/digits.csv"}, observer);
}

struct outcome {
    std::size_t epochs;
    double seconds;
};

/// Alone: the first epoch that ends with at most this loss. With others: the seconds of `epochs`, which are those of the records but the first's
/// and the last's looks.
template <class E>
outcome measure(const communicator::mpi<>& ranks, const E& exchange, double loss, std::size_t epochs) {
    outcome found{0, 0};
    if (ranks.size() == 1) {
        fit(ranks, exchange, 200, 1, [&](const core::record& now) {
            if (now.objective <= loss && found.epochs == 0) found.epochs = now.iteration;
            return found.epochs > 0;
        });
        return found;
    }
    double begin = 0;
    fit(ranks, exchange, epochs + 1, 0, [&](const core::record& now) {
        if (now.iteration == 0) begin = now.seconds;
        if (now.iteration == epochs) found = {epochs, now.seconds - begin};
        return false;
    });
    return found;
}

}  // namespace

int main(int argc, char** argv) {
    communicator::mpi_session session(argc, argv);
    const communicator::mpi<> ranks;
    const double loss = std::stod(benchmark::option(argc, argv, "--loss", "0.1"));
    rate = std::stod(benchmark::option(argc, argv, "--rate", "0.01"));
    consensus_rate = std::stod(benchmark::option(argc, argv, "--consensus_rate", "0.05"));
    width = std::stoul(benchmark::option(argc, argv, "--width", "400"));
    std::istringstream told(benchmark::option(argc, argv, "--epochs", "0 0 0"));
    std::array<std::size_t, 3> epochs{};
    for (std::size_t& count : epochs) told >> count;

    const topology::ring ring{};
    const std::array<outcome, 3> found{
        measure(ranks, exchange::all_reduce{}, loss, epochs[0]),
        measure(ranks, exchange::gossip{ring}, loss, epochs[1]),
        measure(ranks, exchange::compressed_gossip{ring, compressor::top_k{.share = 0.01}, consensus_rate}, loss,
                epochs[2])};
    if (ranks.rank() != 0) return 0;
    if (ranks.size() == 1) {
        std::printf("%zu %zu %zu\n", found[0].epochs, found[1].epochs, found[2].epochs);
        return 0;
    }
    const double no_goal = std::numeric_limits<double>::infinity();
    std::vector<benchmark::record> records;
    const char* const names[] = {"all_reduce", "gossip", "compressed_gossip, top 1 %"};
    for (std::size_t i = 0; i < 3; ++i) {
        records.push_back({names[i], "epochs_to_loss", static_cast<double>(found[i].epochs), no_goal});
        records.push_back({names[i], "seconds_to_loss", found[i].seconds, no_goal});
    }
    records.push_back({names[2], "over_all_reduce", found[0].seconds / found[2].seconds, no_goal});
    records.push_back(
        {names[2], "over_plain", std::min(found[0].seconds, found[1].seconds) / found[2].seconds, 4, true});
    return benchmark::report(records, benchmark::option(argc, argv, "--output", ""));
}
