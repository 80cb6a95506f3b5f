// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <gamut/core/random.hpp>
#include <set>
#include <vector>

namespace core = gamut::core;

BOOST_AUTO_TEST_SUITE(random_)

BOOST_AUTO_TEST_CASE(draws_are_those_of_the_published_philox4x32_10) {
    // Random123's kat_vectors: counter, key -> 6627e8d5 e169c58d ..., and the all-ones line 408f276d 41c83b0e ...
    BOOST_TEST(core::random{}.bits(0) == 0xe169c58d6627e8d5u);
    const std::uint64_t ones = ~std::uint64_t{0};
    BOOST_TEST((core::random{.seed = ones, .stream = ones}.bits(ones)) == 0x41c83b0e408f276du);
    // the line with the digits of pi: counter 243f6a88 85a308d3 13198a2e 03707344, key a4093822 299f31d0 -> d16cfe09 94fdcceb
    BOOST_TEST((core::random{.seed = 0x299f31d0a4093822u, .stream = 0x0370734413198a2eu}.bits(0x85a308d3243f6a88u)) ==
               0x94fdccebd16cfe09u);
}

BOOST_AUTO_TEST_CASE(seed_stream_and_index_all_matter) {
    std::set<std::uint64_t> seen;
    for (std::uint64_t seed = 0; seed < 10; ++seed)
        for (std::uint64_t stream = 0; stream < 10; ++stream)
            for (std::uint64_t index = 0; index < 10; ++index) seen.insert(core::random{seed, stream}.bits(index));
    BOOST_TEST(seen.size() == 1000u);
}

BOOST_AUTO_TEST_CASE(uniform_lies_in_the_half_open_unit_interval_and_fills_it_evenly) {
    const core::random source{.seed = 1};
    std::array<int, 10> counts{};
    for (std::uint64_t i = 0; i < 100000; ++i) {
        const double u = source.uniform(i);
        BOOST_REQUIRE(u >= 0);
        BOOST_REQUIRE(u < 1);
        ++counts[static_cast<std::size_t>(10 * u)];
    }
    for (const int count : counts) BOOST_TEST(std::abs(count - 10000) < 500);  // 5 standard deviations: 474
}

BOOST_AUTO_TEST_CASE(normal_has_the_moments_and_tails_of_the_standard_normal) {
    const core::random source{.seed = 2};
    const int n = 200000;
    double sum = 0, squares = 0, fourth = 0;
    int beyond_two = 0;
    for (std::uint64_t i = 0; i < n; ++i) {
        const double x = source.normal(i);
        BOOST_REQUIRE(std::isfinite(x));
        sum += x;
        squares += x * x;
        fourth += x * x * x * x;
        beyond_two += std::fabs(x) > 2;
    }
    BOOST_TEST(std::fabs(sum / n) < 5 / std::sqrt(n));
    BOOST_TEST(std::fabs(squares / n - 1) < 5 * std::sqrt(2. / n));
    BOOST_TEST(std::fabs(fourth / n - 3) < 5 * std::sqrt(96. / n));
    BOOST_TEST(std::fabs(beyond_two / static_cast<double>(n) - 0.0455) < 0.0025);
}

BOOST_AUTO_TEST_CASE(below_stays_below_and_reaches_every_number_equally_often) {
    const core::random source{.seed = 3};
    std::array<int, 7> counts{};
    for (std::uint64_t i = 0; i < 70000; ++i) ++counts.at(source.below(i, 7));
    for (const int count : counts) BOOST_TEST(std::abs(count - 10000) < 470);
    for (std::uint64_t i = 0; i < 100; ++i) BOOST_TEST(source.below(i, 1) == 0u);
}

BOOST_AUTO_TEST_CASE(below_is_unbiased_where_a_plain_product_would_not_be) {
    // n = 3/4 2^64: without rejection a third of the results would be twice as likely; every result in the middle third
    // of [0, n) has to come up as often as one in the others
    const core::random source{.seed = 4};
    const std::uint64_t n = 3u * (std::uint64_t{1} << 62);
    std::array<int, 3> residues{};
    for (std::uint64_t i = 0; i < 30000; ++i) {
        const std::uint64_t x = source.below(i, n);
        BOOST_REQUIRE(x < n);
        ++residues[x % 3];
    }
    for (const int count : residues) BOOST_TEST(std::abs(count - 10000) < 410);
}

BOOST_AUTO_TEST_CASE(below_zero_is_refused) { BOOST_CHECK_THROW(core::random{}.below(0, 0), core::option_error); }

BOOST_AUTO_TEST_CASE(a_permutation_holds_every_number_once) {
    for (const std::size_t n : {0, 1, 2, 10, 1000}) {
        auto order = core::permutation(core::random{.seed = 9}, n);
        std::sort(order.begin(), order.end());
        for (std::size_t i = 0; i < n; ++i) BOOST_TEST(order[i] == i);
        BOOST_TEST(order.size() == n);
    }
}

BOOST_AUTO_TEST_CASE(every_permutation_of_three_is_equally_likely) {
    std::array<int, 9> counts{};
    for (std::uint64_t stream = 0; stream < 12000; ++stream) {
        const auto order = core::permutation(core::random{.seed = 8, .stream = stream}, 3);
        ++counts[order[0] * 3 + order[1]];
    }
    for (const std::size_t place : {1, 2, 3, 5, 6, 7}) BOOST_TEST(std::abs(counts[place] - 2000) < 210);
}

BOOST_AUTO_TEST_SUITE_END()
