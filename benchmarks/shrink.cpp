// SPDX-License-Identifier: BSL-1.0
// What does a smaller network cost? TinyMix-10 (ten classes of three Gaussian modes in 20 dimensions, 4,000 rows and 4,000 others, --rows),
// 20-100-100-10 with relu, 30 epochs (--epochs) of momentum 0.9, rate 0.05 and a tenth of it in the last third, batches of 64, l2 1e-4,
// single precision; means over --seeds (4) networks, points of accuracy on the other rows. Each row is what a network loses that is
// pruned by 20 % a round (10 epochs a round: --retrain), in one round, quantised, shared and coded; and the lottery at 10 % in 10
// rounds (--lottery 0 leaves it out).
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/network.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/shrink.hpp>
#include <gamut/shrink/file.hpp>
#include <gamut/solver/schedule.hpp>

#include "measure.hpp"

using namespace gamut;

namespace {

/// Parts 0 and 1 of a seed have the same modes.
auto tiny_mix(std::size_t rows, std::uint64_t seed, std::uint64_t part) {
    constexpr std::size_t dimension = 20;
    backend::dense_matrix<float> x(rows, dimension);
    std::vector<double> y;
    const core::random modes{seed, 1}, noise{seed, 2 + 2 * part}, which{seed, 3 + 2 * part};
    for (std::size_t i = 0; i < rows; ++i) {
        const std::size_t mode = which.below(i, 30);
        y.push_back(static_cast<double>(mode / 3));
        for (std::size_t j = 0; j < dimension; ++j)
            x(i, j) = static_cast<float>(1.15 * modes.normal(mode * dimension + j) + noise.normal(i * dimension + j));
    }
    return data::arrays(std::move(x), y);
}

auto trainer(std::uint64_t seed, std::size_t epochs, double rate = 0.05) {
    network::classifier net{network::dense{100}, network::relu{}, network::dense{100}, network::relu{},
                            network::dense{10}};
    net.seed = seed;
    const solver::schedule::step steps{.rate = rate, .factor = 0.1, .every = 2 * static_cast<double>(epochs) / 3};
    return estimator{.model = net,
                     .penalty = penalty::l2{1e-4},
                     .solver = solver::sgd{.rate = steps,
                                           .momentum = 0.9,
                                           .batch = 64,
                                           .seed = seed,
                                           .check_every = 0,
                                           .stop = {.iterations = epochs}},
                     .backend = backend::host<float>{},
                     .prepare = {.columns = data::columns::as_given}};
}

}  // namespace

int main(int argc, char** argv) {
    const auto number = [&](const char* name, const char* otherwise) {
        return static_cast<std::size_t>(std::atof(benchmark::option(argc, argv, name, otherwise).c_str()));
    };
    const std::size_t rows = number("--rows", "4000"), epochs = number("--epochs", "30");
    const std::size_t retrain = number("--retrain", "10"), seeds = number("--seeds", "4");
    const bool with_lottery = number("--lottery", "1") != 0;
    const std::string path = (std::filesystem::temp_directory_path() / "gamut_benchmark_shrink.net").string();
    std::map<std::string, double> means;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const auto source = tiny_mix(rows, seed, 0), test = tiny_mix(rows, seed, 1);
        const auto points = [&](const auto& fit) { return 100 * fit.score(test).accuracy; };
        const auto note = [&](const std::string& name, double value) {
            std::printf("seed %zu  %-34s %8.3f\n", static_cast<std::size_t>(seed), name.c_str(), value);
            std::fflush(stdout);
            means[name] += value / static_cast<double>(seeds);
        };
        const auto e = trainer(seed, epochs), again = trainer(seed, retrain);
        const auto fit = e.fit(source);
        const double dense = points(fit);
        note("dense", dense);
        const auto lost = [&](const std::string& name, const auto& other) { note(name, dense - points(other)); };

        auto small = fit;
        for (std::size_t round = 1; round <= 9; ++round) {
            small = shrink::prune(again, source, small, {.keep = std::pow(0.8, round)});
            if (round == 3) lost("pruned to 51 %", small);
            if (round == 7) lost("pruned to 21 %", small);
        }
        lost("pruned to 13.4 %", small);
        const auto one_shot = shrink::prune(again, source, fit, {.keep = std::pow(0.8, 9)});
        lost("one-shot to 13.4 %", one_shot);
        note("rounds over one-shot", points(small) - points(one_shot));

        for (const std::uint32_t bits : {8u, 6u, 5u, 4u, 3u, 2u}) {
            const std::string name = "quantised to " + std::to_string(bits) + " bits";
            lost(name, shrink::quantise(fit, {.bits = bits}));
            lost(name + " by row", shrink::quantise(fit, {.bits = bits, .per = shrink::per::row}));
            lost(name + " by column", shrink::quantise(fit, {.bits = bits, .per = shrink::per::column}));
        }
        for (const double rate : {0.05, 0.01, 0.002})
            for (const std::uint32_t bits : {4u, 3u, 2u})
                for (const auto per : {shrink::per::tensor, shrink::per::column})
                    lost("trained with " + std::to_string(bits) + " bits " + std::to_string(rate) +
                             (per == shrink::per::tensor ? "" : " column"),
                         shrink::quantise(trainer(seed, retrain, rate), source, fit, {.bits = bits, .per = per}));

        for (const std::uint32_t bits : {4u, 3u, 2u}) {
            const std::string name = "13.4 % in " + std::to_string(bits) + " bits";
            const auto shared = shrink::share(small, {.bits = bits});
            lost(name, shared);
            lost(name + " linear", shrink::share(small, {.bits = bits, .centres = shrink::centres::linear}));
            const auto tuned = shrink::share(trainer(seed, retrain, 0.005), source, small, {.bits = bits});
            lost(name + " tuned", tuned);
            const auto size = shrink::save(tuned, path, {.bits = bits});
            note(name + " ratio", size.ratio());
            note(name + " coded", static_cast<double>(size.coded));
            note(name + " file", static_cast<double>(size.file));
            note(name + " differs", shrink::load(path, fit.model).weights == tuned.weights ? 0 : 1);
        }
        if (!with_lottery) continue;
        const auto found = shrink::lottery(e, source, {.keep = 0.1, .rounds = 10, .compare = true});
        lost("ticket of 10 %", found.ticket);
        note("ticket over re-drawn", points(found.ticket) - points(*found.redrawn));
        note("ticket over random mask", points(found.ticket) - points(*found.random_mask));
    }
    std::filesystem::remove(path);
    std::vector<benchmark::record> records;
    for (const auto& [name, value] : means) records.push_back({name, "points", value, 0});
    return benchmark::report(records, benchmark::option(argc, argv, "--output", ""));
}
