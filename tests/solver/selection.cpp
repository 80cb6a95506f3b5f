// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/core/random.hpp>
#include <gamut/solver/selection.hpp>

using namespace gamut;
namespace selection = solver::selection;
using core::sum_tree;

BOOST_AUTO_TEST_SUITE(solver_selection)

BOOST_AUTO_TEST_CASE(random_draws_every_column_as_often_as_any_other_and_none_twice) {
    sum_tree last(20);
    last.set(3, 1e6);  // is not looked at
    std::vector<double> seen(20, 0.0);
    constexpr std::size_t rounds = 20000;
    for (std::size_t r = 0; r < rounds; ++r) {
        std::vector<std::size_t> columns;
        selection::random{.together = 7}.draw(last, {.seed = 1, .stream = r}, columns);
        BOOST_REQUIRE(columns.size() == 7u);
        for (const std::size_t j : columns) ++seen[j];
        std::sort(columns.begin(), columns.end());
        BOOST_REQUIRE((std::adjacent_find(columns.begin(), columns.end()) == columns.end()));
    }
    for (const double count : seen) BOOST_TEST(std::abs(count / rounds - 0.35) <= 5 * std::sqrt(0.35 * 0.65 / rounds));
    std::vector<std::size_t> all;
    selection::random{.together = 100}.draw(last, {.seed = 1}, all);
    std::sort(all.begin(), all.end());
    for (std::size_t j = 0; j < 20; ++j) BOOST_TEST(all[j] == j);
    BOOST_TEST(all.size() == 20u);
}

BOOST_AUTO_TEST_CASE(scheduled_draws_what_moved_far_and_explores_the_rest) {
    constexpr std::size_t p = 400;
    sum_tree last(p);
    for (std::size_t j = 0; j < 40; ++j) last.set(j, j < 20 ? 10 : 1);
    const auto before = [&] {
        std::vector<double> all;
        for (std::size_t j = 0; j < p; ++j) all.push_back(last[j]);
        return all;
    };
    const std::vector<double> priorities_before = before();
    std::size_t far = 0, near = 0, never = 0;
    for (std::size_t r = 0; r < 5000; ++r) {
        std::vector<std::size_t> columns;
        selection::scheduled{.together = 4, .explore = 0.25}.draw(last, {.seed = 2, .stream = r}, columns);
        BOOST_REQUIRE(columns.size() == 8u);
        for (const std::size_t j : columns) ++(j < 20 ? far : j < 40 ? near : never);
        std::sort(columns.begin(), columns.end());
        BOOST_REQUIRE((std::adjacent_find(columns.begin(), columns.end()) == columns.end()));
    }
    BOOST_TEST((before() == priorities_before));
    BOOST_TEST(never >= 5000u * 2);  // 3 of 8 are drawn uniformly, mostly among the 360
    BOOST_TEST(never <= 5000u * 3);
    BOOST_TEST(far > 6 * near);
    BOOST_TEST(near > 0u);
    // as long as nobody has moved: uniform ones alone, and no endless loop
    std::vector<std::size_t> few;
    sum_tree zeros(p);
    selection::scheduled{.together = 4}.draw(zeros, {.seed = 2}, few);
    BOOST_TEST(few.size() == 1u);
    std::vector<std::size_t> all;
    sum_tree small(3);
    small.set(1, 1);
    selection::scheduled{}.draw(small, {.seed = 2}, all);
    BOOST_TEST(all.size() >= 1u);
    BOOST_TEST(all.size() <= 2u);
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_refused) {
    const auto refused = [](const auto& s, const char* sentence) {
        BOOST_CHECK_EXCEPTION(s.validate(), core::option_error, [&](const core::option_error& e) {
            return std::string(e.what()).find(sentence) != std::string::npos;
        });
    };
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    refused(selection::random{.together = 0}, "together is 0");
    refused(selection::scheduled{.together = 0}, "together is 0");
    refused(selection::scheduled{.together = 8, .candidates = 7}, "candidates is 7");
    refused(selection::scheduled{.correlation = 0}, "correlation is 0");
    refused(selection::scheduled{.correlation = nan}, "correlation is nan");
    refused(selection::scheduled{.explore = 0}, "explore is 0");
    refused(selection::scheduled{.explore = nan}, "explore is nan");
    selection::scheduled{.together = 8, .candidates = 8, .correlation = 2, .explore = 1}.validate();
}

BOOST_AUTO_TEST_SUITE_END()
