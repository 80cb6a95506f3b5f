// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/sim.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/solver/pipeline.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include "pipeline/same_bits.hpp"

using namespace gamut;

BOOST_AUTO_TEST_SUITE(pipelines_on_ranks)

BOOST_AUTO_TEST_CASE(threads_have_the_bits_of_one_process) {
    const std::string one = nets::fits_on(communicator::single<>{});
    for (const int ranks : {2, 3, 4, 9})
        communicator::threads<>::run(ranks, [&](const communicator::threads<>& c) {
            const std::string mine = nets::fits_on(c);
            if (mine != one) throw core::error(interrupted::difference(mine, one));
        });
    BOOST_TEST(!one.empty());
}

BOOST_AUTO_TEST_CASE(simulated_ranks_do_too) {
    const std::string one = nets::fits_on(communicator::single<>{});
    for (const int ranks : {3, 8})
        communicator::sim<>::run(ranks, {}, [&](const communicator::sim<>& c) {
            const std::string mine = nets::fits_on(c);
            if (mine != one) throw core::error(interrupted::difference(mine, one));
        });
    BOOST_TEST(!one.empty());
}

BOOST_AUTO_TEST_SUITE_END()
