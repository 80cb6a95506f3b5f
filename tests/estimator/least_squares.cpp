// SPDX-License-Identifier: BSL-1.0
#include <boost/multiprecision/cpp_bin_float.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <type_traits>
#include <vector>

#include "../fits/fit.hpp"

#include <gamut/communicator/threads.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/penalty/none.hpp>
#include <gamut/solver/default_for.hpp>
#include <gamut/solver/disadmm.hpp>
#include <gamut/solver/least_squares.hpp>
#include <gamut/solver/problem.hpp>
#include <gamut/solver/refit.hpp>
#include <gamut/solver/swap.hpp>

using namespace gamut;

namespace {

using numbers = std::vector<double>;
constexpr data::preparation as_given{data::intercept::free, data::columns::as_given},
    no_intercept{data::intercept::none, data::columns::as_given};

template <class Source> auto fit(const Source& source, const fits::settings& how = {}, double l2 = 0) {
    const solver::default_for<model::linear, penalty::l2>::type direct;
    return fits::fit(model::linear{}, penalty::l2{l2}, direct, source, how);
}

void check_near(double found, double expected, double tolerance) {
    BOOST_TEST(std::abs(found - expected) <= tolerance * std::abs(expected), found << " is not " << expected);
}

/// The weights of least squares with columns 1, x_1 ... x_p as they are, with 100 digits.
numbers exactly(const numbers& x, const numbers& y) {
    using wide = boost::multiprecision::cpp_bin_float_100;
    const std::size_t n = y.size(), p = x.size() / n, m = p + 1;
    std::vector<wide> a(m * (m + 1));
    for (std::size_t i = 0; i < n; ++i) {
        std::vector<wide> row{1};
        for (std::size_t j = 0; j < p; ++j) row.push_back(x[i * p + j]);
        row.push_back(y[i]);
        for (std::size_t j = 0; j < m; ++j)
            for (std::size_t k = 0; k <= m; ++k) a[j * (m + 1) + k] += row[j] * row[k];
    }
    for (std::size_t j = 0; j < m; ++j)
        for (std::size_t i = 0; i < m; ++i) {
            if (i == j) continue;
            const wide factor = a[i * (m + 1) + j] / a[j * (m + 1) + j];
            for (std::size_t k = j; k <= m; ++k) a[i * (m + 1) + k] -= factor * a[j * (m + 1) + k];
        }
    numbers w;
    for (std::size_t j = 0; j < m; ++j) w.push_back(static_cast<double>(wide(a[j * (m + 1) + m] / a[j * (m + 1) + j])));
    return w;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(least_squares)

BOOST_AUTO_TEST_CASE(is_the_default_for_linear_models_without_corners) {
    static_assert(std::is_same_v<solver::default_for<model::linear, penalty::none>::type,
                                 solver::default_for<model::linear, penalty::l2>::type>);
    const auto found = fit(data::arrays(numbers{1, 2, 3, 5}, 4, 1, numbers{1, 0, 2, 2}));
    BOOST_TEST(found.message.find("solved directly") != std::string::npos, found.message);
    BOOST_TEST(found.passes == 2u);
}

// NIST StRD, Longley (1967), JASA 62, 819-841
BOOST_AUTO_TEST_CASE(longley_to_its_certified_digits) {
    const numbers x{83.0,  234289, 2356, 1590, 107608, 1947, 88.5,  259426, 2325, 1456, 108632, 1948,  //
                    88.2,  258054, 3682, 1616, 109773, 1949, 89.5,  284599, 3351, 1650, 110929, 1950,  //
                    96.2,  328975, 2099, 3099, 112075, 1951, 98.1,  346999, 1932, 3594, 113270, 1952,  //
                    99.0,  365385, 1870, 3547, 115094, 1953, 100.0, 363112, 3578, 3350, 116219, 1954,  //
                    101.2, 397469, 2904, 3048, 117388, 1955, 104.6, 419180, 2822, 2857, 118734, 1956,  //
                    108.4, 442769, 2936, 2798, 120445, 1957, 110.8, 444546, 4681, 2637, 121950, 1958,  //
                    112.6, 482704, 3813, 2552, 123366, 1959, 114.2, 502601, 3931, 2514, 125368, 1960,  //
                    115.7, 518173, 4806, 2572, 127852, 1961, 116.9, 554894, 4007, 2827, 130081, 1962};
    const numbers y{60323, 61122, 60171, 61187, 63221, 63639, 64989, 63761,
                    66019, 67857, 68169, 66513, 68655, 69564, 69331, 70551};
    const numbers certified{15.0618722713733,  -0.358191792925910E-01, -2.02022980381683,
                            -1.03322686717359, -0.511041056535807E-01, 1829.15146461355};
    for (const auto& prepare : {data::preparation{}, as_given}) {
        const auto found = fit(data::arrays(x, 16, 6, y), {.prepare = prepare});
        BOOST_TEST((found.status == core::status::converged));
        for (std::size_t j = 0; j < 6; ++j) check_near(found.weights[j], certified[j], 1e-12);
        check_near(found.intercept[0], -3482258.63459582, 1e-12);
        check_near(std::sqrt(2 * 16 * found.objective / 9), 304.854073561965, 1e-13);
    }
}

BOOST_AUTO_TEST_CASE(a_polynomial_of_degree_ten) {
    numbers x, y;
    for (int i = 0; i < 82; ++i) {
        const double t = -9 + 6.0 * i / 81;
        for (int k = 1; k <= 10; ++k) x.push_back(std::pow(t, k));
        y.push_back(0.8 + 0.1 * std::sin(3 * t) + 0.001 * ((i * 37) % 11));
    }
    const numbers exact = exactly(x, y);
    for (const auto& prepare : {data::preparation{}, as_given}) {
        const auto found = fit(data::arrays(x, 82, 10, y), {.prepare = prepare});
        BOOST_TEST((found.status == core::status::converged), found.message);
        for (std::size_t j = 0; j < 10; ++j) check_near(found.weights[j], exact[j + 1], 1e-13);
        check_near(found.intercept[0], exact[0], 1e-11);
    }
}

BOOST_AUTO_TEST_CASE(labels_and_columns_far_from_zero_or_of_different_size) {
    const numbers large{1e9 + 2, 1e9 + 4, 1e9 + 6, 1e9 + 9, 1e9 + 11};
    const data::arrays five(numbers{1, 1, 2, 1, 3, 2, 4, 5, 5, 3}, 5, 2, large);
    for (const auto& prepare : {data::preparation{}, as_given}) {
        const auto found = fit(five, {.prepare = prepare});
        check_near(found.weights[0], 13. / 6, 1e-13);
        check_near(found.weights[1], 1. / 6, 1e-13);
    }
    const data::arrays four(numbers{1, 2, 3, 4}, 4, 1, numbers{1e9 + 2, 1e9 + 4, 1e9 + 6, 1e9 + 8});
    BOOST_TEST(fit(four, {.prepare = as_given}).weights[0] == 2);
    BOOST_TEST(fit(four, {.prepare = as_given}).objective == 0);
    check_near(fit(four, {.prepare = as_given}, 1e-3).weights[0], 2 * 1.25 / (1.25 + 1e-3), 1e-14);
    const auto apart =
        fit(data::arrays(numbers{1e6, 1e-6, -1e6, 1e-6, 1e6, -1e-6, -1e6, -1e-6}, 4, 2, numbers{2, 0, 0, -2}),
            {.prepare = as_given});
    check_near(apart.weights[0], 1e-6, 1e-15);
    check_near(apart.weights[1], 1e6, 1e-15);
    BOOST_TEST(apart.objective < 1e-30);
}

BOOST_AUTO_TEST_CASE(huge_and_tiny_numbers) {
    for (const double scale : {1e-150, 1e-100, 1.0, 1e100, 1e150}) {
        const auto found = fit(data::arrays(numbers{1 * scale, 1, 2 * scale, 3, 3 * scale, 7, 4 * scale, 2}, 4, 2,
                                            numbers{scale, 3 * scale, 2 * scale, 5 * scale}),
                               {.prepare = as_given});
        BOOST_TEST((found.status == core::status::converged), found.message);
        check_near(found.weights[0], 481. / 366, 1e-13);
        check_near(found.weights[1], -56. / 183 * scale, 1e-13);
    }
    const auto found = fit(data::arrays(numbers{1, 1, 2, 3, 3, 7, 4, 2}, 4, 2, numbers{1e200, 3e200, 2e200, 5e200}));
    BOOST_TEST((found.status == core::status::diverged));
}

BOOST_AUTO_TEST_CASE(collinear_columns_are_named_and_share) {
    const auto found = fit(data::arrays(numbers{1, 1, 5, 2, 2, 5, 4, 4, 5, 5, 5, 5}, 4, 3, numbers{1, 2, 4, 5}));
    BOOST_TEST((found.status == core::status::converged));
    BOOST_TEST(found.message.find("'x0', 'x1' are collinear") != std::string::npos, found.message);
    BOOST_TEST(found.message.find("x2") == std::string::npos, found.message);
    check_near(found.weights[0], 0.5, 1e-14);
    check_near(found.weights[1], 0.5, 1e-14);
    BOOST_TEST(found.weights[2] == 0);  // constant

    const auto wide =
        fit(data::arrays(numbers{1, 2, 3, 4, 6, 5, 4, 1}, 2, 4, numbers{1, 2}), {.prepare = no_intercept});
    BOOST_TEST(wide.message.find("rank 2 of 4") != std::string::npos, wide.message);
    // X'(XX')^-1 y with XX' = [[30, 32], [32, 78]]
    const double a = (78. * 1 - 32 * 2) / (30. * 78 - 32 * 32), b = (30. * 2 - 32) / (30. * 78 - 32 * 32);
    const numbers x{1, 2, 3, 4, 6, 5, 4, 1};
    for (std::size_t j = 0; j < 4; ++j) check_near(wide.weights[j], x[j] * a + x[4 + j] * b, 1e-13);
    BOOST_TEST(wide.objective < 1e-28);

    const auto one = fit(data::arrays(numbers{1, 2, 3}, 1, 3, numbers{7}));
    BOOST_TEST(one.intercept[0] == 7);
    BOOST_TEST(one.objective == 0);
    const auto zeros = fit(data::arrays(numbers{0, 1, 0, 2}, 2, 2, numbers{1, 2}), {.prepare = no_intercept});
    BOOST_TEST(zeros.message.find("'x0' is 0 everywhere") != std::string::npos, zeros.message);
}

BOOST_AUTO_TEST_CASE(a_weight_of_two_is_a_row_twice_and_of_zero_none) {
    const numbers x{1, 4, 2, 2, 3, 7, 4, 1, 9, 9}, y{1, 3, 2, 5, 100}, twice{1, 4, 2, 2, 2, 2, 3, 7, 4, 1};
    const auto weighted = fit(data::arrays(x, 5, 2, y, numbers{1, 2, 1, 1, 0}));
    const auto repeated = fit(data::arrays(twice, 5, 2, numbers{1, 3, 3, 2, 5}));
    for (std::size_t j = 0; j < 2; ++j) check_near(weighted.weights[j], repeated.weights[j], 1e-13);
    check_near(weighted.objective, repeated.objective, 1e-13);
}

BOOST_AUTO_TEST_CASE(rows_that_some_ranks_lack) {
    const data::arrays source(numbers{1, 4, 2, 2, 3, 7, 4, 1}, 4, 2, numbers{1, 3, 2, 5});
    const auto alone = fit(source);
    for (const int size : {2, 3, 5, 8})
        communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
            const auto together = fit(source, {.ranks = ranks});
            if (ranks.rank() != 0) return;
            BOOST_TEST(together.weights == alone.weights, boost::test_tools::per_element());
            BOOST_TEST(together.objective == alone.objective);
        });
}

BOOST_AUTO_TEST_CASE(refit_takes_some_columns_and_float_data) {
    const numbers x{1, 4, 9, 2, 2, 1, 3, 7, 5, 4, 1, 3, 5, 0, 2}, y{1, 3, 2, 5, 4};
    backend::dense_matrix<float> few(5, 3);
    for (std::size_t i = 0; i < x.size(); ++i) few.values[i] = static_cast<float>(x[i]);
    const data::arrays source(std::move(few), std::vector<float>(y.begin(), y.end()));
    const auto rows = source.load(communicator::single<>{}, {});
    const communicator::single<> alone;
    const solver::problem<model::linear, std::remove_cvref_t<decltype(rows)>, penalty::none, backend::host<float>,
                          communicator::single<>>
        p({}, rows, {}, {}, alone, true);
    const std::vector<std::size_t> columns{0, 2};
    const solver::refitted found = solver::refit(p, columns, 0);
    numbers chosen;
    for (std::size_t i = 0; i < 5; ++i)
        for (const std::size_t j : columns) chosen.push_back(x[i * 3 + j]);
    const numbers exact = exactly(chosen, y);
    BOOST_TEST(found.settled);
    BOOST_TEST(found.rank == 3u);
    check_near(found.weights[0], exact[1], 1e-14);
    check_near(found.weights[1], exact[2], 1e-14);
    check_near(found.weights[2], exact[0], 1e-14);
}

/// A search on the Gram matrix does not see all digits of a power beside the lower ones; the weights that it ends with have them.
BOOST_AUTO_TEST_CASE(refits_of_searches_are_as_accurate) {
    const auto check = [&](std::size_t degree, const auto& how) {
        numbers x, y;
        for (int i = 0; i < 82; ++i) {
            const double t = -9 + 6.0 * i / 81;
            for (std::size_t k = 1; k <= degree; ++k) x.push_back(std::pow(t, k));
            y.push_back(0.8 + 0.1 * std::sin(3 * t) + 0.001 * ((i * 37) % 11));
        }
        const auto found =
            fits::fit(model::linear{}, penalty::l0{.kappa = degree}, how, data::arrays(x, 82, degree, y));
        BOOST_TEST((found.status == core::status::converged), found.message);
        numbers chosen;
        for (std::size_t i = 0; i < 82; ++i)
            for (const std::size_t j : found.support) chosen.push_back(x[i * degree + j]);
        const numbers exact = exactly(chosen, y);
        for (std::size_t k = 0; k < found.support.size(); ++k)
            check_near(found.weights[found.support[k]], exact[k + 1], 1e-12);
        return found.support.size();
    };
    for (const std::size_t degree : {4u, 6u, 8u, 10u}) {
        BOOST_TEST(check(degree, solver::disadmm<>{}) == degree);
        check(degree, solver::swap{});
    }
}

BOOST_AUTO_TEST_SUITE_END()
