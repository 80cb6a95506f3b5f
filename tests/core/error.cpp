// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <gamut/core/error.hpp>
#include <new>
#include <stdexcept>
#include <string>
#include <typeinfo>

namespace core = gamut::core;

namespace {

template <class Thrown> void check_round_trip(core::error_kind kind) {
    const auto failure = std::make_exception_ptr(Thrown("problem (why) suggestion"));
    BOOST_TEST((core::kind_of(failure) == kind));
    BOOST_TEST(core::message_of(failure) == "problem (why) suggestion");
    try {
        core::throw_error(kind, core::message_of(failure));
    } catch (const Thrown& caught) {
        BOOST_TEST(std::string(caught.what()) == "problem (why) suggestion");
        BOOST_TEST((typeid(caught) == typeid(Thrown)));
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(error)

BOOST_AUTO_TEST_CASE(kind_and_message_bring_back_the_same_type) {
    check_round_trip<core::option_error>(core::error_kind::option);
    check_round_trip<core::shape_error>(core::error_kind::shape);
    check_round_trip<core::data_error>(core::error_kind::data);
    check_round_trip<core::communicator_error>(core::error_kind::communicator);
    check_round_trip<core::device_error>(core::error_kind::device);
    check_round_trip<core::out_of_memory>(core::error_kind::memory);
    check_round_trip<core::error>(core::error_kind::other);
}

BOOST_AUTO_TEST_CASE(foreign_exceptions_keep_their_message) {
    const auto foreign = std::make_exception_ptr(std::invalid_argument("what the user's model said"));
    BOOST_TEST((core::kind_of(foreign) == core::error_kind::other));
    BOOST_TEST(core::message_of(foreign) == "what the user's model said");
    const auto number = std::make_exception_ptr(42);
    BOOST_TEST((core::kind_of(number) == core::error_kind::other));
    BOOST_TEST(core::message_of(number).find("unknown failure") == 0u);
}

BOOST_AUTO_TEST_CASE(no_exception_has_no_kind_and_no_message) {
    BOOST_TEST((core::kind_of(nullptr) == core::error_kind::none));
    BOOST_TEST(core::message_of(nullptr).empty());
}

BOOST_AUTO_TEST_CASE(out_of_memory_is_caught_by_everyone_who_catches_standard_exceptions) {
    const auto failure = std::make_exception_ptr(std::bad_alloc());
    BOOST_TEST((core::kind_of(failure) == core::error_kind::memory));
    BOOST_CHECK_THROW(core::throw_error(core::kind_of(failure), core::message_of(failure)), core::out_of_memory);
    BOOST_CHECK_THROW(core::throw_error(core::kind_of(failure), core::message_of(failure)), std::exception);
}

BOOST_AUTO_TEST_CASE(text_writes_numbers_with_six_significant_digits_at_most_and_whole_ones_in_full) {
    BOOST_TEST(core::text("rank ", 2, ": step ", 0.1, ' ', 1e300, " ", -7L, std::string("/"), true) ==
               "rank 2: step 0.1 1e+300 -7/true");
    BOOST_TEST(core::text(0.1f, " ", std::uint8_t{200}, " ", std::size_t{0}) == "0.1 200 0");
    BOOST_TEST(core::text(1. / 3, ' ', -1e-8 / 3, ' ', 123456789.0, ' ', 123456789.25, ' ', 0.99999999) ==
               "0.333333 -3.33333e-09 123456789 1.23457e+08 1");
    BOOST_TEST(core::text(std::nan(""), ' ', INFINITY, ' ', -INFINITY) == "nan inf -inf");
    BOOST_TEST(core::text().empty());
}

BOOST_AUTO_TEST_CASE(all_digits_writes_the_fewest_digits_that_read_back) {
    for (const double x : {1. / 3, 5e-324, 1.7976931348623157e308, -0.0, 0.1, 123456789.25})
        BOOST_TEST(std::strtod(core::all_digits(x).c_str(), nullptr) == x);
    BOOST_TEST(core::all_digits(0.1) == "0.1");
    BOOST_TEST(core::all_digits(0.1f) == "0.1");
    BOOST_TEST(core::rounded(2. / 3, 3) == "0.667");
}

BOOST_AUTO_TEST_SUITE_END()
