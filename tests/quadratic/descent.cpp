// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <gamut/penalty/elastic_net.hpp>
#include <gamut/penalty/group.hpp>
#include <gamut/quadratic/descent.hpp>
#include <gamut/quadratic/parts_of.hpp>

#include "random_quadratic.hpp"

using namespace gamut;

BOOST_AUTO_TEST_SUITE(descent)

BOOST_AUTO_TEST_CASE(the_minimum_satisfies_its_conditions_and_slopes_are_kept) {
    const std::size_t p = 12;
    const auto f = test::random_quadratic(3, {0, p}, {p});
    const penalty::elastic_net term{.l1 = 0.2, .l2 = 0.1};
    const quadratic::parts_of parts(term, penalty::layout{p - 1, 1});
    std::vector<quadratic::unit> units;
    for (std::size_t j = 0; j < p; ++j)
        units.push_back({j, j + 1, j, j == p - 1, f.hessian(j, j)});  // the last is free
    for (const std::size_t memory : {0u, 5u}) {
        std::vector<double> v(p), slope(p);
        for (std::size_t j = 0; j < p; ++j) slope[j] = -f.slope[j];
        quadratic::descent<quadratic::parts_of<penalty::elastic_net>> solver(parts, f.hessian.values.data(), p, units,
                                                                             memory);
        BOOST_TEST(solver.minimize(v, slope, 1e-12, 5000) < 5000u);
        for (std::size_t j = 0; j < p; ++j) {
            double there = -f.slope[j];
            for (std::size_t k = 0; k < p; ++k) there += f.hessian(j, k) * v[k];
            BOOST_TEST(std::abs(there - slope[j]) <= 1e-10);
            if (j == p - 1)
                BOOST_TEST(std::abs(there) <= 1e-10);
            else if (v[j] == 0)
                BOOST_TEST(std::abs(there) <= 0.2 + 1e-10);
            else
                BOOST_TEST(std::abs(there + 0.1 * v[j] + std::copysign(0.2, v[j])) <= 1e-10);
        }
    }
}

BOOST_AUTO_TEST_CASE(groups_move_together_and_satisfy_theirs) {
    const std::size_t p = 9;
    const auto f = test::random_quadratic(5, {0, p}, {p});
    const penalty::group term{.strength = 0.5, .sizes = {3, 2, 4}};
    const quadratic::parts_of parts(term, penalty::layout{p, 1});
    BOOST_TEST(parts.size() == 3u);
    std::vector<quadratic::unit> units;
    for (std::size_t g = 0; g < 3; ++g) {
        const std::size_t first = parts.begin(g), last = parts.end(g);
        units.push_back({first, last, g, false,
                         quadratic::largest_eigenvalue(f.hessian.values.data() + first * p + first, p, last - first)});
    }
    std::vector<double> v(p), slope(p);
    for (std::size_t j = 0; j < p; ++j) slope[j] = -f.slope[j];
    quadratic::descent<quadratic::parts_of<penalty::group>> solver(parts, f.hessian.values.data(), p, units, 5);
    solver.minimize(v, slope, 1e-12, 20000);
    for (std::size_t g = 0; g < 3; ++g) {
        const std::size_t first = parts.begin(g), n = parts.end(g) - first;
        const std::span<const double> w(v.data() + first, n), s(slope.data() + first, n);
        double size = 0, residual = 0;
        for (const double x : w) size += x * x;
        size = std::sqrt(size);
        if (size == 0) {
            BOOST_TEST(parts.excess(g, s) <= 1e-10);
            BOOST_TEST(std::abs(parts.feasible(g, s) - 1) <= 1e-9);
            continue;
        }
        for (std::size_t j = 0; j < n; ++j)
            residual = std::max(residual, std::abs(s[j] + 0.5 * term.weight(g) * w[j] / size));
        BOOST_TEST(residual <= 1e-9);
    }
}

BOOST_AUTO_TEST_SUITE_END()
