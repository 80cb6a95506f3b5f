// SPDX-License-Identifier: BSL-1.0
// A network of two hidden layers reads handwritten digits, is saved, and reads the same when it is loaded.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <gamut/gamut.hpp>
#include <gamut/network.hpp>
#include <gamut/network_file.hpp>

using namespace gamut;

int main() {
    const data::csv<> digits{.path = "examples/data/digits.csv"};
    const auto layers = network::classifier{network::dense{64}, network::relu{}, network::dense{64}, network::relu{},
                                            network::dense{10}};
    const estimator reader{.model = layers,
                           .penalty = penalty::l2{1e-3},
                           .solver =
                               solver::sgd{.rate = 0.05, .momentum = 0.9, .batch = 64, .stop = {.iterations = 30}}};
    const auto fit = reader.fit(data::all_but_every(digits, 5), core::progress{});
    const auto train = fit.score(data::all_but_every(digits, 5)), test = fit.score(data::every(digits, 5));
    std::printf("%zu parameters: accuracy %.4f on what they were fitted to, %.4f on %zu other digits\n",
                fit.weights.size(), train.accuracy, test.accuracy, test.rows);

    const std::string file = (std::filesystem::temp_directory_path() / "gamut_mlp_digits.json").string();
    save(fit, file);
    const bool same = load_network(file, layers).score(data::every(digits, 5)).accuracy == test.accuracy;
    std::filesystem::remove(file);
    return same && test.accuracy > 0.964 ? EXIT_SUCCESS : EXIT_FAILURE;
}
