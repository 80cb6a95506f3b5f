// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>
#include <gamut/communicator/counting.hpp>

#include "tables.hpp"

namespace {

constexpr auto check = [](const auto& c) { return tables::check(c); };

}  // namespace

BOOST_AUTO_TEST_SUITE(conformance)

BOOST_AUTO_TEST_CASE(alone) { BOOST_TEST(tables::check(tables::communicator::single<>{}) == ""); }

BOOST_AUTO_TEST_CASE(on_any_number_of_threads) {
    for (int ranks = 1; ranks <= 8; ++ranks) BOOST_TEST(tables::on_threads(ranks, check) == "");
}

BOOST_AUTO_TEST_CASE(on_any_number_of_simulated_ranks) {
    for (const int ranks : {1, 2, 3, 4, 5, 8, 13, 64}) BOOST_TEST(tables::on_sim(ranks, check) == "");
}

BOOST_AUTO_TEST_CASE(on_a_communicator_that_counts) {
    const tables::communicator::counting<tables::communicator::single<>> c;
    const auto expected = tables::alone(20);
    BOOST_TEST(
        tables::same_bits(tables::trajectory(c, tables::consistency::bulk_synchronous{}, tables::shape(2)), expected));
    BOOST_TEST(c.messages() > 0u);
}

BOOST_AUTO_TEST_SUITE_END()
