// SPDX-License-Identifier: BSL-1.0
#include <gamut/autodiff/concept.hpp>
#include <gamut/autodiff/dual.hpp>
#include <gamut/autodiff/gradient.hpp>
#include <gamut/autodiff/leaf.hpp>
#include <gamut/autodiff/node.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <vector>

#include "autodiff/row.hpp"

using namespace gamut::autodiff;

BOOST_AUTO_TEST_SUITE(gradient)

namespace {
constexpr data X;
constexpr weights<1> w;
constexpr weights<2> W;
constexpr labels y;

constexpr auto linear = mean(0.5 * square(X * w - y));
constexpr auto logistic = mean(softplus(X * w) - y * (X * w));
constexpr auto softmax = mean(log_sum_exp(X * W) - pick(X * W, y));

constexpr auto huber(double delta) {
    const auto r = X * w - y;
    return mean(choose(abs(r) < delta, 0.5 * square(r), delta * (abs(r) - 0.5 * delta)));
}

// a loss is a total that depends on the weights
static_assert(Loss<decltype(linear)>);
static_assert(Loss<decltype(2 * linear - logistic)>);
static_assert(!Loss<decltype(square(X * w))>);
static_assert(!Loss<decltype(mean(y))>);
static_assert(!Loss<double>);
}  // namespace

BOOST_AUTO_TEST_CASE(losses_of_models_agree_with_central_differences) {
    for (int i = 0; i < 40; ++i) {
        const double x = 6 * std::sin(1.7 * i + 0.3), label = i % 2;
        const test_row row{.z = {x}, .y = label, .omega = 0.5 + i % 3, .total = 11};
        check_derivatives(linear, row, "linear");
        check_derivatives(logistic, row, "logistic");
        check_derivatives(huber(1.25), row, "huber");
        check_derivatives(
            softmax, {.z = {x, std::cos(x), 1 - x, 0.5}, .y = static_cast<double>(i % 4), .omega = 1.5, .total = 7},
            "softmax");
    }
}

BOOST_AUTO_TEST_CASE(known_derivatives) {
    const auto l = derivatives_at(linear, {.z = {2.5}, .y = 1, .omega = 3, .total = 6}, {1.0});
    BOOST_TEST(l.value == 0.5 * 0.5 * 2.25);
    BOOST_TEST(l.slope[0] == 0.5 * 1.5);
    BOOST_TEST(l.curvature[0] == 0.5);
    const auto g = derivatives_at(logistic, {.z = {0.0}, .y = 1}, {2.0});
    BOOST_TEST(g.value == std::log(2.0), boost::test_tools::tolerance(1e-15));
    BOOST_TEST(g.slope[0] == -0.5);
    BOOST_TEST(g.curvature[0] == 0.5);
}

BOOST_AUTO_TEST_CASE(a_row_of_weight_zero_adds_nothing) {
    const auto d = derivatives_at(logistic, {.z = {3.0}, .y = 1, .omega = 0, .total = 5}, {1.0});
    BOOST_TEST(d.value == 0);
    BOOST_TEST(d.slope[0] == 0);
    BOOST_TEST(d.curvature[0] == 0);
}

BOOST_AUTO_TEST_SUITE_END()
