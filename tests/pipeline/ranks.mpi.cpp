// SPDX-License-Identifier: BSL-1.0
#include "pipeline/same_bits.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

#include <gamut/communicator/mpi.hpp>

BOOST_AUTO_TEST_SUITE(pipelines)

BOOST_AUTO_TEST_CASE(processes_have_the_bits_of_one) {
    BOOST_TEST(nets::difference_on(gamut::communicator::mpi<>{}) == "");
}

BOOST_AUTO_TEST_CASE(a_process_that_fails_is_everybodys_error) {
    const gamut::communicator::mpi<> closes(boost::mpi::communicator(MPI_COMM_WORLD, boost::mpi::comm_duplicate));
    const std::string heard = nets::heard(closes, closes.size() > 2 ? 1 : 0);
    BOOST_TEST(heard.find("the third step is too steep") != std::string::npos, heard);
}

BOOST_AUTO_TEST_SUITE_END()
