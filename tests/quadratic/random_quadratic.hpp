// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <gamut/backend/matrix.hpp>
#include <gamut/core/random.hpp>
#include <gamut/quadratic/lazy_products.hpp>
#include <gamut/quadratic/objective.hpp>

namespace gamut::test {

/// A random positive definite quadratic of p correlated candidates, first.back() of them; unit: the places where units begin and
/// end, or nothing.
inline quadratic::objective random_quadratic(std::uint64_t seed, std::vector<std::size_t> first,
                                             std::vector<std::size_t> room, std::vector<std::size_t> unit = {}) {
    using matrix = backend::dense_matrix<double>;
    const core::random draw{.seed = seed};
    const std::size_t p = first.back(), n = 3 * p;
    matrix x(n, p);
    for (std::size_t i = 0; i < n; ++i) {
        const double shared = draw.normal(1000000 + i);
        for (std::size_t j = 0; j < p; ++j) x(i, j) = shared + draw.normal(i * p + j);
    }
    quadratic::objective f{matrix(p, p), std::vector<double>(p), std::move(first), std::move(room), std::move(unit)};
    for (std::size_t a = 0; a < p; ++a) {
        for (std::size_t b = 0; b < p; ++b)
            for (std::size_t i = 0; i < n; ++i) f.hessian(a, b) += x(i, a) * x(i, b) / static_cast<double>(n);
        f.slope[a] = draw.normal(2000000 + a);
    }
    return f;
}

/// min over the weights of some candidates, or units, by Gauss-Jordan elimination.
inline double best_value(const quadratic::objective& f, const std::vector<std::size_t>& support) {
    std::vector<std::size_t> s;
    for (const std::size_t u : support)
        for (std::size_t j = f.begin(u); j < f.end(u); ++j) s.push_back(j);
    const std::size_t k = s.size();
    std::vector<std::vector<double>> a(k, std::vector<double>(k + 1));
    for (std::size_t i = 0; i < k; ++i) {
        for (std::size_t j = 0; j < k; ++j) a[i][j] = f.hessian(s[i], s[j]);
        a[i][k] = f.slope[s[i]];
    }
    for (std::size_t c = 0; c < k; ++c)
        for (std::size_t r = 0; r < k; ++r) {
            if (r == c) continue;
            const double factor = a[r][c] / a[c][c];
            for (std::size_t j = c; j <= k; ++j) a[r][j] -= factor * a[c][j];
        }
    double value = 0;
    for (std::size_t i = 0; i < k; ++i) value -= 0.5 * f.slope[s[i]] * a[i][k] / a[i][i];
    return value;
}

/// Every loss, every gain and the best exchange of a support s are those of refits; the exchange is made.
template <class Support> void check_against_refits(Support& s, const quadratic::objective& f, std::size_t candidates) {
    const std::vector<std::size_t> members = s.members();
    for (std::size_t place = 0; place < members.size(); ++place) {
        auto without = members;
        without.erase(without.begin() + static_cast<std::ptrdiff_t>(place));
        BOOST_TEST(std::abs(best_value(f, without) - s.value() - s.loss(place)) <= 1e-10);
    }
    double most = 0;
    for (std::size_t t = 0; t < candidates; ++t) {
        if (std::find(members.begin(), members.end(), t) != members.end()) continue;
        auto with = members;
        with.push_back(t);
        BOOST_TEST(std::abs(s.value() - best_value(f, with) - s.gain(t)) <= 1e-10);
        for (std::size_t place = 0; place < members.size(); ++place) {
            auto other = members;
            other[place] = t;
            most = std::max(most, s.value() - best_value(f, other));
        }
    }
    const auto exchange = s.best_exchange(0);
    BOOST_TEST(std::abs(exchange.gain - most) <= 1e-10);
    const double before = s.value();
    s.apply(exchange);
    BOOST_TEST(std::abs(before - s.value() - most) <= 1e-10);
}

/// A quadratic of p candidates from few rows, H = F'F + ridge: as a matrix, and row by row.
inline std::pair<quadratic::objective, quadratic::objective> of_few_rows(std::uint64_t seed, std::size_t n,
                                                                         std::size_t p, std::size_t room) {
    using matrix = backend::dense_matrix<double>;
    const core::random draw{.seed = seed};
    matrix f(n, p);
    for (std::size_t i = 0; i < n; ++i) {
        const double shared = draw.normal(1000000 + i);
        for (std::size_t j = 0; j < p; ++j) f(i, j) = shared + draw.normal(i * p + j);
    }
    std::vector<double> slope(p);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < p; ++j) slope[j] += draw.normal(2000000 + i) * f(i, j);
    const auto lazy = std::make_shared<quadratic::lazy_products>(n, p, 1e-3, 1);
    for (std::size_t i = 0; i < n; ++i) lazy->set_row(i, [&](std::size_t k) { return f(i, k); });
    lazy->finish({}, {});
    std::pair result{quadratic::objective{matrix(p, p), slope, {0, p}, {room}},
                     quadratic::objective{{}, slope, {0, p}, {room}, {}, lazy}};
    for (std::size_t a = 0; a < p; ++a)
        for (std::size_t b = 0; b < p; ++b) {
            double& entry = result.first.hessian(a, b);
            for (std::size_t i = 0; i < n; ++i) entry += f(i, a) * f(i, b);
            entry += a == b ? 1e-3 : 0;
        }
    return result;
}

}  // namespace gamut::test
