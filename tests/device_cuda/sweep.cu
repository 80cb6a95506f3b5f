// SPDX-License-Identifier: BSL-1.0
// Arrays and the sweep, of sparse rows with several outputs, on the cuda system. Where there is a GPU it must agree with the
// cpp system, which tests/device compares with the host.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <random>
#include <span>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/device_sweep.hpp>
#include <gamut/model/softmax.hpp>

using namespace gamut;

namespace {

constexpr std::size_t rows = 5000, columns = 20, outputs = 3;

std::vector<double> random_numbers(std::size_t n, unsigned seed) {
    std::mt19937 engine(seed);
    std::vector<double> numbers(n);
    for (double& x : numbers) x = static_cast<double>(engine()) / 4294967296.0 - 0.5;
    return numbers;
}

using formula = decltype(model::loss_formula(model::softmax{}));
using matrix = backend::sparse_matrix<double>;

/// Everything that a sweep says about some weights, and some reductions, one number after the other.
template <class System> std::vector<double> evaluate(const matrix& x) {
    using machine = backend::device<double, System>;
    using sweep = typename backend::sweep_for<machine, matrix, formula>::type;
    std::vector<double> y(rows);
    for (std::size_t i = 0; i < rows; ++i) y[i] = static_cast<double>(i * i % outputs);
    const auto w = random_numbers(columns * outputs, 1), b = random_numbers(outputs, 2),
               v = random_numbers(columns * outputs, 3);
    const sweep s(x, {y.data(), nullptr, static_cast<double>(rows)}, {0, 10, 2500, rows},
                  model::loss_formula(model::softmax{}), outputs);
    std::vector<double> numbers(3), gradient(3 * s.gradient_size()), product(3 * s.hessian_size());
    typename sweep::curvature known;
    s.value(w.data(), b.data(), s.all(), numbers.data());
    s.gradient(w.data(), b.data(), s.all(), gradient.data());
    s.linearize(w.data(), b.data(), s.all(), known);
    s.hessian(known, v.data(), b.data(), s.all(), product.data());
    backend::array<machine> a{std::span<const double>(w)}, c{std::span<const double>(v)};
    a = a + exp(c) - choose(a < 0.1, abs(c), c * 2);
    numbers.push_back(norm(a));
    numbers.push_back(largest_absolute(a));
    numbers.insert(numbers.end(), gradient.begin(), gradient.end());
    numbers.insert(numbers.end(), product.begin(), product.end());
    return numbers;
}

}  // namespace

int main() {
    matrix x;
    x.rows = rows;
    x.columns = columns;
    const auto numbers = random_numbers(rows * columns, 4);
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < columns; ++j)
            if (numbers[i * columns + j] > 0.2) {
                x.indices.push_back(static_cast<std::int32_t>(j));
                x.values.push_back(numbers[i * columns + j]);
            }
        x.offsets.push_back(static_cast<std::int64_t>(x.indices.size()));
    }
    try {
        const auto expected = evaluate<backend::system::cpp>(x), found = evaluate<backend::system::cuda>(x);
        double worst = 0;
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const double d = std::abs(found[i] - expected[i]);
            worst = d > worst || d != d ? d : worst;
        }
        std::printf("largest difference between cuda and cpp: %g\n", worst);
        return worst <= 1e-12 ? 0 : 1;
    } catch (const core::error& problem) {
        std::printf("%s\n", problem.what());
        return 1;
    }
}
