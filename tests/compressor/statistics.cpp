// SPDX-License-Identifier: BSL-1.0
// What unbiased compressors are on average, and what error feedback keeps.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "compressors.hpp"

using namespace gamut;
using namespace shipped;

namespace {

/// The mean over many rounds is x, to 4 standard deviations of that mean, in every entry.
void check_unbiased(const auto& c, const std::vector<double>& x) {
    constexpr std::uint64_t rounds = 100000;
    std::vector<double> sum(x.size()), squares(x.size()), y(x.size());
    bytes message;
    for (std::uint64_t round = 0; round < rounds; ++round) {
        encode<double>(c, {.round = round, .node = 1}, x, message);
        decode<double>(c, message, y);
        for (std::size_t i = 0; i < x.size(); ++i) sum[i] += y[i] - x[i], squares[i] += (y[i] - x[i]) * (y[i] - x[i]);
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double count = static_cast<double>(rounds), mean = sum[i] / count;
        const double deviation = std::sqrt(squares[i] / count / count);
        BOOST_TEST(std::abs(mean) <= 4 * deviation + 1e-7 * std::abs(x[i]));  // scales are floats
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(compressor_statistics)

BOOST_AUTO_TEST_CASE(unbiased_ones_are_the_numbers_on_average) {
    const std::vector<double> x{1, -0.01, 0.3, -0.77, 0, 0.5, 2, -1.999};
    check_unbiased(quantized{}, x);
    check_unbiased(quantized{.bits = 2, .bucket = 8}, x);
    check_unbiased(quantized{.bits = 8}, x);
    check_unbiased(random_k{.count = 3}, x);
    check_unbiased(random_k{.share = 0.1}, x);
}

BOOST_AUTO_TEST_CASE(nodes_rounds_and_seeds_draw_differently_and_places_too) {
    const std::vector<double> x(64, 0.5);
    const quantized c{.bits = 2};
    std::vector<double> with_one = x;
    with_one[0] = 1;  // the largest: the others are 0 or 1, each with probability 1/2
    const auto y = sent(c, with_one);
    const auto ones = std::count(y.begin(), y.end(), 1.0);
    BOOST_TEST(ones > 15);
    BOOST_TEST(ones < 50);
    BOOST_TEST(y == sent(c, with_one));
    BOOST_TEST(y != sent(c, with_one, {.round = 1}));
    BOOST_TEST(y != sent(c, with_one, {.node = 1}));
    BOOST_TEST(y != sent(quantized{.bits = 2, .seed = 2}, with_one));
}

BOOST_AUTO_TEST_CASE(quantized_variance_is_within_its_bound) {
    const auto x = normals<double>(256);
    const quantized c{.bits = 4};
    double largest = 0, worst = 0;
    for (const double entry : x) largest = std::max(largest, std::abs(entry));
    for (std::uint64_t round = 0; round < 50; ++round) {
        const auto y = sent(c, x, {.round = round});
        for (std::size_t i = 0; i < x.size(); ++i) worst = std::max(worst, std::abs(y[i] - x[i]));
    }
    BOOST_TEST(worst <= largest / 7 * (1 + 1e-6));
}

BOOST_AUTO_TEST_CASE(what_is_sent_and_what_is_kept_is_what_was_to_be_sent) {
    for_each_remembering([](const auto& c) {
        using C = std::remove_cvref_t<decltype(c)>;
        const auto check = [&](auto zero, double rounding) {
            using T = decltype(zero);
            memory_of<C, T> memory;
            bytes message;
            constexpr std::size_t n = 90;
            for (std::uint64_t round = 0; round < 20; ++round) {
                const auto x = normals<T>(n, round);
                const std::vector<T> before = memory.kept.empty() ? std::vector<T>(n) : memory.kept;
                encode<T>(c, {.round = round}, x, memory, message);
                const auto y = numbers_of<T>(c, message, n);
                for (std::size_t i = 0; i < n; ++i) {
                    const T wanted = x[i] + before[i];
                    // one rounding of wanted - y
                    BOOST_TEST_REQUIRE(std::abs(static_cast<long double>(wanted) - static_cast<long double>(y[i]) -
                                                static_cast<long double>(memory.kept[i])) <=
                                       rounding * std::abs(static_cast<long double>(memory.kept[i])));
                }
            }
        };
        check(0.0f, 0x1p-24);
        check(0.0, 0x1p-53);
    });
}

BOOST_AUTO_TEST_CASE(over_many_rounds_nothing_is_lost_with_feedback_and_much_is_without) {
    const auto missing = [](const auto& c) {
        using C = std::remove_cvref_t<decltype(c)>;
        memory_of<C, double> memory;
        bytes message;
        const auto x = normals<double>(90);
        std::vector<double> total(90), y(90);
        for (std::uint64_t round = 0; round < 2000; ++round) {
            encode<double>(c, {.round = round}, x, memory, message);
            decode<double>(c, message, y);
            for (std::size_t i = 0; i < 90; ++i) total[i] += y[i];
        }
        double worst = 0;
        for (std::size_t i = 0; i < 90; ++i) worst = std::max(worst, std::abs(total[i] / 2000 - x[i]));
        return worst;
    };
    const top_k few{.share = 0.1};
    BOOST_TEST(missing(few) > 0.9);
    BOOST_TEST(missing(error_feedback{few}) < 0.02);
    BOOST_TEST(missing(sign{}) > 1);
    BOOST_TEST(missing(error_feedback{sign{}}) < 0.1);
    BOOST_TEST(missing(low_rank{.rank = 1}) > 0.5);
    BOOST_TEST(missing(error_feedback{low_rank{.rank = 1}}) < 0.05);
    BOOST_TEST(missing(half{}) > 1e-5);
    BOOST_TEST(missing(error_feedback{half{}}) < 1e-6);
}

BOOST_AUTO_TEST_CASE(a_memory_is_for_messages_of_one_length) {
    error_feedback<top_k>::memory<double> memory;
    bytes message;
    const error_feedback<top_k> c;
    encode<double>(c, {}, normals<double>(9), memory, message);
    BOOST_CHECK_THROW(encode<double>(c, {}, normals<double>(10), memory, message), core::shape_error);
}

BOOST_AUTO_TEST_SUITE_END()
