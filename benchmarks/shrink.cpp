// SPDX-License-Identifier: BSL-1.0
// What does a smaller network cost? TinyMix-10 (ten classes of three Gaussian modes in 20 dimensions, 4,000 rows and 4,000 others: --rows),
// 20-100-100-10 with relu, 30 epochs (--epochs) of momentum 0.9, rate 0.05 and a tenth of it in the last third, batches of 64, l2 1e-4,
// single precision. Points of accuracy on the other rows that a network loses, means over --seeds (4) of them:
//   pruned by 20.5 % a round, with --retrain (10) epochs each and l2 1e-3; the same in one round
//   what rounds gain over one round where there are 3 or 10 epochs each, at a tenth of the rate, as Han et al. retrain
//   quantised after training, and with training
//   12.7 % alive, weights shared, and trained as such; also less than a dense network with that l2 has; how many times smaller a file has the weights that multiply
//   a lottery ticket of 10 %, found in 10 rounds; the same weights from another start, and others, lose so much more (--lottery 0: not)
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <utility>
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

auto trainer(std::uint64_t seed, std::size_t epochs, double rate = 0.05, double l2 = 1e-4) {
    network::classifier net{network::dense{100}, network::relu{}, network::dense{100}, network::relu{},
                            network::dense{10}};
    net.seed = seed;
    const solver::schedule::step steps{.rate = rate, .factor = 0.1, .every = 2 * static_cast<double>(epochs) / 3};
    return estimator{.model = net,
                     .penalty = penalty::l2{l2},
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
    constexpr double none = std::numeric_limits<double>::quiet_NaN();  // no goal
    std::map<std::string, std::pair<double, double>> means;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const auto source = tiny_mix(rows, seed, 0), test = tiny_mix(rows, seed, 1);
        const auto points = [&](const auto& fit) { return 100 * fit.score(test).accuracy; };
        const auto note = [&](const std::string& name, double value, double goal) {
            std::printf("seed %zu  %-34s %8.3f\n", static_cast<std::size_t>(seed), name.c_str(), value);
            std::fflush(stdout);
            auto& all = means[name];
            all.first += value / static_cast<double>(seeds);
            all.second = goal;
        };
        const auto e = trainer(seed, epochs), again = trainer(seed, retrain);
        const auto fit = e.fit(source);
        const double dense = points(fit);
        note("dense, wrong", 100 - dense, 5);
        const auto lost = [&](const std::string& name, const auto& other, double goal) {
            note(name, dense - points(other), goal);
        };

        const auto smaller = trainer(seed, retrain, 0.05, 1e-3);  // few weights bear, and want, more of it
        const double as_regular = points(trainer(seed, epochs, 0.05, 1e-3).fit(source));
        note("gained by l2 1e-3, dense", as_regular - dense, none);
        auto small = fit;
        for (std::size_t round = 1; round <= 9; ++round) {
            small = shrink::prune(smaller, source, small, {.keep = std::pow(0.127, static_cast<double>(round) / 9)});
            if (round == 3) lost("pruned to 50 %", small, 1);
            if (round == 7) lost("pruned to 20 %", small, 2);
        }
        lost("pruned to 12.7 %", small, 2);
        const shrink::pruning rounds{.keep = 0.127, .rounds = 9}, once{.keep = 0.127};
        lost("one round to 12.7 %", shrink::prune(smaller, source, fit, once), none);
        for (const std::size_t few : {3u, 10u}) {
            const auto gently = trainer(seed, few, 0.005);
            note("rounds over one, " + std::to_string(few) + " epochs, rate / 10",
                 points(shrink::prune(gently, source, fit, once)) - points(shrink::prune(gently, source, fit, rounds)),
                 -2);
        }

        lost("8 bits", shrink::quantise(fit, {.bits = 8}), 0.3);
        for (const std::uint32_t bits : {4u, 3u, 2u}) {
            const std::string name = std::to_string(bits) + " bits";
            lost(name, shrink::quantise(fit, {.bits = bits}), none);
            lost(name + " by row", shrink::quantise(fit, {.bits = bits, .per = shrink::per::row}),
                 bits == 4 ? 1 : none);
            lost(name + " by column", shrink::quantise(fit, {.bits = bits, .per = shrink::per::column}), none);
        }
        lost("3 bits, trained", shrink::quantise(again, source, fit, {.bits = 3}), 1);
        lost("2 bits by column, trained",
             shrink::quantise(trainer(seed, retrain, 0.01), source, fit, {.bits = 2, .per = shrink::per::column}),
             none);

        for (const std::uint32_t bits : {4u, 3u, 2u}) {
            const std::string name = "shared, " + std::to_string(bits) + " bits";
            lost(name, shrink::share(small, {.bits = bits}), none);
            lost(name + ", linear", shrink::share(small, {.bits = bits, .centres = shrink::centres::linear}), none);
            const auto tuned = shrink::share(smaller, source, small, {.bits = bits});
            lost(name + ", trained", tuned, bits == 4 ? 0.5 : none);
            note(name + ", trained, to l2 1e-3 dense", as_regular - points(tuned), bits == 4 ? 0.5 : none);
            const auto size = shrink::save(tuned, path, {.bits = bits});
            note(name + ", times smaller", size.ratio(), none);
            note(name + ", bytes of the file", static_cast<double>(size.file), none);
            if (bits == 4) note("share of 1/25 of the bytes", 25 / size.ratio(), 1);
            if (shrink::load(path, fit.model).weights != tuned.weights) return 1;
        }
        if (!with_lottery) continue;
        const auto found = shrink::lottery(e, source, {.keep = 0.1, .rounds = 10, .compare = true});
        lost("ticket", found.ticket, 2.5);
        note("ticket over another start", points(*found.redrawn) - points(found.ticket), -2);
        note("ticket over other weights", points(*found.random_mask) - points(found.ticket), -3);
    }
    std::filesystem::remove(path);
    std::vector<benchmark::record> records;
    for (const auto& [name, mean] : means) {
        std::printf("mean    %-34s %8.3f\n", name.c_str(), mean.first);
        if (!std::isnan(mean.second)) records.push_back({name, "mean", mean.first, mean.second});
    }
    return benchmark::report(records, benchmark::option(argc, argv, "--output", ""));
}
