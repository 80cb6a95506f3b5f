// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>
#include <gamut/communicator/mpi.hpp>

#include "tables.hpp"

BOOST_AUTO_TEST_SUITE(conformance)

BOOST_AUTO_TEST_CASE(on_processes) { BOOST_TEST(tables::check(tables::communicator::mpi<>{}) == ""); }

BOOST_AUTO_TEST_SUITE_END()
