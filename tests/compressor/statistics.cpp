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

/// E |x - C(x)|^2 <= (1 - c) |x|^2, to 4 standard deviations of the mean over the draws; where equality holds, equality.
BOOST_AUTO_TEST_CASE(what_is_contracted_leaves_out_what_it_says_on_average) {
    const auto check = [](const auto& c, const std::vector<double>& x, bool equal) {
        constexpr std::uint64_t rounds = 20000;
        double sum = 0, squares = 0, length = 0;
        for (const double entry : x) length += entry * entry;
        memory_of<std::remove_cvref_t<decltype(c)>, double> memory;
        std::vector<double> y(x.size());
        bytes message;
        for (std::uint64_t round = 0; round < rounds; ++round) {
            encode<double>(c, {.round = round, .node = 3}, x, memory, message);
            decode<double>(c, message, y);
            double left = 0;
            for (std::size_t i = 0; i < x.size(); ++i) left += (y[i] - x[i]) * (y[i] - x[i]) / length;
            sum += left / rounds;
            squares += left * left / rounds;
        }
        const double deviation = std::sqrt(std::max(0.0, squares - sum * sum) / rounds);
        const double bound = 1 - contraction(c.compressor, x.size());
        BOOST_TEST(bound < 1);
        BOOST_TEST(sum <= bound + 4 * deviation);
        if (equal) BOOST_TEST(sum >= bound - 4 * deviation);
    };
    std::vector<double> one_of_many(64), alternating(64);
    one_of_many[40] = -5;
    for (std::size_t i = 0; i < alternating.size(); ++i) alternating[i] = i % 2 == 0 ? 3 : -1;
    for (const auto& x : {normals<double>(64), one_of_many, alternating, normals<double>(7)}) {
        check(contracted{random_k{.share = 0.1}}, x, true);
        check(contracted{random_k{.count = 5}}, x, true);
        check(contracted{quantized{}}, x, false);
        check(contracted{quantized{.bits = 2}}, x, false);
        check(contracted{quantized{.bits = 8, .bucket = 16}}, x, false);
    }
}

BOOST_AUTO_TEST_CASE(random_k_that_is_contracted_is_the_numbers_themselves_at_the_places_drawn) {
    const auto x = normals<double>(49);
    for (std::uint64_t round = 0; round < 50; ++round) {
        const auto long_ones = sent(random_k{.share = 0.1}, x, {.round = round}),
                   y = sent(contracted{random_k{.share = 0.1}}, x, {.round = round});
        for (std::size_t i = 0; i < x.size(); ++i) BOOST_TEST(y[i] == (long_ones[i] != 0 ? x[i] : 0));
    }
}

/// E |kept|^2 <= 4 (1 - c) / c^2 max |x|^2, and no growth: the factor left in, |kept| doubles every few rounds.
BOOST_AUTO_TEST_CASE(what_is_kept_stays_bounded) {
    const auto check = [](const auto& c) {
        memory_of<std::remove_cvref_t<decltype(c)>, double> memory;
        bytes message;
        double mean = 0, most = 0;
        constexpr std::uint64_t rounds = 3000;
        for (std::uint64_t round = 0; round < rounds; ++round) {
            const auto x = normals<double>(90, round);
            double length = 0;
            for (const double entry : x) length += entry * entry;
            most = std::max(most, length);
            encode<double>(c, {.round = round}, x, memory, message);
            for (const double entry : memory.kept) mean += entry * entry / rounds;
        }
        const double part = contraction(c.compressor, 90);
        BOOST_TEST(mean <= 4 * (1 - part) / (part * part) * most);
    };
    check(error_feedback{random_k{.share = 0.1}});
    check(error_feedback{random_k{.count = 1}});
    check(error_feedback{quantized{.bits = 2}});
    check(error_feedback{quantized{.bits = 4}});
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
    BOOST_TEST(missing(error_feedback{random_k{.share = 0.1}}) <
               0.2);  // about 60 rounds of 2000, until the last is drawn
    BOOST_TEST(missing(error_feedback{quantized{.bits = 2}}) < 0.1);
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
