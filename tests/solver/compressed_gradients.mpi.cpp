// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <gamut/communicator/mpi.hpp>

#include "compressed_gradients.hpp"

BOOST_AUTO_TEST_CASE(compressed_gradients_have_the_bits_of_one_rank) {
    compressed_gradients::check_bits(gamut::communicator::mpi<>());
}
