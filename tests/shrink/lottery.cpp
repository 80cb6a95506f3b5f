// SPDX-License-Identifier: BSL-1.0
#include <gamut/shrink/lottery.hpp>

#include <gamut/communicator/threads.hpp>
#include <gamut/shrink/sparsity.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <vector>

#include "shrink/cases.hpp"

using namespace gamut;
using namespace small;

BOOST_AUTO_TEST_SUITE(lottery)

BOOST_AUTO_TEST_CASE(a_ticket_is_better_than_other_small_networks) {
    const auto source = tiny_mix<float>(2000, 1, 0), test = tiny_mix<float>(2000, 1, 1);
    const auto e = trainer<float>(60, 12);
    const auto found = shrink::lottery(e, source, {.keep = 0.15, .rounds = 4, .compare = true});
    BOOST_CHECK(found.dense.weights == e.fit(source).weights);  // held by nothing: the estimator's own fit
    const auto left = shrink::sparsity_of(found.ticket);
    BOOST_TEST(left.share() == 0.15);
    for (const auto& layer : left.layers) BOOST_TEST(layer.share() == 0.15);
    // the same places from another start; as many others from the same one
    BOOST_CHECK(shrink::mask_of(*found.redrawn) == shrink::mask_of(found.ticket));
    BOOST_CHECK(shrink::mask_of(*found.random_mask) != shrink::mask_of(found.ticket));
    BOOST_TEST(shrink::sparsity_of(*found.random_mask).share() == 0.15);

    const double ticket = found.ticket.score(test).accuracy;
    BOOST_TEST_MESSAGE("dense " << found.dense.score(test).accuracy << ", ticket " << ticket << ", re-drawn "
                                << found.redrawn->score(test).accuracy << ", random mask "
                                << found.random_mask->score(test).accuracy);
    BOOST_TEST(ticket >= found.dense.score(test).accuracy - 0.05);
    BOOST_TEST(ticket >= found.redrawn->score(test).accuracy + 0.01);
    BOOST_TEST(ticket >= found.random_mask->score(test).accuracy + 0.02);
}

BOOST_AUTO_TEST_CASE(tickets_begin_where_the_network_began) {
    const auto source = tiny_mix(200, 1, 0);
    const auto start_of = [&](std::size_t rewind) {
        // steps that move nothing: what the ticket is, is where it began
        auto still = trainer(16, 1);
        still.solver.rate.rate = rewind == 0 ? 1e-300 : 0.05;
        return shrink::lottery(still, source, {.keep = 0.5, .rounds = 1, .rewind = rewind});
    };
    const auto ticket = start_of(0).ticket;
    const auto first = trainer(16, 1).model.start<double>(20);
    for (std::size_t k = 0; k < first.size(); ++k)
        if (ticket.weights[k] != 0) BOOST_REQUIRE(std::abs(ticket.weights[k] - first[k]) < 1e-200);
    // with rewind all begin after that epoch: the network has seen two
    const auto late = start_of(1);
    BOOST_CHECK(late.dense.weights != trainer(16, 1).fit(source).weights);
    BOOST_TEST(late.dense.objective < trainer(16, 1).fit(source).objective);
}

BOOST_AUTO_TEST_CASE(ranks_change_no_bit) {
    const auto source = tiny_mix(300, 2, 0);
    const auto weights = [&](const auto& ranks) {
        const auto found = shrink::lottery(trainer(16, 2, ranks, 1), source, {.keep = 0.3, .rounds = 2});
        return found.ticket.weights;
    };
    const std::vector<double> alone = weights(communicator::single<>{});
    std::vector<int> same(3);
    communicator::threads<>::run(3, [&](const communicator::threads<>& ranks) {
        same[static_cast<std::size_t>(ranks.rank())] = weights(ranks) == alone ? 1 : 0;
    });
    for (const int s : same) BOOST_TEST(s == 1);
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused) {
    const auto source = tiny_mix(200, 2, 0);
    BOOST_CHECK_EXCEPTION(shrink::lottery(trainer(16, 1), source, {.keep = 0}), core::option_error,
                          says("lottery: keep is 0"));
    BOOST_CHECK_EXCEPTION(shrink::lottery(trainer(16, 1), source, {.rounds = 0}), core::option_error,
                          says("lottery: rounds is 0"));
}

BOOST_AUTO_TEST_SUITE_END()
