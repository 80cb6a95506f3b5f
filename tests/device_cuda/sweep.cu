// SPDX-License-Identifier: BSL-1.0
// Arrays, products and the sweep, of sparse rows with several outputs, on the cuda system. Where there is a GPU, values must
// be those of plain loops, and derivatives those of central differences.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <random>
#include <span>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/device_matrix.hpp>
#include <gamut/backend/device_sweep.hpp>
#include <gamut/core/error.hpp>
#include <gamut/model/softmax.hpp>

using namespace gamut;

namespace {

constexpr std::size_t rows = 5000, columns = 20, outputs = 3;

using machine = backend::device<double, backend::system::cuda>;
using matrix = backend::sparse_matrix<double>;
using formula = decltype(model::loss_formula(model::softmax{}));
using sweep = backend::sweep_for<machine, matrix, formula>::type;
using numbers = std::vector<double>;

double worst = 0;
void compare(double found, double expected) {
    const double d = std::abs(found - expected);
    worst = d > worst || d != d ? d : worst;
}

numbers random_numbers(std::size_t n, unsigned seed) {
    std::mt19937 engine(seed);
    numbers drawn(n);
    for (double& x : drawn) x = static_cast<double>(engine()) / 4294967296.0 - 0.5;
    return drawn;
}

matrix random_matrix() {
    matrix x;
    x.rows = rows;
    x.columns = columns;
    const numbers drawn = random_numbers(rows * columns, 4);
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < columns; ++j)
            if (drawn[i * columns + j] > 0.2) {
                x.indices.push_back(static_cast<std::int32_t>(j));
                x.values.push_back(drawn[i * columns + j]);
            }
        x.offsets.push_back(static_cast<std::int64_t>(x.indices.size()));
    }
    return x;
}

/// The sums over the shards of what the sweep says at w; the last `outputs` numbers of w are the intercepts.
numbers total(const numbers& partials, std::size_t m) {
    numbers sum(m);
    for (std::size_t i = 0; i < partials.size(); ++i) sum[i % m] += partials[i];
    return sum;
}
double value(const sweep& s, const numbers& w) {
    numbers partials(s.all().size());
    s.value(w.data(), w.data() + columns * outputs, s.all(), partials.data());
    return total(partials, 1)[0];
}
numbers gradient(const sweep& s, const numbers& w) {
    numbers partials(s.all().size() * s.gradient_size());
    s.gradient(w.data(), w.data() + columns * outputs, s.all(), partials.data());
    return total(partials, s.gradient_size());
}
numbers product(const sweep& s, const numbers& w, const numbers& v) {
    typename sweep::curvature known;
    s.linearize(w.data(), w.data() + columns * outputs, s.all(), known);
    numbers partials(s.all().size() * s.hessian_size());
    s.hessian(known, v.data(), v.data() + columns * outputs, s.all(), partials.data());
    return total(partials, s.hessian_size());
}
numbers shifted(numbers w, const numbers& v, double step) {
    for (std::size_t i = 0; i < w.size(); ++i) w[i] += step * v[i];
    return w;
}

void check_arrays() {
    const numbers x = random_numbers(1000, 5), y = random_numbers(1000, 6);
    backend::array<machine> a{std::span<const double>(x)}, b{std::span<const double>(y)};
    a = a + exp(b) - choose(a < 0.1, abs(b), b * 2);
    const numbers found = a.download();
    double squares = 0, largest = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double expected = x[i] + std::exp(y[i]) - (x[i] < 0.1 ? std::abs(y[i]) : y[i] * 2);
        compare(found[i], expected);
        squares += expected * expected;
        largest = std::abs(expected) > largest ? std::abs(expected) : largest;
    }
    compare(norm(a), std::sqrt(squares));
    compare(largest_absolute(a), largest);
}

void check_sweep() {
    const matrix x = random_matrix();
    const numbers w = random_numbers((columns + 1) * outputs, 1), v = random_numbers((columns + 1) * outputs, 2);
    numbers y(rows);
    for (std::size_t i = 0; i < rows; ++i) y[i] = static_cast<double>(i * i % outputs);
    const sweep s(x, {y.data(), nullptr, static_cast<double>(rows)}, {0, 10, 2500, rows},
                  model::loss_formula(model::softmax{}), outputs);

    double expected = 0;
    for (std::size_t i = 0; i < rows; ++i) {
        double z[outputs], sum = 0;
        for (std::size_t k = 0; k < outputs; ++k) z[k] = w[columns * outputs + k];
        for (auto e = static_cast<std::size_t>(x.offsets[i]); e < static_cast<std::size_t>(x.offsets[i + 1]); ++e)
            for (std::size_t k = 0; k < outputs; ++k)
                z[k] += x.values[e] * w[static_cast<std::size_t>(x.indices[e]) * outputs + k];
        for (const double zk : z) sum += std::exp(zk);
        expected += (std::log(sum) - z[static_cast<std::size_t>(y[i])]) / static_cast<double>(rows);
    }
    compare(value(s, w), expected);
    const numbers g = gradient(s, w), h = product(s, w, v);
    compare(g.back(), expected);

    const double step = 1e-5;
    double slope = 0;
    for (std::size_t j = 0; j < v.size(); ++j) slope += g[j] * v[j];
    compare(slope, (value(s, shifted(w, v, step)) - value(s, shifted(w, v, -step))) / (2 * step));
    const numbers ahead = gradient(s, shifted(w, v, step)), behind = gradient(s, shifted(w, v, -step));
    for (std::size_t j = 0; j < v.size(); ++j) compare(h[j], (ahead[j] - behind[j]) / (2 * step));
}

}  // namespace

int main() {
    try {
        check_arrays();
        check_sweep();
    } catch (const core::error& problem) {
        std::printf("%s\n", problem.what());
        return 1;
    }
    std::printf("largest difference: %g\n", worst);
    return worst <= 1e-8 ? 0 : 1;
}
