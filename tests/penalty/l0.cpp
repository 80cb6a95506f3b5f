// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include <gamut/penalty/l0.hpp>

using namespace gamut;
using penalty::l0;
using penalty::layout;
using penalty::support;

namespace {

using vector = std::vector<double>;

vector prox(const l0& p, const vector& v, double step, layout shape) {
    vector z(v.size());
    p.prox(std::span<const double>(v), step, std::span<double>(z), shape);
    return z;
}

double prox_objective(const l0& p, const vector& z, const vector& v, double step, layout shape) {
    double distance = 0;
    for (std::size_t j = 0; j < v.size(); ++j) distance += (z[j] - v[j]) * (z[j] - v[j]);
    return p.value(std::span<const double>(z), shape) + distance / (2 * step);
}

/// One weight's minimiser over the non-zeros, by golden section: knows nothing of thresholds.
double best_weight(const l0& p, double v, double step) {
    const auto f = [&](double z) { return p.l1 * std::abs(z) + 0.5 * p.l2 * z * z + (z - v) * (z - v) / (2 * step); };
    double low = std::max(p.lower, -20.0), high = std::min(p.upper, 20.0);
    const double ratio = (std::sqrt(5.0) - 1) / 2;
    for (int i = 0; i < 200; ++i) {
        const double a = high - ratio * (high - low), b = low + ratio * (high - low);
        if (f(a) < f(b))
            high = b;
        else
            low = a;
    }
    return (low + high) / 2;
}

/// The least criterion over all supports, one by one.
double enumerate(const l0& p, const vector& v, double step, layout shape) {
    double least = std::numeric_limits<double>::infinity();
    vector best(v.size());
    for (std::size_t j = 0; j < v.size(); ++j) best[j] = best_weight(p, v[j], step);
    for (std::uint32_t chosen = 0; chosen < (1u << v.size()); ++chosen) {
        vector z(v.size());
        for (std::size_t j = 0; j < v.size(); ++j)
            if (chosen >> j & 1u) z[j] = best[j];
        least = std::min(least, prox_objective(p, z, v, step, shape));
    }
    return least;
}

std::size_t nonzeros(const vector& z) {
    return static_cast<std::size_t>(std::count_if(z.begin(), z.end(), [](double x) { return x != 0; }));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(penalty_l0)

BOOST_AUTO_TEST_CASE(prox_equals_full_enumeration_with_every_option) {
    std::mt19937_64 engine(2);
    std::normal_distribution<double> normal;
    const layout shape{.features = 5, .outputs = 2};
    int cases = 0;
    for (const support over : {support::entries, support::per_output, support::rows})
        for (const std::size_t kappa : {0u, 1u, 2u, 3u, 7u})
            for (const double l1 : {0.0, 0.3})
                for (const double l2 : {0.0, 0.8})
                    for (const double bound : {0.45, std::numeric_limits<double>::infinity()})
                        for (const bool with_free : {false, true}) {
                            l0 p{.kappa = kappa, .l2 = l2, .l1 = l1, .lower = -bound / 2, .upper = bound, .over = over};
                            if (with_free) p.free = {3, 0};
                            vector v(shape.size());
                            for (double& x : v) x = normal(engine);
                            const double step = 0.2 + 0.1 * (cases++ % 9);
                            const auto z = prox(p, v, step, shape);
                            const double found = prox_objective(p, z, v, step, shape);
                            BOOST_TEST(std::abs(found - enumerate(p, v, step, shape)) <= 1e-12 * (1 + found));
                        }
    BOOST_TEST(cases == 240);
}

BOOST_AUTO_TEST_CASE(groups_are_kept_as_the_enumeration_keeps_them) {
    std::mt19937_64 engine(5);
    std::normal_distribution<double> normal;
    int cases = 0;
    for (const std::size_t outputs : {1u, 2u})
        for (const std::vector<std::size_t>& sizes :
             {std::vector<std::size_t>{2, 1, 3}, {1, 1, 1, 1, 1, 1}, {3, 3}, {6}, {1, 4, 1}})
            for (const std::size_t kappa : {0u, 1u, 2u, 3u, 7u})
                for (const double l1 : {0.0, 0.3})
                    for (const bool with_free : {false, true}) {
                        if (outputs == 2 && l1 > 0) continue;
                        const layout shape{.features = 6, .outputs = outputs};
                        l0 p{.kappa = kappa, .l2 = 0.8, .l1 = l1, .lower = -0.4, .sizes = sizes};
                        if (with_free)  // the last group
                            for (std::size_t i = 0; i < sizes.back(); ++i) p.free.push_back(5 - i);
                        p.validate(shape);
                        vector v(shape.size());
                        for (double& x : v) x = normal(engine);
                        const double step = 0.2 + 0.1 * (cases++ % 9);
                        const auto z = prox(p, v, step, shape);
                        const double found = prox_objective(p, z, v, step, shape);
                        BOOST_TEST(std::abs(found - enumerate(p, v, step, shape)) <= 1e-12 * (1 + found));
                    }
    BOOST_TEST(cases == 150);
}

BOOST_AUTO_TEST_CASE(groups_of_one_feature_are_entries_or_rows) {
    std::mt19937_64 engine(6);
    std::normal_distribution<double> normal;
    for (const std::size_t outputs : {1u, 3u})
        for (std::size_t kappa = 0; kappa <= 5; ++kappa) {
            const layout shape{.features = 5, .outputs = outputs};
            vector v(shape.size());
            for (double& x : v) x = normal(engine);
            BOOST_TEST(prox({.kappa = kappa, .l2 = 1, .sizes = {1, 1, 1, 1, 1}}, v, 0.3, shape) ==
                           prox({.kappa = kappa, .l2 = 1, .over = support::rows}, v, 0.3, shape),
                       boost::test_tools::per_element());
        }
    // (3, 4) and (0, 5, 0) are worth the same; the lower index stays
    const vector first{3, 4, 0, 0, 0};
    BOOST_TEST(prox({.kappa = 1, .sizes = {2, 3}}, {3, 4, 0, 5, 0}, 1, {.features = 5}) == first,
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(ties_keep_the_lower_index_and_exactly_kappa) {
    for (std::size_t kappa = 0; kappa <= 6; ++kappa) {
        const auto z = prox({.kappa = kappa}, {1, -1, 1, 1, -1, 1}, 1, {.features = 6});
        BOOST_TEST(nonzeros(z) == kappa);
        for (std::size_t j = 0; j < 6; ++j) BOOST_TEST((z[j] != 0) == (j < kappa));
    }
    // the largest wins, then the first of the equal ones
    const vector expected{2, 0, 3, 0, 0};
    BOOST_TEST(prox({.kappa = 2}, {2, 2, 3, 2, 1}, 1, {.features = 5}) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(ties_over_outputs_and_rows_keep_the_lower_index) {
    const layout shape{.features = 3, .outputs = 2};
    const vector v{1, 2, 1, -2, -1, 2};
    const vector per_output{1, 2, 0, 0, 0, 0};
    BOOST_TEST(prox({.kappa = 1, .over = support::per_output}, v, 1, shape) == per_output,
               boost::test_tools::per_element());
    // rows (3, 4) and (5, 0) have the same gain, 25/2
    const vector rows{3, 4, 0, 0, 0, 0};
    BOOST_TEST(prox({.kappa = 1, .over = support::rows}, {3, 4, 5, 0, 1, 1}, 1, shape) == rows,
               boost::test_tools::per_element());
    const vector swapped{5, 0, 0, 0, 0, 0};
    BOOST_TEST(prox({.kappa = 1, .over = support::rows}, {5, 0, 3, 4, 1, 1}, 1, shape) == swapped,
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(free_features_are_kept_and_not_counted) {
    const vector expected{0, 0.5, 0, 4, 0};
    BOOST_TEST(prox({.kappa = 1, .free = {1}}, {1, 0.5, 2, 4, 3}, 1, {.features = 5}) == expected,
               boost::test_tools::per_element());
    const vector only_free{0, 0.5, 0, 0, 0};
    BOOST_TEST(prox({.kappa = 0, .free = {1}}, {1, 0.5, 2, 4, 3}, 1, {.features = 5}) == only_free,
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(kappa_of_all_entries_is_the_plain_prox) {
    const vector v{1, -0.2, 2, 4, 3};
    const vector expected{0.25, 0, 0.75, 1.75, 1.25};
    BOOST_TEST(prox({.kappa = 5, .l2 = 2, .l1 = 1}, v, 0.5, {.features = 5}) == expected,
               boost::test_tools::per_element());
    BOOST_TEST(prox({.kappa = 500, .l2 = 2, .l1 = 1}, v, 0.5, {.features = 5}) == expected,
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(bounds_change_which_weights_are_worth_keeping) {
    // 3 may only become 0.1: it is worth less than the -1
    const vector expected{0, -1};
    BOOST_TEST(prox({.kappa = 1, .upper = 0.1}, {3, -1}, 1, {.features = 2}) == expected,
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(huge_and_tiny_scales_select_the_same_support) {
    std::mt19937_64 engine(3);
    std::normal_distribution<double> normal;
    vector v(40);
    for (double& x : v) x = normal(engine);
    const auto reference = prox({.kappa = 7}, v, 1, {.features = 40});
    for (const double scale : {1e-300, 1e-150, 1e150, 1e300}) {
        auto scaled = v;
        for (double& x : scaled) x *= scale;
        const auto z = prox({.kappa = 7}, scaled, 1, {.features = 40});
        for (std::size_t j = 0; j < v.size(); ++j) BOOST_TEST((z[j] != 0) == (reference[j] != 0));
    }
}

BOOST_AUTO_TEST_CASE(value_is_infinite_outside_and_the_strengths_inside) {
    const layout shape{.features = 3, .outputs = 2};
    const vector w{1, -2, 0, 0, 0, 3};
    const auto value = [&](const l0& p) { return p.value(std::span<const double>(w), shape); };
    BOOST_TEST(value({.kappa = 3, .l2 = 2, .l1 = 10}) == 60 + 14);
    BOOST_TEST(std::isinf(value({.kappa = 2})));
    BOOST_TEST(value({.kappa = 2, .free = {2}}) == 0);
    BOOST_TEST(value({.kappa = 2, .over = support::rows}) == 0);
    BOOST_TEST(std::isinf(value({.kappa = 1, .over = support::rows})));
    BOOST_TEST(value({.kappa = 2, .over = support::per_output}) == 0);
    BOOST_TEST(std::isinf(value({.kappa = 1, .over = support::per_output})));
    BOOST_TEST(value({.kappa = 2, .sizes = {2, 1}}) == 0);
    BOOST_TEST(std::isinf(value({.kappa = 1, .sizes = {2, 1}})));
    BOOST_TEST(value({.kappa = 1, .free = {2}, .sizes = {2, 1}}) == 0);
    BOOST_TEST(value({.kappa = 1, .sizes = {3}}) == 0);
    BOOST_TEST(std::isinf(value({.kappa = 3, .lower = -1})));
    BOOST_TEST(std::isinf(value({.kappa = 3, .upper = 2})));
}

// Sixteen times the numbers may take half as much again per number, not sixteen times; ties must not hurt either.
BOOST_AUTO_TEST_CASE(selection_takes_no_quadratic_time) {
    std::mt19937_64 engine(4);
    std::normal_distribution<double> normal;
    const auto seconds = [&](const vector& v) {
        double least = 1e9;
        for (int repeat = 0; repeat < 3; ++repeat) {
            const auto start = std::chrono::steady_clock::now();
            const auto z = prox({.kappa = v.size() / 2}, v, 1, {.features = v.size()});
            least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
            BOOST_TEST_REQUIRE(nonzeros(z) == v.size() / 2);
        }
        return least;
    };
    vector small(1 << 16), large(1 << 20);
    for (double& x : small) x = normal(engine);
    for (double& x : large) x = normal(engine);
    const vector equal(1 << 20, 1.0);
    const double unit = 16 * seconds(small);
    BOOST_TEST(seconds(large) <= 8 * unit);
    BOOST_TEST(seconds(equal) <= 8 * unit);
}

BOOST_AUTO_TEST_SUITE_END()
