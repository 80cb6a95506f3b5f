// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <gamut/communicator/mpi.hpp>

#include "compressed_gossip.hpp"

BOOST_AUTO_TEST_CASE(compressed_gossip_has_the_bits_of_one_rank) {
    compressed::check_gossip(gamut::communicator::mpi<>());
}
