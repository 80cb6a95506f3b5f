// SPDX-License-Identifier: BSL-1.0
#include "slots.hpp"

#include <boost/test/unit_test.hpp>

#include <gamut/communicator/mpi.hpp>

BOOST_AUTO_TEST_SUITE(slots)

BOOST_AUTO_TEST_CASE(writes_arrive_and_nothing_is_lost) {
    BOOST_TEST(meetings::slots_of(gamut::communicator::mpi<>{}) == "");
}

BOOST_AUTO_TEST_SUITE_END()
