// SPDX-License-Identifier: BSL-1.0
// What does a gradient that the compiler derives from a formula cost, beside the same network written by hand with BLAS? Loss and gradient
// on random rows, one thread: processor time, which other programs on the machine disturb less, medians of 21 paired runs; and what is
// allocated. benchmarks/autodiff.py adds how long sweeps take beside what they took before there were programs.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <ctime>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/gamut.hpp>
#include <gamut/network.hpp>

#include "autodiff/by_hand.hpp"
#include "autodiff/counted_new.hpp"
#include "measure.hpp"

using namespace gamut;

namespace {

double processor_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}
template <class F> double used(F&& f) {
    const double start = processor_seconds();
    f();
    return processor_seconds() - start;
}

/// columns - hidden - hidden - 10, relu, on n rows, by hand all at once. solver::formula_rows has 128 at a time, of every group's share.
template <class T>
void beside_by_hand(const char* type, std::size_t columns, std::size_t hidden, std::size_t n, std::size_t at_once,
                    std::vector<benchmark::record>& records) {
    const network::classifier net{network::dense{hidden}, network::relu{}, network::dense{hidden}, network::relu{},
                                  network::dense{10}};
    const auto program = net.loss_program(columns);
    backend::program_run_for<T, std::remove_const_t<decltype(program)>> run(program, net.shapes(columns), columns,
                                                                            at_once);
    by_hand::three_layers<T> other(columns, hidden, hidden, 10, n);
    const core::random draws{.seed = 1, .stream = 2};
    backend::aligned_vector<T> x(n * columns), y(n);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(draws.normal(i));
    for (std::size_t i = 0; i < n; ++i) y[i] = static_cast<T>(i % 10);
    const std::vector<T> w = net.template start<T>(columns);
    std::vector<T> ours(w.size()), theirs(w.size());
    const auto gamut_gradient = [&] {
        std::fill(ours.begin(), ours.end(), T(0));
        for (std::size_t begin = 0; begin < n; begin += at_once)
            run.gradient({.x = x.data() + begin * columns,
                          .stride = columns,
                          .rows = at_once,
                          .y = y.data() + begin,
                          .share = static_cast<T>(1.0 / static_cast<double>(n))},
                         run.flat(w.data(), nullptr, ours.data()));
    };
    const auto hand_gradient = [&] {
        std::fill(theirs.begin(), theirs.end(), T(0));
        other.gradient(x.data(), y.data(), w.data(), theirs.data());
    };
    backend::host<T>::single_threaded_blas();
    gamut_gradient();
    hand_gradient();
    double apart = 0, largest = 0;
    for (std::size_t k = 0; k < w.size(); ++k) {
        apart = std::max(apart, std::abs(static_cast<double>(ours[k] - theirs[k])));
        largest = std::max(largest, std::abs(static_cast<double>(theirs[k])));
    }
    const int repeats = std::clamp(static_cast<int>(0.01 / used(hand_gradient)), 2, 200);  // a hundredth of a second
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
    std::string name = core::text(columns, "-", hidden, "-", hidden, "-10 ", type, " batch ", n);
    if (at_once < n) name += core::text(", ", at_once, " at a time");
    records.push_back({name, "over_handwritten", benchmark::median(ratios), 1.05});
    records.push_back({name, "allocations_per_evaluation", static_cast<double>(allocated) / repeats, 0});
    records.push_back({name, "gradients_apart", apart / largest, std::is_same_v<T, double> ? 1e-12 : 1e-4});
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<benchmark::record> records;
    for (const auto& [columns, hidden] : {std::pair<std::size_t, std::size_t>{20, 100}, {784, 128}, {784, 512}})
        for (const auto& [n, at_once] : {std::pair<std::size_t, std::size_t>{64, 64}, {256, 256}, {256, 128}}) {
            beside_by_hand<double>("double", columns, hidden, n, at_once, records);
            beside_by_hand<float>("float", columns, hidden, n, at_once, records);
        }
    return benchmark::report(records, benchmark::option(argc, argv, "--output", ""));
}
