// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <gamut/backend/double_double.hpp>
#include <gamut/backend/orthogonal_factor.hpp>
#include <gamut/core/random.hpp>

using namespace gamut;
using backend::double_double;
using backend::least_squares_factor;
using backend::orthogonal_factor;

namespace {

std::vector<double> random_table(std::size_t rows, std::size_t columns, std::uint64_t seed = 1) {
    std::vector<double> x(rows * columns);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = core::random{.seed = seed, .stream = 0}.uniform(i) - 0.5;
    return x;
}

/// sum over rows of x_j x_k
double product(std::span<const double> x, std::size_t columns, std::size_t j, std::size_t k) {
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); i += columns) sum += x[i + j] * x[i + k];
    return sum;
}

void check_products(const orthogonal_factor& r, std::span<const double> x) {
    const std::size_t n = r.columns();
    for (std::size_t j = 0; j < n; ++j)
        for (std::size_t k = 0; k < n; ++k) {
            double sum = 0;
            for (std::size_t i = 0; i < r.rows(); ++i) sum += r.row(i)[j] * r.row(i)[k];
            BOOST_TEST(std::abs(sum - product(x, n, j, k)) < 1e-13);
            if (j < r.rows() && k < j) BOOST_TEST(r.row(j)[k] == 0);
        }
}

orthogonal_factor factor(std::vector<double> x, std::size_t columns) {
    orthogonal_factor r(columns);
    r.add(x.data(), x.size() / columns);
    return r;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(backend_orthogonal_factor)

BOOST_AUTO_TEST_CASE(the_triangle_has_the_products_of_the_rows_however_they_come) {
    constexpr std::size_t columns = 6;
    for (const std::size_t rows : {1u, 2u, 5u, 6u, 7u, 40u}) {
        const std::vector<double> x = random_table(rows, columns);
        const orthogonal_factor whole = factor(x, columns);
        BOOST_TEST(whole.rows() == std::min(rows, columns));
        check_products(whole, x);
        for (std::size_t cut = 0; cut <= rows; ++cut) {
            const auto at = x.begin() + static_cast<std::ptrdiff_t>(cut * columns);
            orthogonal_factor blocks(columns);
            std::vector<double> first(x.begin(), at), second(at, x.end());
            orthogonal_factor merged = factor(first, columns);
            merged.add(factor(second, columns));
            BOOST_TEST(merged.rows() == std::min(rows, columns));
            check_products(merged, x);
            blocks.add(first.data(), cut);
            blocks.add(second.data(), rows - cut);
            check_products(blocks, x);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_packed_factor_is_the_same) {
    for (const std::size_t rows : {0u, 1u, 3u, 9u}) {
        const orthogonal_factor r = factor(random_table(rows, 4), 4);
        std::vector<double> numbers(orthogonal_factor::packed_size(4, r.rows()));
        r.pack(numbers.data());
        const orthogonal_factor copy(4, r.rows(), numbers);
        for (std::size_t i = 0; i < r.rows(); ++i)
            for (std::size_t j = 0; j < 4; ++j) BOOST_TEST(copy.row(i)[j] == r.row(i)[j]);
    }
}

BOOST_AUTO_TEST_CASE(columns_of_any_scale_neither_overflow_nor_vanish) {
    for (const double scale : {1e-290, 1e-150, 1.0, 1e150, 1e290}) {
        std::vector<double> x = random_table(12, 3);
        for (std::size_t i = 0; i < x.size(); i += 3) x[i + 1] *= scale;
        const least_squares_factor a(factor(x, 3));
        BOOST_TEST(a.rank() == 2u);
        BOOST_TEST(a.condition() < 10);
        BOOST_TEST(std::isfinite(a.solution()[1] * scale));
        BOOST_TEST(a.solution()[1] * scale != 0);
    }
    std::vector<double> x = random_table(12, 3);
    x[4] = std::numeric_limits<double>::infinity();
    BOOST_TEST(!least_squares_factor(factor(x, 3)).is_finite());
}

BOOST_AUTO_TEST_CASE(collinear_columns_are_found_and_the_solution_is_the_shortest) {
    std::vector<double> x = random_table(20, 5);
    for (std::size_t i = 0; i < x.size(); i += 5) {
        x[i + 2] = 3 * x[i] - x[i + 1];
        x[i + 4] = x[i] + 2 * x[i + 1] + x[i + 3];  // the right-hand side
    }
    const least_squares_factor a(factor(x, 5));
    BOOST_TEST_REQUIRE(a.rank() == 3u);
    const std::vector<std::size_t> expected{0, 1, 2};
    BOOST_TEST(a.collinear(0) == expected, boost::test_tools::per_element());
    const std::vector<double> w = a.solution();
    BOOST_TEST(std::abs(w[0] + 3 * w[2] - 1) < 1e-13);
    BOOST_TEST(std::abs(w[1] - w[2] - 2) < 1e-13);
    BOOST_TEST(std::abs(w[3] - 1) < 1e-13);
    BOOST_TEST(std::abs(3 * w[0] - w[1] - w[2]) < 1e-13);  // at right angles to what A does not see
}

BOOST_AUTO_TEST_CASE(more_unknowns_than_rows) {
    const std::vector<double> x = random_table(3, 8);
    const least_squares_factor a(factor(x, 8));
    BOOST_TEST(a.rank() == 3u);
    const std::vector<double> w = a.solution();
    for (std::size_t i = 0; i < 3; ++i) {
        double left = x[i * 8 + 7];
        for (std::size_t j = 0; j < 7; ++j) left -= x[i * 8 + j] * w[j];
        BOOST_TEST(std::abs(left) < 1e-14);
    }
}

BOOST_AUTO_TEST_CASE(a_double_double_keeps_what_a_double_loses) {
    const double_double third = double_double(1) / double_double(3);
    BOOST_TEST(std::abs((third * double_double(3) - double_double(1)).value()) < 1e-31);
    double_double sum;
    for (const double x : {1e30, 1.0, -1e30, 1e-10}) sum += double_double(x);
    BOOST_TEST(sum.value() == 1 + 1e-10);
    const double a = 1 + 0x1p-40, b = 1 - 0x1p-40;
    BOOST_TEST((double_double::product(a, b) - double_double(1)).value() == -0x1p-80);
}

BOOST_AUTO_TEST_SUITE_END()
