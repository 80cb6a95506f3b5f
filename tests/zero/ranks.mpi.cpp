// SPDX-License-Identifier: BSL-1.0
// Runs on 1 to 5 ranks under mpirun. Every rank also fits alone: where all agree with that, all numbers of ranks agree.
#include <boost/test/unit_test.hpp>

#include <gamut/communicator/mpi.hpp>
#include <gamut/solver/wait_free.hpp>
#include <gamut/solver/zero.hpp>

#include "common.hpp"

using namespace gamut;

BOOST_AUTO_TEST_CASE(shared_memory_and_messages_change_no_bit) {
    const communicator::mpi<> ranks;
    const sharing::setting how{.rows = 200, .batch = 16, .hidden = 60};
    const auto alone = sharing::fit(how);
    for (int stage = 1; stage <= 3; ++stage)
        for (const bool overlap : {false, true})
            BOOST_TEST(
                (sharing::fit(how, solver::zero{.stage = stage, .overlap = overlap}, ranks).weights == alone.weights),
                "stage " << stage << ", overlap " << overlap);
    // sums that take exponents
    const sharing::setting many{.rows = 200, .groups = 16};
    BOOST_TEST(
        (sharing::fit(many, solver::zero{.stage = 2, .overlap = true}, ranks).weights == sharing::fit(many).weights));
    for (const bool factors : {false, true})
        BOOST_TEST((sharing::fit(how, solver::wait_free{.factors = factors}, ranks).weights == alone.weights),
                   "factors " << factors);
}
