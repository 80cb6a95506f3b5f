// SPDX-License-Identifier: BSL-1.0
#include "cases.hpp"

#include <boost/test/unit_test.hpp>

#include <gamut/communicator/mpi.hpp>

using namespace agreement;

BOOST_AUTO_TEST_SUITE(agreement_of_ranks)

BOOST_AUTO_TEST_CASE(solvers_on_all_ranks_agree_with_each_other_and_with_one_process) {
    const data::csv<> source{.path = "examples/data/breast_cancer.csv"};
    const communicator::counting<communicator::mpi<>> ranks{communicator::mpi<>{}};
    const auto together = answers(model::logistic{}, source, 1e-2, {.ranks = ranks, .threads = 1});
    for (const answer& one : together) BOOST_TEST(disagreement(together[0], one, 1e-10, 1e-5) == "");
    BOOST_TEST(ranks.messages() > 0u);
    const auto alone = fits::fit(model::logistic{}, penalty::l2{1e-2}, solver::newton_cg<>{}, source);
    BOOST_TEST(std::abs(together[0].objective - alone.objective) <= 1e-10 * alone.objective);
}

BOOST_AUTO_TEST_SUITE_END()
