// SPDX-License-Identifier: BSL-1.0
// What does a network lose whose copies meet seldom, or by short messages? TinyMix-10 (ten classes of three Gaussian modes in 20
// dimensions, 4,000 rows and 4,000 others), 20-100-100-10 with relu, 30 epochs of momentum 0.9, rate 0.05 and a tenth of it in the last
// third, batches of 64, l2 1e-4, single precision. Points of accuracy on the other rows that are lost, means over --seeds (4):
//   local SGD      2 and 4 copies that take their mean every 1, 8, 40, 160 steps
//   subnets        2 and 4 nodes to which the hidden units are dealt every 40 steps, 4 nodes with 60 epochs; three deals of each seed
//   compressed     gradients of 4 nodes, 16 rows of a batch each, in messages of fewer bytes
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gamut/compressor/error_feedback.hpp>
#include <gamut/compressor/half.hpp>
#include <gamut/compressor/int8.hpp>
#include <gamut/compressor/low_rank.hpp>
#include <gamut/compressor/none.hpp>
#include <gamut/compressor/quantized.hpp>
#include <gamut/compressor/random_k.hpp>
#include <gamut/compressor/sign.hpp>
#include <gamut/compressor/top_k.hpp>
#include <gamut/core/text.hpp>
#include <gamut/exchange/periodic.hpp>
#include <gamut/exchange/subnets.hpp>
#include <gamut/network.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/schedule.hpp>

#include "../tests/network/tiny_mix.hpp"
#include "measure.hpp"

using namespace gamut;

namespace {

constexpr std::size_t epochs = 30;
constexpr solver::schedule::step falling_over(std::size_t all) {
    return {.rate = 0.05, .factor = 0.1, .every = 2 * static_cast<double>(all) / 3};
}
constexpr solver::schedule::step falling = falling_over(epochs);

/// Accuracy in percent on part 1 of a seed, of what `options` train on part 0.
template <class Sgd>
double accuracy(Sgd options, std::size_t nodes, std::uint64_t seed, std::size_t all_epochs = epochs) {
    network::classifier net{network::dense{100}, network::relu{}, network::dense{100}, network::relu{},
                            network::dense{10}};
    net.seed = seed;
    options.momentum = 0.9;
    options.batch = 64;
    options.seed = seed;
    options.check_every = all_epochs;
    options.blocks = nodes;
    options.stop = {.iterations = all_epochs, .tolerance = 0};
    return 100 * estimator{.model = net,
                           .penalty = penalty::l2{1e-4},
                           .solver = options,
                           .backend = backend::host<float>{},
                           .prepare = {.columns = data::columns::as_given}}
                     .fit(tiny_mix<float>(4000, seed, 0))
                     .score(tiny_mix<float>(4000, seed, 1))
                     .accuracy;
}
}  // namespace

int main(int argc, char** argv) {
    const auto seeds = static_cast<std::uint64_t>(std::atof(benchmark::option(argc, argv, "--seeds", "4").c_str()));
    std::vector<std::string> order;
    std::map<std::string, std::pair<double, double>> means;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const double baseline = accuracy(solver::sgd{.rate = falling}, 4, seed);
        const auto note = [&](const std::string& name, double value, double goal) {
            std::printf("seed %d  %-32s %8.3f\n", static_cast<int>(seed), name.c_str(), value);
            std::fflush(stdout);
            if (means.count(name) == 0) order.push_back(name);
            means[name].first += value / static_cast<double>(seeds);
            means[name].second = goal;
        };
        note("all copies alike, wrong", 100 - baseline, 5);
        for (const std::size_t copies : {2, 4})
            for (const std::size_t every : {1, 8, 40, 160})
                note(core::text(copies, " copies every ", every),
                     baseline -
                         accuracy(solver::sgd{.rate = falling, .exchange = exchange::periodic{every}}, copies, seed),
                     0.7);
        for (const std::size_t nodes : {2u, 4u}) {
            const std::size_t all = nodes == 2 ? epochs : 2 * epochs;
            double found = 0;
            for (const std::uint64_t deals : {1u, 2u, 3u})
                found += accuracy(
                    solver::sgd{.rate = falling_over(all),
                                .exchange =
                                    exchange::subnets{.widths = {20, 100, 100, 10}, .every = 40, .seed = deals}},
                    nodes, seed, all);
            note(core::text(nodes, " subnets"), baseline - found / 3, nodes == 2 ? 1.5 : 7);
        }
        const auto compressed = [&](const std::string& name, const auto& how, double goal) {
            note(name, baseline - accuracy(solver::sgd{.rate = falling, .compressor = how}, 4, seed), goal);
        };
        compressed("half", compressor::half{}, 0.5);
        compressed("int8", compressor::int8{}, 0.5);
        compressed("quantized to 4 bits", compressor::quantized{.bits = 4}, 2);
        compressed("sign, feedback", compressor::error_feedback{compressor::sign{}}, 0.5);
        compressed("top 1 %, feedback", compressor::error_feedback{compressor::top_k{.share = 0.01}}, 0.5);
        compressed("random 10 %, feedback", compressor::error_feedback{compressor::random_k{.share = 0.1}}, 0.7);
        compressed("rank 2, feedback", compressor::error_feedback{compressor::low_rank{.rank = 2}}, 0.5);
    }
    std::vector<benchmark::record> records;
    for (const std::string& name : order) records.push_back({name, "points", means[name].first, means[name].second});
    return benchmark::report(records, benchmark::option(argc, argv, "--output", ""));
}
