// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/autodiff/gradient.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/sparse.hpp>
#include <gamut/backend/sweep.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

/// Formulas of the models that the sweep is tested with.
namespace formulas {
using namespace gamut::autodiff;
constexpr data X;
constexpr weights<1> w;
constexpr weights<2> W;
constexpr labels y;

constexpr auto linear = mean(0.5 * square(X * w - y));
constexpr auto logistic = mean(softplus(X * w) - y * (X * w));
constexpr auto total_logistic = sum(softplus(X * w) - y * (X * w));
constexpr auto huber = [] {
    const auto r = X * w - y;
    return mean(choose(abs(r) < 0.75, 0.5 * square(r), 0.75 * (abs(r) - 0.5 * 0.75)));
}();
constexpr auto softmax = mean(log_sum_exp(X * W) - pick(X * W, y));
constexpr auto squares = mean(row_sum(square(X * W - y)));
}  // namespace formulas

/// A random problem, small enough for plain loops.
template <class T> struct test_problem {
    std::size_t n, p, c;
    gamut::backend::dense_matrix<T> dense;
    gamut::backend::sparse_matrix<T> sparse;  // the same numbers
    std::vector<T> y, omega, w, b, v, vb;
    double total_weight = 0;

    /// density: of the entries that are not zero; ones: all of them are 1, and the sparse matrix has no values.
    test_problem(std::size_t rows, std::size_t columns, std::size_t outputs, bool weighted = false, double density = 1,
                 bool ones = false)
        : n(rows),
          p(columns),
          c(outputs),
          dense(rows, columns),
          y(rows),
          w(columns * outputs),
          b(outputs),
          v(columns * outputs),
          vb(outputs) {
        std::mt19937_64 bits(42 + 1000 * rows + 10 * columns + outputs);
        std::uniform_real_distribution<double> uniform(-1, 1);
        sparse.rows = rows;
        sparse.columns = columns;
        for (std::size_t i = 0; i < rows; ++i) {
            for (std::size_t j = 0; j < columns; ++j) {
                if ((uniform(bits) + 1) / 2 >= density) continue;
                dense(i, j) = ones ? T(1) : static_cast<T>(uniform(bits));
                sparse.indices.push_back(static_cast<std::int32_t>(j));
                if (!ones) sparse.values.push_back(dense(i, j));
            }
            sparse.offsets.push_back(static_cast<std::int64_t>(sparse.indices.size()));
            y[i] = static_cast<T>(bits() % std::max<std::size_t>(outputs, 2));
        }
        if (weighted)
            for (std::size_t i = 0; i < rows; ++i)
                omega.push_back(static_cast<T>(0.25 * static_cast<double>(bits() % 8)));
        for (std::size_t i = 0; i < rows; ++i) total_weight += weighted ? static_cast<double>(omega[i]) : 1;
        const double scale = 2 / std::sqrt(1 + density * static_cast<double>(columns));
        for (T& x : w) x = static_cast<T>(scale * uniform(bits));
        for (T& x : b) x = static_cast<T>(uniform(bits));
        for (T& x : v) x = static_cast<T>(uniform(bits));
        for (T& x : vb) x = static_cast<T>(uniform(bits));
    }

    gamut::backend::observations<T> observations() const {
        return {y.data(), omega.empty() ? nullptr : omega.data(), total_weight};
    }

    std::vector<std::size_t> bounds(std::size_t shards) const {
        std::vector<std::size_t> first;
        for (std::size_t s = 0; s <= shards; ++s) first.push_back(n * s / shards);
        return first;
    }

    template <class Matrix, class Formula>
    gamut::backend::sweep<T, Matrix, Formula> sweep(const Matrix& x, const Formula& formula, std::size_t shards,
                                                    int threads = 1) const {
        return {x, observations(), bounds(shards), formula, c, threads};
    }
};

/// [ dW | db | loss ] and H [ v | vb ] with plain loops, one row after the other, in double.
struct reference {
    std::vector<double> gradient, product;

    template <class T, class Formula>
    reference(const test_problem<T>& q, const Formula& formula)
        : gradient((q.p + 1) * q.c + 1),
          product((q.p + 1) * q.c) {
        using gamut::autodiff::dual;
        const std::size_t c = q.c;
        std::vector<double> kept(gamut::autodiff::scratch_of<Formula> * c);
        std::vector<dual<double>> kept_duals(gamut::autodiff::scratch_of<Formula> * c);
        for (std::size_t i = 0; i < q.n; ++i) {
            std::vector<double> z(c), slope(c);
            std::vector<dual<double>> zt(c), curvature(c);
            for (std::size_t k = 0; k < c; ++k) {
                double t = static_cast<double>(q.vb[k]);
                z[k] = static_cast<double>(q.b[k]);
                for (std::size_t j = 0; j < q.p; ++j) {
                    z[k] += static_cast<double>(q.dense(i, j)) * static_cast<double>(q.w[j * c + k]);
                    t += static_cast<double>(q.dense(i, j)) * static_cast<double>(q.v[j * c + k]);
                }
                zt[k] = {z[k], t};
            }
            const double y = static_cast<double>(q.y[i]), omega = q.omega.empty() ? 1 : static_cast<double>(q.omega[i]);
            gamut::autodiff::rows<double> row(c, z.data(), slope.data(), kept.data());
            row.move_to(y, omega, omega / q.total_weight);
            gradient.back() += gamut::autodiff::pull_row(formula, row);
            gamut::autodiff::rows<dual<double>> second(c, zt.data(), curvature.data(), kept_duals.data());
            second.move_to(y, omega, omega / q.total_weight);
            gamut::autodiff::pull_row(formula, second);
            for (std::size_t k = 0; k < c; ++k) {
                for (std::size_t j = 0; j < q.p; ++j) {
                    gradient[j * c + k] += static_cast<double>(q.dense(i, j)) * slope[k];
                    product[j * c + k] += static_cast<double>(q.dense(i, j)) * curvature[k].tangent;
                }
                gradient[q.p * c + k] += slope[k];
                product[q.p * c + k] += curvature[k].tangent;
            }
        }
    }
};

inline std::vector<double> sum_of_rows(const std::vector<double>& partials, std::size_t m) {
    std::vector<double> sum(m);
    for (std::size_t i = 0; i < partials.size(); ++i) sum[i % m] += partials[i];
    return sum;
}

/// The largest difference, relative to the largest number.
inline double difference(const std::vector<double>& a, const std::vector<double>& b) {
    double most = 0, scale = 1e-300;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (!(std::abs(a[i] - b[i]) <= most)) most = std::abs(a[i] - b[i]);
        scale = std::max(scale, std::abs(b[i]));
    }
    return a.size() == b.size() ? most / scale : 1e300;
}
