// SPDX-License-Identifier: BSL-1.0
// The small matrices: factors with what depends left out, the largest eigenvalue, products that are remembered.
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <gamut/core/random.hpp>
#include <gamut/quadratic/descent.hpp>
#include <gamut/quadratic/known_products.hpp>
#include <gamut/quadratic/semidefinite.hpp>
#include <gamut/quadratic/symmetric.hpp>

using namespace gamut;

namespace {

/// B B' of an n x rank matrix of random numbers.
std::vector<double> of_rank(std::size_t n, std::size_t rank, std::uint64_t seed) {
    const core::random draw{.seed = seed};
    std::vector<double> a(n * n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j)
            for (std::size_t k = 0; k < rank; ++k)
                a[i * n + j] += draw.normal(i * rank + k) * draw.normal(j * rank + k);
    return a;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(matrices)

BOOST_AUTO_TEST_CASE(a_definite_system_is_solved) {
    for (const std::size_t n : {0u, 1u, 2u, 7u}) {
        const auto a = of_rank(n, n + 3, 5);
        const core::random draw{.seed = 8};
        std::vector<double> truth(n), x(n);
        for (std::size_t i = 0; i < n; ++i) truth[i] = draw.normal(i);
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < n; ++j) x[i] += a[i * n + j] * truth[j];
        const quadratic::semidefinite factor(a, n);
        factor.solve(x);
        for (std::size_t i = 0; i < n; ++i) {
            BOOST_TEST(!factor.left_out(i));
            BOOST_TEST(std::abs(x[i] - truth[i]) <= 1e-9);
        }
    }
}

BOOST_AUTO_TEST_CASE(what_depends_on_earlier_rows_is_left_out_and_0) {
    const std::size_t n = 6;
    const auto a = of_rank(n, 3, 2);
    const quadratic::semidefinite factor(a, n);
    std::vector<double> b(n), x;
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) b[i] += a[i * n + j] * (1 + double(j));
    x = b;
    factor.solve(x);
    for (std::size_t i = 0; i < n; ++i) {
        BOOST_TEST(factor.left_out(i) == (i >= 3));
        if (i >= 3) BOOST_TEST(x[i] == 0);
        double product = 0;
        for (std::size_t j = 0; j < n; ++j) product += a[i * n + j] * x[j];
        BOOST_TEST(std::abs(product - b[i]) <= 1e-9);
    }
}

BOOST_AUTO_TEST_CASE(largest_eigenvalues_are_bounded_from_above_and_closely) {
    // I + u u' has the eigenvalues 1 and 1 + |u|^2
    for (const std::size_t n : {1u, 2u, 9u, 40u, 70u}) {
        quadratic::symmetric m{n, std::vector<double>(n * n)};
        double truth = 1;
        for (std::size_t i = 0; i < n; ++i) {
            const double u = std::sin(double(i + 1));
            truth += u * u;
            for (std::size_t j = 0; j < n; ++j) m.entries[i * n + j] = u * std::sin(double(j + 1)) + (i == j ? 1 : 0);
        }
        BOOST_TEST(m.largest() >= truth);
        BOOST_TEST(m.largest() <= 1.02 * truth);
        const double bound = quadratic::largest_eigenvalue(m.entries.data(), n, n);
        BOOST_TEST(bound >= truth * (1 - 1e-12));
        BOOST_TEST(bound <= truth * (n <= 64 ? std::pow(double(n), 1.0 / 32) * 1.0001 : std::sqrt(double(n))));
    }
    BOOST_TEST((quadratic::symmetric{3, std::vector<double>(9)}).largest() == 0);
}

BOOST_AUTO_TEST_CASE(a_product_with_a_matrix_is_added) {
    const std::size_t n = 5;
    const quadratic::symmetric m{n, of_rank(n, 4, 3)};
    const std::vector<double> w{0, 2, 0, -1, 0.5}, q{1, 2, 3, 4, 5};
    std::vector<double> out;
    m.multiply_add(w, q, out);
    for (std::size_t i = 0; i < n; ++i) {
        double sum = q[i];
        for (std::size_t j = 0; j < n; ++j) sum += m.entries[i * n + j] * w[j];
        BOOST_TEST(std::abs(out[i] - sum) <= 1e-13);
    }
}

BOOST_AUTO_TEST_CASE(products_are_known_until_there_is_no_room) {
    quadratic::known_products known(10, 4);
    known.prepare(std::vector<std::size_t>{2, 7, 5});
    BOOST_TEST(!known.knows(2, 7));
    known.set(7, 2, 1.5);
    known.set(5, 7, -2);
    known.set(2, 5, std::numeric_limits<double>::infinity());
    BOOST_TEST(known.knows(2, 7));
    BOOST_TEST(known(2, 7) == 1.5);
    BOOST_TEST(!known.knows(2, 5));
    known.prepare(std::vector<std::size_t>{7, 9});  // a fourth column: nothing is forgotten
    BOOST_TEST(known(7, 5) == -2);
    BOOST_TEST(!known.knows(9, 7));
    known.prepare(std::vector<std::size_t>{7, 2, 0});  // a fifth: everything is
    BOOST_TEST(!known.knows(2, 7));
}

BOOST_AUTO_TEST_SUITE_END()
