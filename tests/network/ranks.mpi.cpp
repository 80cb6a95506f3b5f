// SPDX-License-Identifier: BSL-1.0
// Runs on 1 to 5 ranks under mpirun. Every rank also trains alone: where all agree with that, all numbers of ranks agree.
#include "network/ways_to_train.hpp"

#include <boost/test/unit_test.hpp>

#include <gamut/communicator/mpi.hpp>

using gamut::communicator::mpi;

BOOST_AUTO_TEST_CASE(a_perceptron_and_lenet_have_the_same_bits_whatever_the_ranks_and_however_they_are_trained) {
    const mpi<> all, alone(boost::mpi::communicator(MPI_COMM_SELF, boost::mpi::comm_duplicate));
    const auto check = [&](const auto& model) {
        const std::string names =
            ways_to_train::differences(ways_to_train::all_ways(model, all), ways_to_train::all_ways(model, alone));
        BOOST_TEST(names == "");
    };
    check(ways_to_train::perceptron);
    check(ways_to_train::lenet);
}
