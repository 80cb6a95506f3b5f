// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
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

#include "../measure.hpp"

/// Steps of training in float, as solver::sgd takes them, for those who ask on stdin.
namespace network_steps {

using namespace gamut;

inline double processor_seconds(clockid_t of) {
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

template <class Model, class Source>
stepper steps_of(Model model, const Source& source, std::size_t batch, std::size_t groups, int threads) {
    model.blocks = groups;
    const auto rows = std::make_shared<data::dataset<backend::dense_matrix<float>>>(
        source.load(communicator::single<>{}, {.classification = true, .blocks = groups}));
    using problem_type = solver::formula_problem<std::remove_const_t<decltype(model.loss_program(0))>,
                                                 std::remove_reference_t<decltype(*rows)>, penalty::none,
                                                 backend::host<float>, communicator::single<>, false>;
    const std::size_t columns = rows->columns();
    const auto problem = std::make_shared<problem_type>(model.loss_program(columns), model.shapes(columns), *rows,
                                                        model.template start<float>(columns), penalty::none{},
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

/// For every line `NAME BATCH GROUPS STEPS` on stdin so many steps of make(NAME, BATCH, GROUPS); answers with seconds per step.
template <class Make> void answer_lines(const Make& make) {
    std::map<std::string, stepper> known;
    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream words(line);
        std::string name;
        std::size_t batch = 0, groups = 0, steps = 0;
        words >> name >> batch >> groups >> steps;
        stepper& run = known[core::text(name, " ", batch, " ", groups)];
        if (!run) run = make(name, batch, groups);
        const double processor = processor_seconds(CLOCK_PROCESS_CPUTIME_ID);
        const double seconds = benchmark::seconds([&] { run(steps); });
        const double used = processor_seconds(CLOCK_PROCESS_CPUTIME_ID) - processor, count = static_cast<double>(steps);
        std::printf("{\"seconds\": %.9f, \"processor_seconds\": %.9f}\n", seconds / count, used / count);
        std::fflush(stdout);
    }
}

}  // namespace network_steps
