// SPDX-License-Identifier: BSL-1.0
#include "slots.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include <gamut/communicator/network.hpp>
#include <gamut/communicator/sim.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>

using namespace gamut;

BOOST_AUTO_TEST_SUITE(slots)

BOOST_AUTO_TEST_CASE(writes_arrive_and_nothing_is_lost) {
    BOOST_TEST(meetings::slots_of(communicator::single<>{}) == "");
    for (const int ranks : {1, 2, 3, 4, 6}) {
        std::vector<std::string> said(static_cast<std::size_t>(ranks));
        communicator::threads<>::run(
            ranks, [&](const auto& c) { said[static_cast<std::size_t>(c.rank())] = meetings::slots_of(c); });
        for (const auto& one : said) BOOST_TEST(one == "");
        // with ranks of different speed, and slow links
        communicator::network slow{.latency = 1e-3, .bandwidth = 1e6};
        if (ranks > 1) slow.links = {{.from = 0, .to = 1, .latency = 0.3, .bandwidth = 1e3}};
        communicator::sim<>::run(
            ranks, slow, [&](const auto& c) { said[static_cast<std::size_t>(c.rank())] = meetings::slots_of(c); });
        for (const auto& one : said) BOOST_TEST(one == "");
    }
}

BOOST_AUTO_TEST_SUITE_END()
