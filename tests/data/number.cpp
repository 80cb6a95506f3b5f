// SPDX-License-Identifier: BSL-1.0
#include <gamut/data/detail/number.hpp>

#include <boost/test/unit_test.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <tuple>

#include <gamut/core/random.hpp>

using namespace gamut;

namespace {

template <class T> T read(const std::string& text) {
    T value = -99;
    BOOST_TEST(data::detail::is_number(text, value), "not a number: " << text);
    return value;
}

double nearest(const std::string& text, double) { return std::strtod(text.c_str(), nullptr); }
float nearest(const std::string& text, float) { return std::strtof(text.c_str(), nullptr); }

using floating_types = std::tuple<double, float>;

}  // namespace

BOOST_AUTO_TEST_SUITE(number)

BOOST_AUTO_TEST_CASE_TEMPLATE(random_numbers_are_read_as_strtod_reads_them, T, floating_types) {
    const core::random draw{.seed = 7};
    for (std::uint64_t i = 0; i < 100'000; ++i) {
        char text[64];
        const int precision = 1 + static_cast<int>(draw.below(3 * i, 20));
        if (i % 3 == 0) {  // any bits
            const auto value = std::bit_cast<double>(draw.bits(3 * i + 1));
            if (!std::isfinite(value) || std::abs(value) > 1e37 || std::abs(value) < 1e-37) continue;
            std::snprintf(text, sizeof text, "%.*g", precision, value);
        } else if (i % 3 == 1) {
            std::snprintf(text, sizeof text, "%.*f", precision, draw.normal(3 * i + 1));
        } else {
            std::snprintf(text, sizeof text, "%+lld",
                          static_cast<long long>(draw.bits(3 * i + 1) >> draw.below(3 * i + 2, 60)));
        }
        const T expected = nearest(text, T());
        if (read<T>(text) != expected) BOOST_ERROR("read wrongly: " << text);
    }
}

BOOST_AUTO_TEST_CASE(unusual_spellings) {
    BOOST_TEST(read<double>("+1") == 1);
    BOOST_TEST(read<double>("-0.5") == -0.5);
    BOOST_TEST(read<double>(".5") == 0.5);
    BOOST_TEST(read<double>("5.") == 5);
    BOOST_TEST(read<double>("1e3") == 1000);
    BOOST_TEST(read<double>("+1E-2") == 0.01);
    BOOST_TEST(read<double>("00012") == 12);
    BOOST_TEST(std::signbit(read<double>("-0")));
    BOOST_TEST(read<double>("9007199254740993") == 9007199254740992.0);
    BOOST_TEST(read<double>("123456789012345678901234567890") == 123456789012345678901234567890.0);
    BOOST_TEST(read<double>("0.1000000000000000055511151231257827021181583404541015625") == 0.1);
    BOOST_TEST(read<float>("16777217") == 16777216.0f);
    BOOST_TEST(std::isnan(read<double>("nan")));
    BOOST_TEST(read<double>("-inf") == -std::numeric_limits<double>::infinity());
}

BOOST_AUTO_TEST_CASE(out_of_range_is_infinity_or_zero) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    BOOST_TEST(read<double>("1e400") == infinity);
    BOOST_TEST(read<double>("-1e400") == -infinity);
    BOOST_TEST(read<double>("1e-400") == 0);
    BOOST_TEST(read<double>("5e-324") == 5e-324);
    BOOST_TEST(read<double>("0." + std::string(400, '0') + "1") == 0);
    BOOST_TEST(read<double>(std::string(400, '9')) == infinity);
    // zeros in front, and exponents that move the point back
    const std::string zeros(400, '0');
    BOOST_TEST(read<double>("01" + zeros) == infinity);
    BOOST_TEST(read<double>("1" + zeros + "e-50") == infinity);
    BOOST_TEST(read<double>("1" + zeros + "e-100") == 1e300);
    BOOST_TEST(read<double>("0." + zeros + "1e50") == 0);
    BOOST_TEST(read<double>("0." + zeros + "1e401") == 1);
    BOOST_TEST(read<double>("0.1e999") == infinity);
    BOOST_TEST(read<double>("1e-99999999999999999999") == 0);
    BOOST_TEST(read<double>("-1e+99999999999999999999") == -infinity);
    BOOST_TEST(read<double>("0e99999999999999999999") == 0);
    BOOST_TEST(read<float>("1e39") == std::numeric_limits<float>::infinity());
    BOOST_TEST(read<float>("1e-60") == 0);
}

BOOST_AUTO_TEST_CASE(what_is_no_number_is_refused) {
    for (const char* text :
         {"", "+", "-", ".", "e5", "+-1", "--1", "1x", "1 ", " 1", "0x10", "1e", "1.2.3", "1,5", "one", "1e5.5"}) {
        double value;
        BOOST_TEST(!data::detail::is_number(text, value), "accepted: '" << text << "'");
    }
}

BOOST_AUTO_TEST_SUITE_END()
