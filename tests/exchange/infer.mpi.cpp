// SPDX-License-Identifier: BSL-1.0
#include "infer.hpp"

#include <boost/test/unit_test.hpp>

#include <gamut/communicator/mpi.hpp>

using namespace gamut;

BOOST_AUTO_TEST_SUITE(exchange_infer)

BOOST_AUTO_TEST_CASE(processes_find_the_other_side) { BOOST_CHECK_NO_THROW(inferred::check(communicator::mpi<>{})); }

BOOST_AUTO_TEST_SUITE_END()
