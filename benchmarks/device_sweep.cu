// SPDX-License-Identifier: BSL-1.0
// How many times a plain read of the matrix do a value and a gradient cost on a GPU? Best of five; needs nvcc and a GPU, so it is
// built by hand:
//   nvcc -std=c++20 -arch=sm_90 --expt-relaxed-constexpr -O3 -Iinclude benchmarks/device_sweep.cu -o build/device_sweep && build/device_sweep
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <vector>

#include <thrust/device_vector.h>
#include <thrust/reduce.h>

#include <gamut/backend/device_sweep.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/softmax.hpp>

using namespace gamut;

namespace {

template <class F> double seconds(F f) {
    double best = 1e9;
    for (int run = 0; run < 6; ++run) {  // the first warms up
        const auto start = std::chrono::steady_clock::now();
        f();
        cudaDeviceSynchronize();
        const double taken = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        if (run > 0) best = std::min(best, taken);
    }
    return best;
}

template <class T, class Model>
void measure(const char* name, std::size_t rows, std::size_t columns, std::size_t outputs) {
    using machine = backend::device<T, backend::system::cuda>;
    using formula = decltype(model::loss_formula(Model{}));
    backend::dense_matrix<T> x(rows, columns);
    std::uint32_t state = 1;
    for (T& entry : x.values) {
        state = state * 1664525u + 1013904223u;
        entry = T(state >> 8) / T(1 << 23) - 1;
    }
    std::vector<T> y(rows), w((columns + 1) * outputs, T(0.01));
    for (std::size_t i = 0; i < rows; ++i) y[i] = T(i % std::max<std::size_t>(outputs, 2));
    std::vector<std::size_t> bounds;
    for (std::size_t v = 0; v <= 256; ++v) bounds.push_back(rows * v / 256);
    const typename backend::sweep_for<machine, backend::dense_matrix<T>, formula>::type sweep(
        x, {y.data(), nullptr, static_cast<double>(rows)}, bounds, model::loss_formula(Model{}), outputs);
    std::vector<double> values(sweep.all().size()), gradients(values.size() * sweep.gradient_size());
    const T* const b = w.data() + columns * outputs;
    const double value = seconds([&] { sweep.value(w.data(), b, sweep.all(), values.data()); });
    const double gradient = seconds([&] { sweep.gradient(w.data(), b, sweep.all(), gradients.data()); });
    const thrust::device_vector<T> flat(rows * columns, T(1));
    const double read = seconds([&] {
        volatile T sum = thrust::reduce(flat.begin(), flat.end());
        (void)sum;
    });
    std::printf("%-24s %8zu x %4zu: read %.2f ms (%.1f TB/s), value %.1f reads, value and gradient %.1f\n", name, rows,
                columns, 1e3 * read, static_cast<double>(rows * columns * sizeof(T)) / read / 1e12, value / read,
                gradient / read);
}

}  // namespace

int main() {
    measure<double, model::logistic>("logistic, double", 1000000, 512, 1);
    measure<double, model::logistic>("logistic, double", 125000, 4096, 1);
    measure<float, model::logistic>("logistic, float", 1000000, 512, 1);
    measure<double, model::softmax>("softmax, double, 10", 60000, 784, 10);
}
