// SPDX-License-Identifier: BSL-1.0
#include "exact_numbers.hpp"

#include <boost/test/unit_test.hpp>

#include <gamut/communicator/mpi.hpp>
#include <gamut/communicator/single.hpp>

using namespace gamut;

BOOST_AUTO_TEST_SUITE(exact_numbers)

BOOST_AUTO_TEST_CASE(processes_have_the_bits_of_one) {
    const meetings::exact_numbers<communicator::single<>> alone(communicator::single<>{});
    const communicator::mpi<> ranks;
    const meetings::exact_numbers<communicator::mpi<>> here(ranks);
    BOOST_TEST(here.failures == "");
    BOOST_TEST((here.all == alone.all));
}

BOOST_AUTO_TEST_SUITE_END()
