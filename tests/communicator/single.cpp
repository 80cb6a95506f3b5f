// SPDX-License-Identifier: BSL-1.0
#include "conformance.hpp"

#include <boost/test/unit_test.hpp>

namespace communicator = gamut::communicator;
namespace core = gamut::core;

static_assert(communicator::Communicator<communicator::counting<communicator::single<>>>);
static_assert(!communicator::Communicator<std::vector<double>>);
static_assert(std::is_empty_v<communicator::single<>>);

BOOST_AUTO_TEST_SUITE(single)

BOOST_AUTO_TEST_CASE(conforms) {
    BOOST_TEST(conformance::check(communicator::single<>{}) == "");
    BOOST_TEST(conformance::check(communicator::single<core::fast>{}) == "");
    BOOST_TEST(conformance::check(communicator::counting<communicator::single<>>{}) == "");
}

BOOST_AUTO_TEST_CASE(gather_into_another_size_is_refused) {
    const communicator::single c{};
    std::vector<double> one(1), two(2);
    BOOST_CHECK_THROW(c.gather(std::span<const double>(one), std::span<double>(two)), core::shape_error);
}

BOOST_AUTO_TEST_SUITE_END()
