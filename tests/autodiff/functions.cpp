// SPDX-License-Identifier: BSL-1.0
#include <gamut/autodiff/functions.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <limits>

#include "autodiff/row.hpp"

using namespace gamut::autodiff;

BOOST_AUTO_TEST_SUITE(functions)

namespace {
constexpr auto z = data{} * weights<1>{};
constexpr double infinity = std::numeric_limits<double>::infinity();

// points on both sides of 0, small and large
constexpr std::array points{-30.5, -3.0, -1.25, -0.3, -1e-3, 2e-3, 0.4, 1.5, 4.0, 25.0};
}  // namespace

BOOST_AUTO_TEST_CASE(derivatives_agree_with_central_differences) {
    for (const double x : points) {
        const test_row row{.z = {x}, .y = 0.7};
        check_derivatives(sum(exp(0.3 * z)), row, "exp");
        check_derivatives(sum(sigmoid(z)), row, "sigmoid");
        check_derivatives(sum(softplus(z)), row, "softplus");
        check_derivatives(sum(square(z)), row, "square");
        check_derivatives(sum(abs(z)), row, "abs");
        check_derivatives(sum(sign(z) * z), row, "sign");
        check_derivatives(sum(-z), row, "negation");
        const test_row positive{.z = {std::abs(x) + 0.1}};
        check_derivatives(sum(log(z)), positive, "log");
        check_derivatives(sum(log1p(z)), positive, "log1p");
        check_derivatives(sum(sqrt(z)), positive, "sqrt");
    }
}

BOOST_AUTO_TEST_CASE(values_are_those_of_the_library) {
    for (const double x : points) {
        const test_row row{.z = {x}};
        close(derivatives_at(sum(exp(z)), row).value, std::exp(x), 1e-15, "exp");
        close(derivatives_at(sum(sigmoid(z)), row).value, 1 / (1 + std::exp(-x)), 1e-15, "sigmoid");
        close(derivatives_at(sum(softplus(z)), row).value, std::log1p(std::exp(x)), 1e-15, "softplus");
        close(derivatives_at(sum(square(z)), row).value, x * x, 1e-15, "square");
        close(derivatives_at(sum(abs(z)), row).value, std::abs(x), 0, "abs");
        close(derivatives_at(sum(sign(z)), row).value, x < 0 ? -1 : 1, 0, "sign");
    }
}

BOOST_AUTO_TEST_CASE(large_arguments_neither_overflow_nor_lose_the_derivative) {
    for (const double x : {-2000.0, 2000.0}) {
        const auto loss = derivatives_at(sum(softplus(z)), {.z = {x}}, {1.0});
        BOOST_TEST(loss.value == (x > 0 ? x : 0));
        BOOST_TEST(loss.slope[0] == (x > 0 ? 1 : 0));
        BOOST_TEST(loss.curvature[0] == 0);
        BOOST_TEST(derivatives_at(sum(sigmoid(z)), {.z = {x}}).value == (x > 0 ? 1 : 0));
    }
    // where softplus is tiny it keeps its digits: log(1 + e) = e for e = exp(-40)
    BOOST_TEST(derivatives_at(sum(softplus(z)), {.z = {-40.0}}).value == std::exp(-40.0),
               boost::test_tools::tolerance(1e-15));
}

BOOST_AUTO_TEST_CASE(derivatives_at_the_kink_are_zero) {
    BOOST_TEST(derivatives_at(sum(abs(z)), {.z = {0.0}}).slope[0] == 0);
    BOOST_TEST(derivatives_at(sum(sign(z)), {.z = {0.0}}).value == 0);
    BOOST_TEST(derivatives_at(sum(sign(z)), {.z = {0.0}}).slope[0] == 0);
}

BOOST_AUTO_TEST_CASE(edges_follow_the_library) {
    BOOST_TEST(derivatives_at(sum(log(z)), {.z = {0.0}}).value == -infinity);
    BOOST_TEST(std::isnan(derivatives_at(sum(log(z)), {.z = {-1.0}}).value));
    BOOST_TEST(derivatives_at(sum(exp(z)), {.z = {1000.0}}).value == infinity);
    BOOST_TEST(std::isnan(derivatives_at(sum(softplus(z)), {.z = {std::nan("")}}).value));
}

BOOST_AUTO_TEST_SUITE_END()
