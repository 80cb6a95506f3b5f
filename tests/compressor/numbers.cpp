// SPDX-License-Identifier: BSL-1.0
// Each compressor by its definition: how it rounds, which numbers it takes, how many bytes it needs.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <vector>

#include "compressors.hpp"

using namespace gamut;
using namespace shipped;

namespace {

/// The finite numbers with `exponent_bits` and `fraction_bits` by their bits, as IEEE 754 says; the code after the largest is
/// what would come next if there were no infinity.
double value_of(std::uint32_t code, int exponent_bits, int fraction_bits) {
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const int exponent = static_cast<int>(code >> fraction_bits);
    const double fraction = code & ((1u << fraction_bits) - 1);
    return exponent == 0 ? std::ldexp(fraction, 1 - bias - fraction_bits)
                         : std::ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
}

/// Rounds |x| to nearest, ties to even, by looking for the codes on both sides.
double rounded(double x, int exponent_bits, int fraction_bits) {
    const std::uint32_t infinite = ((1u << exponent_bits) - 1) << fraction_bits;
    std::uint32_t low = 0, high = infinite;  // value(low) <= |x| < value(high), or beyond
    const double magnitude = std::abs(x);
    if (magnitude >= value_of(high, exponent_bits, fraction_bits))
        return std::copysign(std::numeric_limits<double>::infinity(), x);
    while (high - low > 1) {
        const std::uint32_t middle = (low + high) / 2;
        (value_of(middle, exponent_bits, fraction_bits) <= magnitude ? low : high) = middle;
    }
    const double below = magnitude - value_of(low, exponent_bits, fraction_bits),
                 above = value_of(high, exponent_bits, fraction_bits) - magnitude;
    const std::uint32_t code = below < above || (below == above && low % 2 == 0) ? low : high;
    return std::copysign(
        code == infinite ? std::numeric_limits<double>::infinity() : value_of(code, exponent_bits, fraction_bits), x);
}

/// Every 16-bit number, the middle between it and the next, and what lies just beside that.
std::vector<double> hard_cases(int exponent_bits, int fraction_bits) {
    std::vector<double> x;
    const std::uint32_t infinite = ((1u << exponent_bits) - 1) << fraction_bits;
    for (std::uint32_t code = 0; code < infinite; ++code) {
        const double a = value_of(code, exponent_bits, fraction_bits),
                     b = value_of(code + 1, exponent_bits, fraction_bits);
        const double middle = a + (b - a) / 2;
        for (const double y : {a, middle, std::nextafter(middle, 0.0), std::nextafter(middle, 1e300)}) {
            x.push_back(y);
            x.push_back(-y);
        }
    }
    return x;
}

double ratio(const auto& c, std::size_t n) {
    return 4 * static_cast<double>(n) / static_cast<double>(message_of(c, normals<float>(n)).size());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(compressor_numbers)

BOOST_AUTO_TEST_CASE(half_and_bfloat_round_to_nearest_ties_to_even_once_from_float_and_double) {
    const auto check = [](const auto& c, int exponent_bits, int fraction_bits) {
        const auto x = hard_cases(exponent_bits, fraction_bits);
        const auto y = sent(c, x);
        const std::vector<float> single(x.begin(), x.end());
        const auto z = sent(c, single);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double from_double = rounded(x[i], exponent_bits, fraction_bits),
                         from_float = rounded(static_cast<double>(single[i]), exponent_bits, fraction_bits);
            if (y[i] != from_double || std::signbit(y[i]) != std::signbit(x[i])) ++wrong;
            if (static_cast<double>(z[i]) != from_float) ++wrong;
        }
        BOOST_TEST(x.size() > 200000);
        BOOST_TEST(wrong == 0);
    };
    check(half{}, 5, 10);
    check(bfloat{}, 8, 7);
}

BOOST_AUTO_TEST_CASE(sixteen_bits_have_the_limits_of_their_formats) {
    const double infinity = std::numeric_limits<double>::infinity();
    BOOST_TEST(sent(half{}, std::vector<double>{65504, 65519.999, 65520, -1e300, 5.9e-8, 2.9e-8, 1e-300}) ==
                   (std::vector<double>{65504, 65504, infinity, -infinity, 0x1p-24, 0, 0}),
               boost::test_tools::per_element());
    BOOST_TEST(sent(bfloat{}, std::vector<double>{1, 1 + 0x1p-8, 1 + 0x3p-8, -1e300, 0x1p-133}) ==
                   (std::vector<double>{1, 1, 1 + 0x1p-6, -infinity, 0x1p-133}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(int8_is_within_half_a_level_of_its_block) {
    const int8 c{.block = 32};
    auto x = normals<double>(320);
    for (std::size_t i = 0; i < 32; ++i) x[i] *= 1e6;  // a large block leaves the others alone
    const auto y = sent(c, x);
    for (std::size_t begin = 0; begin < x.size(); begin += 32) {
        double largest = 0;
        for (std::size_t i = begin; i < begin + 32; ++i) largest = std::max(largest, std::abs(x[i]));
        for (std::size_t i = begin; i < begin + 32; ++i)
            BOOST_TEST(std::abs(x[i] - y[i]) <= largest / 127 / 2 * (1 + 1e-5));
    }
    const std::vector<float> levels{127, -127, 1, -1, 63, 0, 0.5f, 1.5f};
    BOOST_TEST(sent(int8{}, levels) == (std::vector<float>{127, -127, 1, -1, 63, 0, 0, 2}),
               boost::test_tools::per_element());
    std::vector<float> broken(64, 1.0f);
    broken[40] = std::numeric_limits<float>::infinity();
    const auto z = sent(c, broken);
    BOOST_TEST(std::isnan(z[32]));
    BOOST_TEST(z[31] == 1);
}

BOOST_AUTO_TEST_CASE(sign_sends_signs_and_the_mean_magnitude) {
    const std::vector<double> x{1, -2, 3, 0, -4};
    BOOST_TEST(sent(sign{}, x) == (std::vector<double>{2, -2, 2, 2, -2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(top_k_sends_the_largest_as_they_are_and_nothing_else) {
    const std::vector<double> x{0.5, -3, 2, 0, 2, -2, 1, 2};
    BOOST_TEST(sent(top_k{.count = 3}, x) == (std::vector<double>{0, -3, 2, 0, 2, 0, 0, 0}),
               boost::test_tools::per_element());  // of equal ones the first
    for (const std::size_t k : {1u, 2u, 17u, 100u, 999u, 1000u, 5000u})
        for (const bool packed : {false, true}) {
            const auto numbers = normals<float>(1000);
            auto magnitudes = numbers;
            for (float& m : magnitudes) m = std::abs(m);
            std::sort(magnitudes.begin(), magnitudes.end(), std::greater<>());
            const float least = magnitudes[std::min<std::size_t>(k, 1000) - 1];
            const auto y = sent(top_k{.count = k, .packed = packed}, numbers);
            for (std::size_t i = 0; i < numbers.size(); ++i)
                BOOST_TEST_REQUIRE(y[i] == (std::abs(numbers[i]) >= least ? numbers[i] : 0));
        }
    // many equal ones, and numbers of one leading part
    BOOST_TEST(sent(top_k{.count = 2}, std::vector<float>(5, -1.0f)) == (std::vector<float>{-1, -1, 0, 0, 0}),
               boost::test_tools::per_element());
    const std::vector<double> close{1 + 1e-15, 1 + 3e-15, 1 + 2e-15};
    BOOST_TEST(sent(top_k{.count = 1}, close)[1] == close[1]);
}

BOOST_AUTO_TEST_CASE(places_that_do_not_ascend_or_lie_outside_are_refused) {
    const top_k c{.count = 2};
    const bytes message = message_of(c, std::vector<float>{0, 5, 6, 0});
    bytes outside = message, twice = message;
    outside[detail::header_bytes + 4] = 4;  // of 0..3
    twice[detail::header_bytes + 4] = 1;
    BOOST_CHECK_THROW(numbers_of<float>(c, outside, 4), core::communicator_error);
    BOOST_CHECK_THROW(numbers_of<float>(c, twice, 4), core::communicator_error);
}

BOOST_AUTO_TEST_CASE(random_k_takes_every_set_of_places_equally_often_and_all_nodes_take_the_same) {
    const std::vector<double> ones(5, 1.0);
    std::map<std::vector<double>, int> seen;
    constexpr int rounds = 10000;
    for (std::uint64_t round = 0; round < rounds; ++round) {
        const auto y = sent(random_k{.count = 2}, ones, {.round = round, .node = 0});
        BOOST_TEST_REQUIRE(std::count(y.begin(), y.end(), 2.5) == 2);  // n / k
        ++seen[y];
        if (round < 20) BOOST_TEST(sent(random_k{.count = 2}, ones, {.round = round, .node = 9}) == y);
    }
    BOOST_TEST(seen.size() == 10);
    for (const auto& [places, times] : seen)  // 4 standard deviations of a binomial with p = 1/10
        BOOST_TEST(std::abs(times - rounds / 10) <= 4 * std::sqrt(rounds * 0.1 * 0.9));
    BOOST_TEST(sent(random_k{.count = 2}, ones, {.round = 1}) !=
               sent(random_k{.count = 2, .seed = 2}, ones, {.round = 2}));
}

BOOST_AUTO_TEST_CASE(low_rank_is_exact_for_matrices_of_that_rank_and_finds_the_best_by_and_by) {
    constexpr std::size_t rows = 12, columns = 9;
    const auto u = normals<double>(2 * rows, 1), v = normals<double>(2 * columns, 2);
    std::vector<double> x(rows * columns);
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < columns; ++j)
            x[i * columns + j] = u[2 * i] * v[2 * j] + 0.1 * u[2 * i + 1] * v[2 * j + 1];
    const auto exact = sent(low_rank{.rank = 2, .rows = rows}, x);
    for (std::size_t i = 0; i < x.size(); ++i) BOOST_TEST(std::abs(exact[i] - x[i]) <= 1e-12);

    // the best of rank 1 comes from the larger singular value; its error is the smaller one
    double uu[3] = {}, vv[3] = {};
    for (std::size_t i = 0; i < rows; ++i)
        uu[0] += u[2 * i] * u[2 * i], uu[1] += u[2 * i] * u[2 * i + 1] * 0.1,
            uu[2] += u[2 * i + 1] * u[2 * i + 1] * 0.01;
    for (std::size_t j = 0; j < columns; ++j)
        vv[0] += v[2 * j] * v[2 * j], vv[1] += v[2 * j] * v[2 * j + 1], vv[2] += v[2 * j + 1] * v[2 * j + 1];
    // squared singular values of U V' are the eigenvalues of (U'U)(V'V), 2 x 2
    const double trace = uu[0] * vv[0] + 2 * uu[1] * vv[1] + uu[2] * vv[2],
                 determinant = (uu[0] * uu[2] - uu[1] * uu[1]) * (vv[0] * vv[2] - vv[1] * vv[1]);
    const double smaller = std::sqrt(trace / 2 - std::sqrt(trace * trace / 4 - determinant));
    const low_rank one{.rank = 1, .rows = rows};
    low_rank::memory<double> memory;
    bytes message;
    std::vector<double> errors;
    for (std::uint64_t round = 0; round < 12; ++round) {
        encode<double>(one, {.round = round}, x, memory, message);
        const auto y = numbers_of<double>(one, message, x.size());
        double error = 0;
        for (std::size_t i = 0; i < x.size(); ++i) error += (x[i] - y[i]) * (x[i] - y[i]);
        errors.push_back(std::sqrt(error));
    }
    BOOST_TEST(errors.front() > smaller * (1 + 1e-9));
    BOOST_TEST(std::abs(errors.back() - smaller) <= 1e-9 * smaller);
}

BOOST_AUTO_TEST_CASE(low_rank_goes_on_after_zeros_and_after_what_is_not_finite) {
    const low_rank c{.rank = 2, .rows = 4};
    low_rank::memory<double> memory;
    bytes message;
    const auto x = normals<double>(16);
    std::vector<double> broken = x;
    broken[3] = std::numeric_limits<double>::quiet_NaN();
    for (const auto& bad : {std::vector<double>(16), broken}) {
        encode<double>(c, {}, bad, memory, message);
        encode<double>(c, {}, x, memory, message);
        const auto y = numbers_of<double>(c, message, 16);
        double error = 0, length = 0;
        for (std::size_t i = 0; i < 16; ++i) error += (x[i] - y[i]) * (x[i] - y[i]), length += x[i] * x[i];
        BOOST_TEST(error < 0.9 * length);
    }
    BOOST_CHECK_THROW(encode<double>(c, {}, normals<double>(25), memory, message), core::shape_error);
}

BOOST_AUTO_TEST_CASE(messages_are_as_short_as_they_should_be) {
    constexpr std::size_t n = 13210;
    const auto near = [](double found, double expected) { return std::abs(found - expected) <= 0.02 * expected; };
    BOOST_TEST(near(ratio(half{}, n), 2));
    BOOST_TEST(near(ratio(bfloat{}, n), 2));
    BOOST_TEST(near(ratio(int8{}, n), 4));
    BOOST_TEST(near(ratio(quantized{}, n), 8));
    BOOST_TEST(near(ratio(sign{}, n), 31.5));
    BOOST_TEST(near(ratio(top_k{.share = 0.01}, n), 49.7));
    BOOST_TEST(ratio(top_k{.share = 0.01, .packed = true}, n) > 66);  // places of 14 bits
    BOOST_TEST(near(ratio(random_k{}, n), 10));
    BOOST_TEST(near(ratio(low_rank{.rank = 2, .rows = 100}, 10000), 25));
    BOOST_TEST(near(ratio(low_rank{.rank = 2}, 10000), 25));
}

BOOST_AUTO_TEST_SUITE_END()
