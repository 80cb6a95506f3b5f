// SPDX-License-Identifier: BSL-1.0
#include <gamut/autodiff/arithmetic.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <type_traits>

#include "autodiff/row.hpp"

using namespace gamut::autodiff;

BOOST_AUTO_TEST_SUITE(arithmetic)

namespace {
constexpr auto z = data{} * weights<1>{};
constexpr labels y;
constexpr std::array points{-2.75, -0.8, -0.2, 0.3, 1.2, 3.5};

// what fits and what does not
static_assert(combine(shape::rows, shape::table) == shape::table);
static_assert(combine(shape::scalar, shape::rows) == shape::rows);
static_assert(combine(shape::entries, shape::rows) == shape::invalid);
static_assert(combine(shape::total, shape::rows) == shape::invalid);
static_assert(combine(shape::total, shape::scalar) == shape::invalid);
static_assert(multiplication::form(shape::total, shape::scalar) == shape::total);
static_assert(multiplication::form(shape::total, shape::total) == shape::invalid);
static_assert(division::form(shape::scalar, shape::total) == shape::invalid);
static_assert(minimum::form(shape::total, shape::total) == shape::invalid);
}  // namespace

BOOST_AUTO_TEST_CASE(derivatives_agree_with_central_differences) {
    for (const double x : points) {
        const test_row row{.z = {x}, .y = 0.7};
        check_derivatives(sum(z + square(z)), row, "z + z^2");
        check_derivatives(sum(square(z) - z), row, "z^2 - z");
        check_derivatives(sum(exp(z) * square(z)), row, "e^z z^2");
        check_derivatives(sum(square(z) / (1 + square(z))), row, "z^2 / (1 + z^2)");
        check_derivatives(sum(2 / z), row, "2 / z");
        check_derivatives(sum(z / 4), row, "z / 4");
        check_derivatives(sum(3 - z * y), row, "3 - z y");
        check_derivatives(sum(min(square(z), exp(z))), row, "min");
        check_derivatives(sum(max(square(z), exp(z))), row, "max");
        check_derivatives(sum(choose(z < y, square(z), exp(z))), row, "choose <");
        check_derivatives(sum(choose(z <= y, square(z), exp(z))), row, "choose <=");
        check_derivatives(sum(choose(z > 0.0, sigmoid(z), z * z * z)), row, "choose >");
        check_derivatives(sum(choose(z >= 0.0, 1.0, exp(z))), row, "choose >=");
        check_derivatives(sum(choose(y == 0.7, square(z), z)), row, "choose ==");
    }
}

BOOST_AUTO_TEST_CASE(a_quotient_has_the_derivative_of_a_quotient) {
    // d/dx a/x = -a/x^2, second derivative 2 a/x^3
    for (const double x : points) {
        const auto d = derivatives_at(sum(1.7 / z), {.z = {x}}, {1.0});
        close(d.value, 1.7 / x, 1e-15, "a/x");
        close(d.slope[0], -1.7 / (x * x), 1e-15, "-a/x^2");
        close(d.curvature[0], 2 * 1.7 / (x * x * x), 1e-14, "2a/x^3");
    }
}

BOOST_AUTO_TEST_CASE(where_two_sides_are_equal_the_left_one_gets_the_derivative) {
    BOOST_TEST(derivatives_at(sum(min(2 * z, 6 * z)), {.z = {0.0}}).slope[0] == 2);
    BOOST_TEST(derivatives_at(sum(max(2 * z, 6 * z)), {.z = {0.0}}).slope[0] == 2);
    BOOST_TEST(derivatives_at(sum(max(z, 0.0)), {.z = {0.0}}).slope[0] == 1);
    BOOST_TEST(derivatives_at(sum(max(0.0, z)), {.z = {0.0}}).slope[0] == 0);
}

BOOST_AUTO_TEST_CASE(the_untaken_side_has_no_derivative) {
    const auto d = derivatives_at(sum(choose(z < 1.0, 5 * z, exp(z))), {.z = {-3.0}}, {1.0});
    BOOST_TEST(d.value == -15);
    BOOST_TEST(d.slope[0] == 5);
    BOOST_TEST(d.curvature[0] == 0);
}

BOOST_AUTO_TEST_CASE(a_product_with_the_data_has_one_type_however_often_it_is_written) {
    const data X;
    const weights<1> w;
    static_assert(std::is_same_v<decltype(X * w), decltype(X * w)>);
    static_assert(std::is_empty_v<decltype(X * w)>);
    // z enters three times: the adjoints add up
    const auto d = derivatives_at(sum((X * w) * (X * w) + (X * w)), {.z = {3.0}});
    BOOST_TEST(d.slope[0] == 7);
}

BOOST_AUTO_TEST_CASE(numbers_take_the_precision_of_what_they_meet) {
    struct reader {
        using value_type = float;
        float product(std::size_t) const { return 2.0f; }
    } row;
    const auto half = 0.5 * z;
    static_assert(std::is_same_v<decltype(half.value(row, 0)), float>);
    BOOST_TEST(half.value(row, 0) == 1.0f);
}

BOOST_AUTO_TEST_CASE(sums_over_rows_are_added_subtracted_and_scaled) {
    const auto mixed = 2 * mean(square(z)) - sum(z) / 4 + mean(3 * z);
    static_assert(shape_of<decltype(mixed)> == shape::total);
    const test_row row{.z = {1.5}, .omega = 2, .total = 8};
    // shares of the row: mean 2/8, sum 2
    BOOST_TEST(derivatives_at(mixed, row).value == 2 * 0.25 * 2.25 - 2 * 1.5 / 4 + 0.25 * 4.5,
               boost::test_tools::tolerance(1e-15));
    check_derivatives(mixed, row, "totals");
}

BOOST_AUTO_TEST_SUITE_END()
