// SPDX-License-Identifier: BSL-1.0
#include <gamut/autodiff/reduce.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "autodiff/row.hpp"

using namespace gamut::autodiff;

BOOST_AUTO_TEST_SUITE(reduce)

namespace {
constexpr auto z = data{} * weights<2>{};
constexpr labels y;
const std::vector<std::vector<double>> tables{{0.3, -1.2, 2.5}, {4, 4, 4}, {-20, 3, 18}, {0.1}, {-7.5, 7.25}};

// scratch is counted, outputs are noticed
constexpr auto one = data{} * weights<1>{};
static_assert(scratch_of<decltype(mean(square(one)))> == 0);
static_assert(scratch_of<decltype(mean(log_sum_exp(z) - pick(z, y)))> == 1);
static_assert(scratch_of<decltype(mean(log_sum_exp(z) + log_sum_exp(2 * z)))> == 2);
static_assert(!has_table<decltype(mean(softplus(one) - y * one))>);
static_assert(has_table<decltype(mean(log_sum_exp(z) - pick(z, y)))>);
static_assert(has_table<decltype(mean(row_sum(z)))>);
}  // namespace

BOOST_AUTO_TEST_CASE(derivatives_agree_with_central_differences) {
    for (const auto& values : tables) {
        const test_row row{.z = values, .y = static_cast<double>(values.size() - 1), .omega = 0.75, .total = 3};
        check_derivatives(mean(log_sum_exp(z)), row, "log_sum_exp");
        check_derivatives(sum(row_sum(square(z))), row, "row_sum");
        check_derivatives(mean(pick(square(z), y)), row, "pick");
        check_derivatives(mean(log_sum_exp(z) - pick(z, y)), row, "softmax");
        check_derivatives(mean(log_sum_exp(2 * square(0.2 * z)) * row_sum(sigmoid(z))), row, "two reductions");
        check_derivatives(mean(row_sum(square(z - log_sum_exp(z)))), row, "a reduction within a reduction");
        check_derivatives(mean(row_sum(exp(0.1 * z) * log_sum_exp(z) * (z - y))), row,
                          "a value per row stretched over outputs");
    }
}

BOOST_AUTO_TEST_CASE(log_sum_exp_does_not_overflow) {
    const double ln2 = std::log(2.0);
    const auto large = derivatives_at(sum(log_sum_exp(z)), {.z = {1000, 1000}});
    BOOST_TEST(large.value == 1000 + ln2, boost::test_tools::tolerance(1e-15));
    BOOST_TEST(large.slope[0] == 0.5);
    BOOST_TEST(large.slope[1] == 0.5);
    const auto small = derivatives_at(sum(log_sum_exp(z)), {.z = {-1000, -1000}});
    BOOST_TEST(small.value == -1000 + ln2, boost::test_tools::tolerance(1e-15));
    BOOST_TEST(derivatives_at(sum(log_sum_exp(z)), {.z = {-3000, 5}}).value == 5);
}

BOOST_AUTO_TEST_CASE(the_slopes_of_log_sum_exp_are_the_softmax) {
    const std::vector<double> values{0.5, -2, 3, 3};
    double total = 0;
    for (const double v : values) total += std::exp(v);
    const auto d = derivatives_at(sum(log_sum_exp(z)), {.z = values});
    for (std::size_t k = 0; k < values.size(); ++k) close(d.slope[k], std::exp(values[k]) / total, 1e-15, "softmax");
}

BOOST_AUTO_TEST_CASE(pick_reads_the_column_of_the_label) {
    for (std::size_t k = 0; k < 3; ++k) {
        const auto d = derivatives_at(sum(pick(z, y)), {.z = {1.5, 2.5, 4.5}, .y = static_cast<double>(k)});
        BOOST_TEST(d.value == (std::vector{1.5, 2.5, 4.5}[k]));
        for (std::size_t j = 0; j < 3; ++j) BOOST_TEST(d.slope[j] == (j == k ? 1 : 0));
    }
}

BOOST_AUTO_TEST_CASE(sum_and_mean_weigh_the_row) {
    const test_row row{.z = {3.0}, .omega = 2, .total = 10};
    BOOST_TEST(derivatives_at(sum(one), row).value == 6);
    BOOST_TEST(derivatives_at(sum(one), row).slope[0] == 2);
    BOOST_TEST(derivatives_at(mean(one), row).value == 0.6, boost::test_tools::tolerance(1e-15));
    BOOST_TEST(derivatives_at(mean(one), row).slope[0] == 0.2, boost::test_tools::tolerance(1e-15));
}

BOOST_AUTO_TEST_SUITE_END()
