// SPDX-License-Identifier: BSL-1.0
#include "pipeline/same_bits.hpp"

#include <boost/test/unit_test.hpp>

#include <gamut/communicator/mpi.hpp>

BOOST_AUTO_TEST_SUITE(pipelines)

BOOST_AUTO_TEST_CASE(processes_have_the_bits_of_one) {
    BOOST_TEST(nets::difference_on(gamut::communicator::mpi<>{}) == "");
}

BOOST_AUTO_TEST_SUITE_END()
