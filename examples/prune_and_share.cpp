// SPDX-License-Identifier: BSL-1.0
// A network that reads handwritten digits gets smaller in three steps: most of its weights go, those that are left share 16 numbers a layer,
// and a file keeps them in Huffman codes. It reads nearly as well.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <gamut/gamut.hpp>
#include <gamut/network.hpp>
#include <gamut/shrink.hpp>
#include <gamut/shrink/file.hpp>

using namespace gamut;

int main() {
    const data::csv<> digits{.path = "examples/data/digits.csv"};
    const auto known = data::all_but_every(digits, 5), others = data::every(digits, 5);
    const auto layers = network::classifier{network::dense{64}, network::relu{}, network::dense{64}, network::relu{},
                                            network::dense{10}};
    const auto trainer = [&](std::size_t epochs) {
        return estimator{
            .model = layers,
            .penalty = penalty::l2{1e-3},
            .solver = solver::sgd{
                .rate = 0.05, .momentum = 0.9, .batch = 64, .check_every = 0, .stop = {.iterations = epochs}}};
    };
    const auto fit = trainer(20).fit(known);
    std::printf("dense        %.4f of %zu other digits\n", fit.score(others).accuracy, fit.score(others).rows);

    const auto small = shrink::prune(trainer(6), known, fit, {.keep = 0.13, .rounds = 9});
    const auto left = shrink::sparsity_of(small);
    std::printf("pruned       %.4f, %zu of %zu weights are left\n", small.score(others).accuracy, left.alive,
                left.size);

    const std::string path = (std::filesystem::temp_directory_path() / "gamut_prune_and_share.net").string();
    const auto size = shrink::save(small, path, {.bits = 4});
    const auto again = shrink::load(path, layers);
    std::filesystem::remove(path);
    std::printf(
        "shared       %.4f, from a file of %zu bytes; its weights take %zu, as floats they took %zu: %.0f times less\n",
        again.score(others).accuracy, size.file, size.coded, 4 * size.weights, size.ratio());

    const bool exact = again.weights == shrink::share(small, {.bits = 4}).weights;
    const bool good = again.score(others).accuracy > fit.score(others).accuracy - 0.02 && size.ratio() > 20;
    return exact && good ? EXIT_SUCCESS : EXIT_FAILURE;
}
