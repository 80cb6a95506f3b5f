// SPDX-License-Identifier: BSL-1.0
// How long does a step of training take? 784-128-128-10 with relu (mlp) and a LeNet, on random data.
//     networks --digits IMAGES --labels LABELS [--output FILE]
//                                   share of the last 2,000 of MNIST's 10,000 test pictures that LeNet misreads after 8 epochs of the others
//     networks --wait 1 [--threads 2]
//                                   for every line `NAME BATCH GROUPS STEPS` on stdin so many steps of momentum in float, as solver::sgd
//                                   takes them (NAME mlp or lenet; GROUPS: see feedforward::blocks); answers with seconds per step
// benchmarks/networks.py sets the latter beside PyTorch, and what networks/pictures.cpp does, too.
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <gamut/gamut.hpp>
#include <gamut/network.hpp>

#include "measure.hpp"
#include "networks/steps.hpp"

using namespace gamut;
using network_steps::random_rows;

namespace {

const network::classifier mlp{network::dense{128}, network::relu{}, network::dense{128}, network::relu{},
                              network::dense{10}};
const network::classifier lenet{network::picture{28, 28, 1},
                                network::convolution{.channels = 6, .kernel = 5, .border = 2},
                                network::relu{},
                                network::max_pool{2},
                                network::convolution{.channels = 16, .kernel = 5},
                                network::relu{},
                                network::max_pool{2},
                                network::flatten{},
                                network::dense{120},
                                network::relu{},
                                network::dense{84},
                                network::relu{},
                                network::dense{10}};

/// files: as MNIST's, unpacked.
double misread_by_lenet(const std::string& images, const std::string& labels) {
    const data::idx<float> digits{.path = images, .labels = labels, .scale = 1. / 255};
    const auto all = digits.load(communicator::single<>{}, {.classification = true});
    const auto part = [&](std::size_t first, std::size_t count) {
        backend::dense_matrix<float> x(count, all.columns());
        std::vector<double> y(count);
        for (std::size_t i = 0; i < count; ++i) {
            std::copy_n(all.x.row(first + i), all.columns(), x.row(i));
            y[i] = static_cast<double>(all.y[first + i]);
        }
        return data::arrays(std::move(x), y);
    };
    const estimator reader{.model = lenet,
                           .penalty = penalty::l2{1e-4},
                           .solver =
                               solver::sgd{.rate = solver::schedule::step{.rate = 0.05, .factor = 0.2, .every = 5},
                                           .momentum = 0.9,
                                           .batch = 64,
                                           .check_every = 0,
                                           .stop = {.iterations = 8}},
                           .backend = backend::host<float>{},
                           .prepare = {.columns = data::columns::as_given}};
    return 1 - reader.fit(part(0, 8000)).score(part(8000, 2000)).accuracy;
}

}  // namespace

int main(int argc, char** argv) {
    if (benchmark::option(argc, argv, "--wait", "0") != "0") {
        const int threads = std::atoi(benchmark::option(argc, argv, "--threads", "2").c_str());
        network_steps::answer_lines([&](const std::string& name, std::size_t batch, std::size_t groups) {
            const auto rows = random_rows<float>(50 * batch, 784);
            return name == "mlp" ? network_steps::steps_of(mlp, rows, batch, groups, threads)
                                 : network_steps::steps_of(lenet, rows, batch, groups, threads);
        });
        return 0;
    }
    if (const std::string images = benchmark::option(argc, argv, "--digits", ""); !images.empty())
        return benchmark::report({{"lenet on 2,000 digits", "misread",
                                   misread_by_lenet(images, benchmark::option(argc, argv, "--labels", "")), 0.02}},
                                 benchmark::option(argc, argv, "--output", ""));
    std::fprintf(stderr, "networks: neither --wait nor --digits (see the first lines of benchmarks/networks.cpp) ask "
                         "benchmarks/networks.py\n");
    return 2;
}
