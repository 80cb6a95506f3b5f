// SPDX-License-Identifier: BSL-1.0
#include "conformance.hpp"

#include <boost/test/unit_test.hpp>
#include <gamut/communicator/mpi.hpp>

namespace communicator = gamut::communicator;
namespace core = gamut::core;

BOOST_AUTO_TEST_SUITE(mpi)

BOOST_AUTO_TEST_CASE(conforms) { BOOST_TEST(conformance::check(communicator::mpi{}) == ""); }

BOOST_AUTO_TEST_CASE(conforms_with_fast_sums) { BOOST_TEST(conformance::check(communicator::mpi<core::fast>{}) == ""); }

BOOST_AUTO_TEST_CASE(buffers_in_pieces_give_the_same_as_whole_ones) {
    for (const std::size_t chunk : {5, 512}) BOOST_TEST(conformance::check(communicator::mpi{}.in_chunks(chunk)) == "");
}

BOOST_AUTO_TEST_CASE(a_part_of_the_ranks_is_a_communicator) {
    const boost::mpi::communicator world;
    const boost::mpi::communicator part = world.split(world.rank() % 2);
    const communicator::mpi<> c(part);
    BOOST_TEST(c.size() == (world.size() + 1 - world.rank() % 2) / 2);
    BOOST_TEST(c.rank() == world.rank() / 2);
    BOOST_TEST(conformance::check(c) == "");
}

BOOST_AUTO_TEST_CASE(counting_sees_what_the_global_sum_sends) {
    const communicator::counting<communicator::mpi<>> c;
    std::vector<double> partials(3 * 10, 1.0), out(10);
    communicator::sum(c, partials, 3, out);
    BOOST_TEST(c.messages() == 2u);
    BOOST_TEST(c.bytes() == 11u * (4 + 8));
    BOOST_TEST(out[9] == 3. * c.size());
}

BOOST_AUTO_TEST_CASE(groups_of_ranks_conform) {
    BOOST_TEST(conformance::check(communicator::split(communicator::mpi{}, communicator::mpi{}.rank() % 2)) == "");
}

BOOST_AUTO_TEST_CASE(all_ranks_of_this_test_share_a_machine) {
    BOOST_TEST(communicator::mpi{}.local_size() == communicator::mpi{}.size());
}

BOOST_AUTO_TEST_CASE(an_mpi_call_that_fails_is_an_error_that_names_it) {
    const communicator::mpi c{};
    std::vector<double> values(4);
    BOOST_CHECK_EXCEPTION(c.broadcast(std::span<double>(values), c.size()), core::communicator_error,
                          [](const core::communicator_error& problem) {
                              return std::string(problem.what()).starts_with("MPI_Bcast failed (");
                          });
    BOOST_CHECK_THROW(c.gather(std::span<const double>(values), std::span<double>(values).first(3)), core::shape_error);
}

BOOST_AUTO_TEST_CASE(a_second_session_and_a_senseless_deadline_are_refused) {
    int argc = 0;
    char** argv = nullptr;
    BOOST_CHECK_THROW(communicator::mpi_session(argc, argv), core::communicator_error);
    BOOST_CHECK_THROW(communicator::mpi_session(argc, argv, 0), core::option_error);
    BOOST_CHECK_THROW(communicator::mpi_session(argc, argv, std::numeric_limits<double>::quiet_NaN()),
                      core::option_error);
}

BOOST_AUTO_TEST_SUITE_END()
