// SPDX-License-Identifier: BSL-1.0
// Arrays and the sweep on the cuda system. Where there is a GPU it must agree with the cpp system, which tests/device compares
// with the host.
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <random>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/device_sweep.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/softmax.hpp>

using namespace gamut;

namespace {

constexpr std::size_t rows = 5000, columns = 20;

std::vector<double> random_numbers(std::size_t n, unsigned seed) {
    std::mt19937 engine(seed);
    std::vector<double> numbers(n);
    for (double& x : numbers) x = static_cast<double>(engine()) / 4294967296.0 - 0.5;
    return numbers;
}

/// Everything a sweep says about some weights, one number after the other.
template <class System, class Model, class Matrix>
std::vector<double> evaluate(const Model& model, const Matrix& x, std::size_t outputs) {
    const auto formula = model::loss_formula(model);
    using backend = gamut::backend::device<double, System>;
    using sweep = typename gamut::backend::sweep_for<backend, Matrix, std::remove_const_t<decltype(formula)>>::type;
    std::vector<double> y(rows);
    for (std::size_t i = 0; i < rows; ++i)
        y[i] = static_cast<double>(i % (outputs + 1) % 3 % (outputs == 1 ? 2 : outputs));
    const auto w = random_numbers(columns * outputs, 1), b = random_numbers(outputs, 2),
               v = random_numbers(columns * outputs, 3);
    const sweep s(x, {y.data(), nullptr, static_cast<double>(rows)}, {0, 10, 2500, rows}, formula, outputs);
    std::vector<double> value(3), gradient(3 * s.gradient_size()), product(3 * s.hessian_size());
    typename sweep::curvature known;
    s.value(w.data(), b.data(), s.all(), value.data());
    s.gradient(w.data(), b.data(), s.all(), gradient.data());
    s.linearize(w.data(), b.data(), s.all(), known);
    s.hessian(known, v.data(), b.data(), s.all(), product.data());
    gamut::backend::array<backend> a{std::span<const double>(w)}, c{std::span<const double>(v)};
    a = a + exp(c) - choose(a < 0.1, abs(c), c * 2);
    value.push_back(norm(a));
    value.push_back(largest_absolute(a));
    value.insert(value.end(), gradient.begin(), gradient.end());
    value.insert(value.end(), product.begin(), product.end());
    return value;
}

template <class Model, class Matrix> double difference(const Model& model, const Matrix& x, std::size_t outputs) {
    const auto expected = evaluate<backend::system::cpp>(model, x, outputs),
               found = evaluate<backend::system::cuda>(model, x, outputs);
    double worst = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double d = std::abs(found[i] - expected[i]);
        worst = d > worst || d != d ? d : worst;
    }
    return worst;
}

}  // namespace

int main() {
    backend::dense_matrix<double> dense(rows, columns);
    backend::sparse_matrix<double> sparse;
    sparse.rows = rows;
    sparse.columns = columns;
    const auto numbers = random_numbers(rows * columns, 4);
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < columns; ++j) {
            const double x = numbers[i * columns + j];
            dense(i, j) = x;
            if (x > 0.2) {
                sparse.indices.push_back(static_cast<std::int32_t>(j));
                sparse.values.push_back(x);
            }
        }
        sparse.offsets.push_back(static_cast<std::int64_t>(sparse.indices.size()));
    }
    try {
        const double worst = std::max(difference(model::logistic{}, dense, 1), difference(model::softmax{}, sparse, 3));
        std::printf("largest difference between cuda and cpp: %g\n", worst);
        return worst <= 1e-12 ? 0 : 1;
    } catch (const core::error& problem) {
        std::printf("%s\n", problem.what());
        return 1;
    }
}
