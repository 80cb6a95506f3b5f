// SPDX-License-Identifier: BSL-1.0
#include "infer.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/group.hpp>
#include <gamut/communicator/sim.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/communicator/traced.hpp>

using namespace gamut;

BOOST_AUTO_TEST_SUITE(exchange_infer)

BOOST_AUTO_TEST_CASE(one_rank_knows_all) { BOOST_CHECK_NO_THROW(inferred::check(communicator::single<>{})); }

BOOST_AUTO_TEST_CASE(threads_find_the_other_side) {
    for (const int ranks : {1, 2, 3, 4, 5, 6, 7, 8})
        BOOST_CHECK_NO_THROW(communicator::threads<>::run(ranks, [](const auto& c) { inferred::check(c); }));
}

BOOST_AUTO_TEST_CASE(simulated_ranks_find_it_too) {
    for (const int ranks : {2, 4, 13})
        BOOST_CHECK_NO_THROW(
            communicator::sim<>::run(ranks, communicator::network{}, [](const auto& c) { inferred::check(c); }));
}

BOOST_AUTO_TEST_CASE(so_do_parts_of_a_group_and_ranks_that_are_counted_or_traced) {
    BOOST_CHECK_NO_THROW(communicator::threads<>::run(5, [](const auto& c) {
        const bool low = c.rank() < 2;
        inferred::check(communicator::group(c, low ? std::vector<int>{0, 1} : std::vector<int>{2, 3, 4}));
        inferred::check(communicator::counting(c));
        inferred::check(communicator::traced(c));
    }));
}

BOOST_AUTO_TEST_CASE(it_costs_a_gather_and_each_lists_to_the_others) {
    communicator::threads<>::run(4, [](const auto& c) {
        const communicator::counting ranks(c);
        exchange::infer(ranks, 4, {.destinations = {{0, 3}}});
        inferred::require(ranks.messages() == 1 + 3, "messages");
        inferred::require(ranks.bytes() == 8 * (1 + 3 * 6), "bytes");  // nodes, 0 lists, 1 list, its length, itself
    });
}

BOOST_AUTO_TEST_CASE(a_list_of_nodes_is_of_as_many) {
    const topology::listed graph{{{1}, {0}}};
    BOOST_CHECK_EXCEPTION(topology::heard_by_all(graph, 3, 0), core::option_error, [](const auto& error) {
        return std::string(error.what()) == "topology::listed: 2 nodes are listed (there are 3) give a list for each "
                                            "node, and as many .blocks";
    });
}

BOOST_AUTO_TEST_SUITE_END()
