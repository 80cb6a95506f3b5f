// SPDX-License-Identifier: BSL-1.0
// The rules against their papers' formulas, by hand and by loops of their own; what distinguishes them; options.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include <gamut/core/random.hpp>
#include <gamut/update/adagrad.hpp>
#include <gamut/update/adam.hpp>
#include <gamut/update/adamw.hpp>
#include <gamut/update/amsgrad.hpp>
#include <gamut/update/clip.hpp>
#include <gamut/update/momentum.hpp>
#include <gamut/update/nesterov.hpp>
#include <gamut/update/plain.hpp>
#include <gamut/update/rmsprop.hpp>

#include "reference.hpp"

using namespace gamut;

namespace {

/// The weight after each step from w, the gradients given.
template <class R>
std::vector<double> path(const R& rule, double w, double rate, const std::vector<double>& gradients) {
    std::vector<double> memory(R::slots), result;
    std::size_t k = 0;
    for (double g : gradients) {
        update::direct(rule, ++k, std::abs(g), std::span<const double>(&w, 1), std::span(&g, 1), std::span(memory));
        w -= rate * g;
        result.push_back(w);
    }
    return result;
}

std::vector<double> random_gradients(std::size_t n) {
    const core::random draws{.seed = 11};
    std::vector<double> g(n);
    for (std::size_t i = 0; i < n; ++i) g[i] = draws.normal(i) * (i % 7 == 3 ? 20 : 1);
    return g;
}

template <class R, class Reference> void agree(const R& rule, const Reference& by_hand) {
    const auto gradients = random_gradients(60);
    const auto found = path(rule, 0.75, 0.05, gradients);
    const auto expected = reference::run(by_hand, 0.75L, 0.05L, gradients);
    for (std::size_t k = 0; k < found.size(); ++k)
        BOOST_TEST(std::abs(found[k] - static_cast<double>(expected[k])) <= 1e-13 * (1 + std::abs(found[k])));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(update_formulas)

BOOST_AUTO_TEST_CASE(rules_are_those_of_their_papers) {
    agree(update::plain{}, reference::plain{});
    agree(update::momentum{}, reference::heavy_ball{.mu = 0.9L});
    agree(update::momentum{.momentum = 0.5}, reference::heavy_ball{.mu = 0.5L});
    agree(update::nesterov{}, reference::nesterov{.mu = 0.9L});
    agree(update::nesterov{.momentum = 0.3}, reference::nesterov{.mu = 0.3L});
    agree(update::adagrad{}, reference::adagrad{.epsilon = 1e-10L});
    agree(update::adagrad{.epsilon = 0.1}, reference::adagrad{.epsilon = 0.1L});
    agree(update::rmsprop{}, reference::rmsprop{.decay = 0.9L, .epsilon = 1e-8L});
    agree(update::rmsprop{.decay = 0.6, .epsilon = 0.2}, reference::rmsprop{.decay = 0.6L, .epsilon = 0.2L});
    agree(update::adam{}, reference::adam{.first = 0.9L, .second = 0.999L, .epsilon = 1e-8L});
    agree(update::adam{.first = 0.5, .second = 0.7, .epsilon = 0.3},
          reference::adam{.first = 0.5L, .second = 0.7L, .epsilon = 0.3L});
    agree(update::adamw{}, reference::adam{.first = 0.9L, .second = 0.999L, .epsilon = 1e-8L, .decay = 0.01L});
    agree(update::adamw{.decay = 0.5},
          reference::adam{.first = 0.9L, .second = 0.999L, .epsilon = 1e-8L, .decay = 0.5L});
    for (const bool corrected : {true, false})
        agree(update::amsgrad{.corrected = corrected},
              reference::amsgrad{.first = 0.9L, .second = 0.999L, .epsilon = 1e-8L, .corrected = corrected});
}

BOOST_AUTO_TEST_CASE(two_steps_by_hand) {
    // a server's two steps: three workers add 1, 2, 3, the mean is 2
    const auto server = path(update::momentum{}, 0, 0.5, {2, 2});
    BOOST_TEST(server[0] == -1);
    BOOST_TEST(std::abs(server[1] + 2.9) <= 1e-15);
    const auto ahead = path(update::nesterov{.momentum = 0.5}, 0, 1, {1, 2});  // v 1, d 1.5; v 2.5, d 3.25
    BOOST_TEST(ahead[0] == -1.5);
    BOOST_TEST(ahead[1] == -4.75);
    const auto squares = path(update::adagrad{}, 0, 1, {3, 4});  // 3/3, 4/5
    BOOST_TEST(std::abs(squares[0] + 1) <= 1e-9);
    BOOST_TEST(std::abs(squares[1] + 1.8) <= 1e-9);
    const auto root = path(update::rmsprop{.decay = 0.75}, 0, 1, {4, 2});  // s 4: 4/2; s 4: 2/2
    BOOST_TEST(std::abs(root[0] + 2) <= 1e-7);
    BOOST_TEST(std::abs(root[1] + 3) <= 1e-7);
    // m 1, v 1, corrected 2 and 4: 2/2; then m 3.5 / (3/4), v 9.75 / (7/16)
    const auto moments = path(update::adam{.first = 0.5, .second = 0.75}, 0, 1, {2, 6});
    BOOST_TEST(std::abs(moments[0] + 1) <= 1e-7);
    BOOST_TEST(std::abs(moments[1] + 1 + (3.5 / 0.75) / std::sqrt(9.75 / 0.4375)) <= 1e-7);
}

BOOST_AUTO_TEST_CASE(the_first_step_of_adam_has_the_rates_length_whatever_the_gradient_is) {
    for (const double g : {1e-3, 0.5, -2.0, 1e6}) {
        BOOST_TEST(std::abs(path(update::adam{}, 0, 0.01, {g})[0] + std::copysign(0.01, g)) <= 1e-6);
        BOOST_TEST(std::abs(path(update::amsgrad{}, 0, 0.01, {g})[0] + std::copysign(0.01, g)) <= 1e-6);
    }
}

BOOST_AUTO_TEST_CASE(amsgrad_is_adam_until_gradients_shrink) {
    const std::vector<double> growing{1, 1.5, 2, 3, 5};
    const auto a = path(update::adam{}, 0, 0.1, growing), b = path(update::amsgrad{}, 0, 0.1, growing);
    BOOST_TEST(a == b, boost::test_tools::per_element());
    std::vector<double> shrinking{100};
    shrinking.resize(2000, 1.0);
    const auto c = path(update::adam{}, 0, 0.1, shrinking), d = path(update::amsgrad{}, 0, 0.1, shrinking);
    BOOST_TEST(std::abs(c.back() - c[1998]) > 1.5 * std::abs(d.back() - d[1998]));  // Adam forgets the 100
}

/// Reddi, Kale, Kumar, theorem 1: f_t(w) = C w every third step, -w otherwise, on [-1, 1]; the best w is -1. Adam with
/// first = 0, second = 1 / (1 + C^2) goes to 1; AMSGrad goes to -1.
BOOST_AUTO_TEST_CASE(amsgrad_converges_where_adam_goes_to_the_worst_point) {
    const double c = 4;
    const auto last = [&](const auto& rule) {
        double w = 0;
        std::vector<double> memory(std::remove_cvref_t<decltype(rule)>::slots);
        for (std::size_t t = 1; t <= 30000; ++t) {
            double g = t % 3 == 1 ? c : -1;
            update::direct(rule, t, 0.0, std::span<const double>(&w, 1), std::span(&g, 1), std::span(memory));
            w = std::clamp(w - 0.5 / std::sqrt(static_cast<double>(t)) * g, -1.0, 1.0);
        }
        return w;
    };
    BOOST_TEST(last(update::adam{.first = 0, .second = 1 / (1 + c * c)}) > 0.9);
    BOOST_TEST(last(update::amsgrad{.first = 0, .second = 1 / (1 + c * c)}) < -0.9);
    BOOST_TEST(last(update::amsgrad{.first = 0, .second = 1 / (1 + c * c), .corrected = false}) < -0.9);
}

BOOST_AUTO_TEST_CASE(decoupled_decay_shrinks_weights_that_have_no_gradient) {
    const auto shrunk = path(update::adamw{.decay = 0.5}, 8, 0.1, {0, 0, 0});
    BOOST_TEST(std::abs(shrunk[2] - 8 * 0.95 * 0.95 * 0.95) <= 1e-14);
    BOOST_TEST(path(update::adam{}, 8, 0.1, {0, 0, 0})[2] == 8);
}

BOOST_AUTO_TEST_CASE(clipped_gradients_keep_their_direction_and_have_the_length_asked_for) {
    const std::vector<double> w(2);
    std::vector<double> none;
    const auto clipped = [&](std::vector<double> g, double length) {
        update::direct(update::clip{.norm = 2.5}, 1, length, std::span<const double>(w), std::span(g), std::span(none));
        return g;
    };
    BOOST_TEST(clipped({3, 4}, 5) == (std::vector<double>{1.5, 2}), boost::test_tools::per_element());
    BOOST_TEST(clipped({0.3, 0.4}, 0.5) == (std::vector<double>{0.3, 0.4}), boost::test_tools::per_element());
    BOOST_TEST(clipped({0, 0}, 0) == (std::vector<double>{0, 0}), boost::test_tools::per_element());
    BOOST_TEST(clipped({3, 4}, 40) == (std::vector<double>{0.1875, 0.25}),
               boost::test_tools::per_element());  // of a whole
    const double infinity = std::numeric_limits<double>::infinity();
    BOOST_TEST(std::isnan(clipped({infinity, 1}, infinity)[0]));

    std::vector<double> g{30, 40}, memory{1, 2};
    update::direct(update::clip{.rule = update::momentum{.momentum = 0.5}, .norm = 5}, 1, 50,
                   std::span<const double>(w), std::span(g), std::span(memory));
    BOOST_TEST(g == (std::vector<double>{3.5, 5}), boost::test_tools::per_element());
    BOOST_TEST(memory == g, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(bad_options_are_errors) {
    const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    for (const double bad : {-0.1, 1.0, 2.0, nan}) {
        BOOST_CHECK_THROW(update::validate(update::momentum{bad}), core::option_error);
        BOOST_CHECK_THROW(update::validate(update::nesterov{bad}), core::option_error);
        BOOST_CHECK_THROW(update::validate(update::rmsprop{.decay = bad}), core::option_error);
        BOOST_CHECK_THROW(update::validate(update::adam{.first = bad}), core::option_error);
        BOOST_CHECK_THROW(update::validate(update::adam{.second = bad}), core::option_error);
        BOOST_CHECK_THROW(update::validate(update::adamw{.first = bad}), core::option_error);
        BOOST_CHECK_THROW(update::validate(update::amsgrad{.second = bad}), core::option_error);
        BOOST_CHECK_THROW(update::validate(update::clip{.rule = update::momentum{bad}}), core::option_error);
    }
    for (const double bad : {-1.0, 0.0, nan, infinity}) {
        BOOST_CHECK_THROW(update::validate(update::adagrad{bad}), core::option_error);
        BOOST_CHECK_THROW(update::validate(update::rmsprop{.epsilon = bad}), core::option_error);
        BOOST_CHECK_THROW(update::validate(update::adam{.epsilon = bad}), core::option_error);
        BOOST_CHECK_THROW(update::validate(update::adamw{.epsilon = bad}), core::option_error);
        BOOST_CHECK_THROW(update::validate(update::amsgrad{.epsilon = bad}), core::option_error);
        BOOST_CHECK_THROW(update::validate(update::clip{.norm = bad}), core::option_error);
    }
    BOOST_CHECK_THROW(update::validate(update::adamw{.decay = -1}), core::option_error);
    update::validate(update::adamw{.decay = 0});
}

BOOST_AUTO_TEST_SUITE_END()
