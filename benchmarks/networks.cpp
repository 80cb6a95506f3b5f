// SPDX-License-Identifier: BSL-1.0
// How long does a step of training take? 784-128-128-10 with relu (mlp) and a LeNet, on random data.
//     networks [--output FILE]      a gradient of the mlp beside the same written by hand with BLAS, one thread: time, and allocations
//     networks --digits IMAGES --labels LABELS [--output FILE]
//                                   share of the last 2,000 of MNIST's 10,000 test pictures that LeNet misreads after 8 epochs of the others
//     networks --wait 1 [--threads 2]
//                                   for every line `NAME BATCH GROUPS STEPS` on stdin so many steps of momentum in float, as solver::sgd
//                                   takes them (NAME mlp or lenet; GROUPS: see feedforward::blocks); answers with seconds per step
// benchmarks/networks.py sets the latter beside PyTorch, and what networks/pictures.cpp does, too.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/gamut.hpp>
#include <gamut/network.hpp>

#include "measure.hpp"
#include "networks/by_hand.hpp"
#include "networks/counted_new.hpp"
#include "networks/steps.hpp"

using namespace gamut;
using network_steps::processor_seconds;
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

/// Forward and back on n rows, one thread: gamut's program beside by_hand.hpp, in processor time, which other programs on the machine
/// disturb less. Medians of 21 paired runs.
template <class T> void beside_by_hand(const char* type, std::size_t n, std::vector<benchmark::record>& records) {
    const auto program = mlp.loss_program(784);
    backend::program_run_for<T, std::remove_const_t<decltype(program)>> run(program, mlp.shapes(784), 784, n);
    by_hand::three_layers<T> other(784, 128, 128, 10, n);
    const auto source = random_rows<T>(n, 784).load(communicator::single<>{}, {.classification = true});
    const std::vector<T> w = mlp.start<T>(784);
    std::vector<T> ours(w.size()), theirs(w.size());
    const backend::data_rows<T> rows{.x = source.x.values.data(),
                                     .stride = 784,
                                     .rows = n,
                                     .y = source.y.data(),
                                     .share = static_cast<T>(1.0 / static_cast<double>(n))};
    const auto gamut_gradient = [&] {
        std::fill(ours.begin(), ours.end(), T(0));
        run.gradient(rows, run.flat(w.data(), nullptr, ours.data()));
    };
    const auto hand_gradient = [&] {
        std::fill(theirs.begin(), theirs.end(), T(0));
        other.gradient(rows.x, rows.y, w.data(), theirs.data());
    };
    backend::host<T>::single_threaded_blas();
    gamut_gradient();
    hand_gradient();
    double apart = 0, largest = 0;
    for (std::size_t k = 0; k < w.size(); ++k) {
        apart = std::max(apart, std::abs(static_cast<double>(ours[k] - theirs[k])));
        largest = std::max(largest, std::abs(static_cast<double>(theirs[k])));
    }
    const int repeats = 20;
    const auto used = [](auto&& f) {
        const double start = processor_seconds(CLOCK_THREAD_CPUTIME_ID);
        f();
        return processor_seconds(CLOCK_THREAD_CPUTIME_ID) - start;
    };
    std::vector<double> ratios;
    long allocated = 0;
    for (int pair = 0; pair < 21; ++pair) {
        const long before = counted_new::allocations;
        const double a = used([&] {
            for (int k = 0; k < repeats; ++k) gamut_gradient();
        });
        allocated = std::max<long>(allocated, counted_new::allocations - before);
        const double b = used([&] {
            for (int k = 0; k < repeats; ++k) hand_gradient();
        });
        ratios.push_back(a / b);
    }
    const std::string name = core::text("mlp ", type, " batch ", n);
    records.push_back({name, "over_handwritten", benchmark::median(ratios), 1.05});
    records.push_back({name, "allocations_per_evaluation", static_cast<double>(allocated) / repeats, 0});
    records.push_back({name, "gradients_apart", apart / largest, std::is_same_v<T, double> ? 1e-12 : 1e-4});
}

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
    std::vector<benchmark::record> records;
    for (const std::size_t n : {64, 256}) {
        beside_by_hand<double>("double", n, records);
        beside_by_hand<float>("float", n, records);
    }
    return benchmark::report(records, benchmark::option(argc, argv, "--output", ""));
}
