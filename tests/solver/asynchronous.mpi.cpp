// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <gamut/communicator/mpi.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/consistency/bounded_staleness.hpp>

#include "served.hpp"

using namespace gamut;

BOOST_AUTO_TEST_CASE(workers_and_servers_on_any_ranks) {
    const communicator::mpi<> ranks;
    const auto alone = served::minimum(communicator::single<>{}, served::steps(consistency::bulk_synchronous{}, 1));
    const auto found = served::minimum(ranks, served::steps(consistency::bulk_synchronous{}, 2));
    BOOST_TEST((found.weights.download() == alone.weights.download()));
    const auto stale = served::minimum(ranks, served::steps(consistency::bounded_staleness{.slack = 2}, 2));
    BOOST_TEST(stale.objective < alone.history.front().objective);
}
