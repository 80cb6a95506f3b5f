// SPDX-License-Identifier: BSL-1.0
#include <cmath>
#include <cstddef>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <gamut/backend/matrix.hpp>
#include <gamut/backend/parallel.hpp>
#include <gamut/core/random.hpp>
#include <gamut/quadratic/lazy_products.hpp>
#include <gamut/quadratic/support.hpp>
#include <gamut/quadratic/support_search.hpp>

#include "random_quadratic.hpp"

using namespace gamut;
using test::best_value;
using test::random_quadratic;

BOOST_AUTO_TEST_SUITE(lazy_products)

BOOST_AUTO_TEST_CASE(products_of_projected_rows_made_by_many_threads) {
    constexpr std::size_t n = 300, p = 1005, threads = 3;  // enough for three threads to be woken up
    const core::random draw{.seed = 4};
    std::vector<std::vector<double>> u(2, std::vector<double>(n));
    backend::dense_matrix<double> f(n, p), v(2, p);
    for (std::size_t a = 0; a < 2; ++a)
        for (std::size_t i = 0; i < n; ++i) u[a][i] = draw.normal(1000000 + a * n + i);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < p; ++j) f(i, j) = draw.normal(2000 + i * p + j);
    for (std::size_t a = 0; a < 2; ++a)
        for (std::size_t j = 0; j < p; ++j) v(a, j) = draw.normal(a * p + j);
    quadratic::lazy_products lazy(n, p, 0.5, threads);
    BOOST_TEST(lazy.threads() == threads);
    backend::parallel_for(0, n, threads,
                          [&](std::size_t i, std::size_t) { lazy.set_row(i, [&](std::size_t k) { return f(i, k); }); });
    const std::vector<double> product = lazy.product(u[0]);
    for (std::size_t j = 0; j < p; ++j) {
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) sum += u[0][i] * f(i, j);
        BOOST_REQUIRE_SMALL(product[j] - sum, 1e-11);
    }
    lazy.finish(u, v);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < p; ++j) f(i, j) -= u[0][i] * v(0, j) + u[1][i] * v(1, j);
    for (const std::size_t a : {std::size_t(0), std::size_t(500), p - 1})
        for (std::size_t b = 0; b < p; ++b) {
            double sum = a == b ? 0.5 : 0;
            for (std::size_t i = 0; i < n; ++i) sum += f(i, a) * f(i, b);
            BOOST_REQUIRE_SMALL(lazy.row(a)[b] - sum, 1e-9);
        }
}

BOOST_AUTO_TEST_CASE(products_made_row_by_row_are_those_of_a_matrix) {
    constexpr std::size_t p = 77;
    const auto [dense, lazy] = test::of_few_rows(5, 23, p, 6);
    // all rows by many threads at once, pairs and single ones, each asked for several times
    backend::parallel_for(0, 8 * p, 4, [&, &rows = *lazy.lazy](std::size_t k, std::size_t) {
        if (k % 5 == 0) rows.prepare({k % p, (3 * k) % p, (7 * k) % p});
        rows.row((11 * k) % p);
    });
    for (std::size_t a = 0; a < p; ++a)
        for (std::size_t b = 0; b < p; ++b) {
            BOOST_TEST(std::abs(lazy.row(a)[b] - dense.hessian(a, b)) <= 1e-12 * dense.hessian(a, a));
            BOOST_TEST(lazy.row(a)[b] == lazy.row(b)[a]);
        }
    quadratic::support of_matrix(dense), of_rows(lazy);
    for (auto* const s : {&of_matrix, &of_rows}) {
        quadratic::fill(*s);
        quadratic::descend(*s);
    }
    BOOST_TEST(of_matrix.sorted_members() == of_rows.sorted_members(), boost::test_tools::per_element());
    BOOST_TEST(std::abs(of_rows.value() - best_value(dense, of_rows.members())) <= 1e-9 * std::abs(of_rows.value()));
}

BOOST_AUTO_TEST_SUITE_END()
