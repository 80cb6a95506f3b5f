// SPDX-License-Identifier: BSL-1.0
// How long does a step of training take? 784-128-128-10 with relu (mlp) and a LeNet, on random data.
//     networks [--threads 2]        for every line `NAME BATCH GROUPS STEPS` on stdin so many steps of momentum in float, as solver::sgd
//                                   takes them (NAME mlp or lenet; GROUPS: see feedforward::blocks); answers with seconds per step
// benchmarks/networks.py sets them beside PyTorch.
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/gamut.hpp>
#include <gamut/network.hpp>

#include "measure.hpp"

using namespace gamut;

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

double processor_seconds(clockid_t of) {
    timespec now{};
    clock_gettime(of, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// n rows of p normal numbers, and a class for each.
template <class T> data::arrays<backend::dense_matrix<T>> random_rows(std::size_t n, std::size_t p) {
    const core::random draws{.seed = 1, .stream = 2};
    backend::dense_matrix<T> x(n, p);
    std::vector<double> y(n);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < p; ++j) x(i, j) = static_cast<T>(draws.normal(i * p + j));
        y[i] = static_cast<double>(i % 10);
    }
    return data::arrays(std::move(x), y);
}

/// Runs steps of momentum on batches, epoch after epoch.
using stepper = std::function<void(std::size_t steps)>;

template <class Model> stepper steps_of(Model model, std::size_t batch, std::size_t groups, int threads) {
    model.blocks = groups;
    const auto rows = std::make_shared<data::dataset<backend::dense_matrix<float>>>(
        random_rows<float>(50 * batch, 784).load(communicator::single<>{}, {.classification = true, .blocks = groups}));
    using problem_type = solver::formula_problem<std::remove_const_t<decltype(model.loss_program(0))>,
                                                 std::remove_reference_t<decltype(*rows)>, penalty::none,
                                                 backend::host<float>, communicator::single<>, false>;
    const auto problem = std::make_shared<problem_type>(model.loss_program(784), model.shapes(784), *rows,
                                                        model.template start<float>(784), penalty::none{},
                                                        backend::host<float>{.threads = threads});
    using array = typename problem_type::array;
    return [=, rows = rows, w = problem->start(), gradient = problem->start(), moved = problem->start(),
            memory = std::array<array, 1>{array(0.0f * problem->start())},
            done = std::size_t(0)](std::size_t steps) mutable {
        const solver::sgd<> sgd{.rate = 0.01, .momentum = 0.9, .batch = batch};
        const std::size_t batches = problem->batches(batch);
        for (std::size_t k = 0; k < steps; ++k, ++done) {  // what sgd does in its inner loop
            problem->batch_gradient(w, {batch, sgd.seed, done / batches, done % batches}, gradient);
            sgd.turn(done + 1, w, gradient, memory);
            moved = w - 0.01f * gradient;
            std::swap(w, moved);
        }
    };
}

void answer_lines(int threads) {
    std::map<std::string, stepper> known;
    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream words(line);
        std::string name;
        std::size_t batch = 0, groups = 0, steps = 0;
        words >> name >> batch >> groups >> steps;
        stepper& run = known[core::text(name, " ", batch, " ", groups)];
        if (!run) run = name == "mlp" ? steps_of(mlp, batch, groups, threads) : steps_of(lenet, batch, groups, threads);
        const double processor = processor_seconds(CLOCK_PROCESS_CPUTIME_ID);
        const double seconds = benchmark::seconds([&] { run(steps); });
        const double used = processor_seconds(CLOCK_PROCESS_CPUTIME_ID) - processor, count = static_cast<double>(steps);
        std::printf("{\"seconds\": %.9f, \"processor_seconds\": %.9f}\n", seconds / count, used / count);
        std::fflush(stdout);
    }
}

}  // namespace

int main(int argc, char** argv) {
    answer_lines(std::atoi(benchmark::option(argc, argv, "--threads", "2").c_str()));
    return 0;
}
