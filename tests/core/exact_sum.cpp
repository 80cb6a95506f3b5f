// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <gamut/core/exact_sum.hpp>
#include <gamut/core/random.hpp>
#include <limits>
#include <span>
#include <vector>

namespace core = gamut::core;

namespace {

using rows = std::vector<std::vector<double>>;

// The three steps as ranks would take them: `owner[i]` is the rank of row i.
std::vector<double> exact_sum(const rows& partials, std::size_t columns, const std::vector<std::size_t>& owner,
                              std::size_t ranks) {
    std::vector<std::vector<double>> mine(ranks);
    std::vector<std::size_t> count(ranks, 0);
    for (std::size_t i = 0; i < partials.size(); ++i) {
        mine[owner[i]].insert(mine[owner[i]].end(), partials[i].begin(), partials[i].end());
        ++count[owner[i]];
    }
    std::vector<std::int32_t> agreed(columns, std::numeric_limits<std::int32_t>::min()), local(columns);
    for (std::size_t r = 0; r < ranks; ++r) {
        core::exponents(mine[r], count[r], local);
        for (std::size_t j = 0; j < columns; ++j) agreed[j] = std::max(agreed[j], local[j]);
    }
    std::vector<std::int64_t> total(columns, 0), part(columns);
    for (std::size_t r = 0; r < ranks; ++r) {
        core::quantize(mine[r], count[r], agreed, part);
        for (std::size_t j = 0; j < columns; ++j)
            total[j] =
                static_cast<std::int64_t>(static_cast<std::uint64_t>(total[j]) + static_cast<std::uint64_t>(part[j]));
    }
    std::vector<double> out(columns);
    core::restore(total, agreed, out);
    return out;
}

double exact_sum(const std::vector<double>& numbers) {
    rows column;
    for (const double x : numbers) column.push_back({x});
    return exact_sum(column, 1, std::vector<std::size_t>(numbers.size(), 0), 1)[0];
}

rows random_rows(std::size_t count, std::size_t columns, std::uint64_t seed, int spread) {
    const core::random source{.seed = seed};
    rows made(count, std::vector<double>(columns));
    for (std::size_t i = 0; i < count; ++i)
        for (std::size_t j = 0; j < columns; ++j) {
            const std::uint64_t index = 2 * (i * columns + j);
            const int exponent =
                static_cast<int>(source.below(index, 2 * static_cast<std::uint64_t>(spread) + 1)) - spread;
            made[i][j] = std::ldexp(source.normal(index + 1), exponent);
        }
    return made;
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double x, double y) {
        return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
    });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(exact_sum_)

BOOST_AUTO_TEST_CASE(any_order_and_any_grouping_give_the_same_bits) {
    for (const int spread : {0, 3, 40, 300, 1000}) {
        const std::size_t count = 61, columns = 1100;  // more than two blocks of columns
        const rows partials = random_rows(count, columns, 7, spread);
        const auto reference = exact_sum(partials, columns, std::vector<std::size_t>(count, 0), 1);
        for (std::uint64_t trial = 0; trial < 12; ++trial) {
            const core::random source{.seed = 11, .stream = trial};
            rows shuffled;
            for (const std::size_t i : core::permutation(source, count)) shuffled.push_back(partials[i]);
            const std::size_t ranks = 1 + trial;
            std::vector<std::size_t> owner(count);
            for (std::size_t i = 0; i < count; ++i) owner[i] = source.below(1000 + i, ranks);
            BOOST_TEST(same_bits(exact_sum(shuffled, columns, owner, ranks), reference));
        }
    }
}

BOOST_AUTO_TEST_CASE(error_is_below_count_times_the_largest_partial_times_two_to_minus_51) {
    for (const int spread : {0, 2, 20}) {
        for (const std::size_t count : {1, 2, 16, 64, 1024}) {
            const std::size_t columns = 50;
            const rows partials = random_rows(count, columns, 3 + count, spread);
            const auto sums = exact_sum(partials, columns, std::vector<std::size_t>(count, 0), 1);
            for (std::size_t j = 0; j < columns; ++j) {
                long double truth = 0, largest = 0;
                for (const auto& row : partials) {
                    truth += row[j];
                    largest = std::max<long double>(largest, std::fabs(row[j]));
                }
                const long double bound = largest * static_cast<long double>(count) * 0x1p-51L +
                                          std::fabs(truth) * 0x1p-53L;  // the second: the result is a double
                BOOST_TEST(std::fabs(static_cast<long double>(sums[j]) - truth) <= bound);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(one_partial_keeps_its_51_leading_bits_and_its_sign) {
    const core::random source{.seed = 5};
    for (std::uint64_t i = 0; i < 2000; ++i) {
        const double x = std::ldexp(source.normal(i), static_cast<int>(source.below(5000 + i, 2040)) - 1020);
        if (std::fabs(x) < 0x1p-1022) continue;
        BOOST_TEST(std::fabs(exact_sum({x}) - x) <= std::fabs(x) * 0x1p-51);
    }
}

BOOST_AUTO_TEST_CASE(counts_are_exact) {
    std::vector<double> counts(1000, 50e6);
    BOOST_TEST(exact_sum(counts) == 50e9);
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = static_cast<double>(i * i * i);
    BOOST_TEST(exact_sum(counts) == 249500250000.0);  // (999 * 1000 / 2)^2
    BOOST_TEST(exact_sum({50e6, 1, 1, 1}) == 50000003.0);
}

BOOST_AUTO_TEST_CASE(cancellation_leaves_what_is_left) {
    BOOST_TEST(exact_sum({1e15, 3, -1e15}) == 3.0);
    BOOST_TEST(exact_sum({0x1p49, 0.5, -0x1p49}) == 0.5);
    BOOST_TEST(exact_sum({1.5, -1.5}) == 0.0);
    BOOST_TEST(!std::signbit(exact_sum({1.5, -1.5})));
}

BOOST_AUTO_TEST_CASE(a_partial_that_is_not_finite_makes_its_entry_nan_and_no_other) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    for (const double bad : {infinity, -infinity, nan, -nan}) {
        for (const std::size_t place : {0, 1, 2}) {
            rows partials(3, {1.0, 2.0, 3.0});
            partials[place][1] = bad;
            for (const std::size_t ranks : {1, 3}) {
                std::vector<std::size_t> owner{0, 1 % ranks, 2 % ranks};
                const auto sums = exact_sum(partials, 3, owner, ranks);
                BOOST_TEST(sums[0] == 3.0);
                BOOST_TEST(std::isnan(sums[1]));
                BOOST_TEST(sums[2] == 9.0);
            }
        }
    }
    BOOST_TEST(std::isnan(exact_sum({infinity, -infinity})));
    BOOST_TEST(std::isnan(exact_sum({nan, infinity, 1})));
}

BOOST_AUTO_TEST_CASE(subnormal_partials_are_summed_exactly_among_themselves) {
    constexpr double least = std::numeric_limits<double>::denorm_min();
    BOOST_TEST(exact_sum({least}) == least);
    BOOST_TEST(exact_sum({least, least, least}) == 3 * least);
    BOOST_TEST(exact_sum({least, -least}) == 0.0);
    BOOST_TEST(exact_sum({0x1p-1023, least}) - 0x1p-1023 <= least);
    BOOST_TEST(exact_sum({0x1p-1024, least}) == 0x1p-1024 + least);
    BOOST_TEST(exact_sum({0x1p-1022, 0x1p-1022}) == 0x1p-1021);
    BOOST_TEST(exact_sum({1.0, least}) == 1.0);
}

BOOST_AUTO_TEST_CASE(huge_partials_may_overflow_on_the_way_but_not_in_the_result) {
    BOOST_TEST(exact_sum({1e300, 1e300}) == 2e300, boost::test_tools::tolerance(1e-15));
    BOOST_TEST(exact_sum({-1e300}) == -1e300, boost::test_tools::tolerance(1e-15));
    BOOST_TEST(exact_sum({0x1p1023, 0x1p1023, -0x1p1023}) == 0x1p1023);
    BOOST_TEST(std::isinf(exact_sum({0x1p1023, 0x1p1023})));  // the true sum is no double
    BOOST_TEST(exact_sum({1e300, 1e-300}) == exact_sum(std::vector<double>{1e300}));
}

BOOST_AUTO_TEST_CASE(zero_columns_and_missing_rows_give_zero) {
    BOOST_TEST(exact_sum({0.0, -0.0, 0.0}) == 0.0);
    BOOST_TEST(exact_sum({}) == 0.0);
    const rows one{{0.0, 1.0, 0.0}};
    const auto sums = exact_sum(one, 3, {2}, 4);  // ranks 0, 1 and 3 have no rows
    BOOST_TEST(sums == (std::vector<double>{0, 1, 0}), boost::test_tools::per_element());
    core::exponents({}, 0, {});
    core::quantize({}, 0, {}, {});
    core::restore({}, {}, {});
}

BOOST_AUTO_TEST_CASE(as_many_of_the_largest_partials_as_promised_do_not_overflow) {
    const auto most = static_cast<std::size_t>(core::exact_sum::most_partials);
    const double largest = 2 - 0x1p-52;  // rounds up to 2^51 multiples
    BOOST_TEST(exact_sum(std::vector<double>(most, largest)) == 2.0 * static_cast<double>(most));
    BOOST_TEST(exact_sum(std::vector<double>(most, -largest)) == -2.0 * static_cast<double>(most));
}

BOOST_AUTO_TEST_SUITE_END()
