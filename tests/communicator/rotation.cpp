// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/rotation.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/sim.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/core/apart.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>

using namespace gamut;
using communicator::rotation;
using communicator::route;

namespace {

/// Block b has b + 3 numbers: what it is, and who worked on it.
std::size_t length(std::size_t block) { return block + 3; }

/// `cycles` cycles of a rotation in which node i notes the step and itself in its block; checks that each has the block that it should.
template <class C>
std::vector<std::vector<std::int64_t>> rotate(const C& ranks, std::size_t nodes, route way, std::size_t cycles) {
    const rotation<C> blocks(ranks, nodes, way);
    const auto mine = blocks.mine();
    std::vector<std::vector<std::int64_t>> held;
    for (std::size_t node = mine.begin; node < mine.end; ++node) {
        held.emplace_back(length(node));
        held.back()[0] = static_cast<std::int64_t>(node);
    }
    for (std::size_t step = 0; step < cycles * nodes; ++step) {
        for (std::size_t i = 0; i < held.size(); ++i) {
            const std::size_t node = mine.begin + i, block = blocks.block_at(node, step);
            // no BOOST_TEST on ranks that are threads
            if (held[i].size() != length(block) || held[i][0] != static_cast<std::int64_t>(block) ||
                blocks.node_of(block, step) != node)
                throw core::error(core::text("step ", step, ": node ", node, " has another block than ", block));
            held[i][1] = held[i][1] * 31 + static_cast<std::int64_t>(node * nodes + step);
            ++held[i][2];
        }
        blocks.move(step, held, length);
    }
    for (std::size_t i = 0; i < held.size(); ++i)  // at home again
        if (held[i][0] != static_cast<std::int64_t>(mine.begin + i))
            throw core::error(core::text("node ", mine.begin + i, " has not got its block back"));
    return held;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(communicator_rotation)

BOOST_AUTO_TEST_CASE(every_block_is_once_on_every_node_and_no_two_nodes_share_one) {
    const communicator::single<> alone;
    for (const std::size_t nodes : {1u, 2u, 3u, 7u, 16u}) {
        const rotation<communicator::single<>> blocks(alone, nodes);
        std::vector<std::size_t> cells;  // node nodes + block
        for (std::size_t step = 0; step < nodes; ++step) {
            std::vector<std::size_t> now, chosen;
            for (std::size_t node = 0; node < nodes; ++node) now.push_back(node * nodes + blocks.block_at(node, step));
            // the dependency check drops nobody: no two have a node or a block in common
            core::choose_apart(now, nodes, chosen, [&](std::size_t a, std::size_t b) {
                return a / nodes == b / nodes || a % nodes == b % nodes;
            });
            BOOST_TEST(chosen == now, boost::test_tools::per_element());
            cells.insert(cells.end(), now.begin(), now.end());
        }
        std::sort(cells.begin(), cells.end());
        for (std::size_t c = 0; c < nodes * nodes; ++c) BOOST_TEST(cells[c] == c);
    }
    BOOST_CHECK_THROW(rotation<communicator::single<>>(alone, 0), core::option_error);
}

BOOST_AUTO_TEST_CASE(blocks_come_round_with_what_nodes_wrote_on_any_ranks_and_by_both_routes) {
    for (const std::size_t nodes : {1u, 2u, 5u, 8u}) {
        const auto expected = rotate(communicator::single<>{}, nodes, route::ring, 2);
        for (const auto& block : expected) BOOST_TEST(block[2] == static_cast<std::int64_t>(2 * nodes));
        for (const int ranks : {2, 3, 5, 11})
            for (const route way : {route::ring, route::star}) {
                std::vector<std::vector<std::int64_t>> found(nodes);
                communicator::sim<>::run(ranks, {}, [&](const communicator::sim<>& c) {
                    auto held = rotate(c, nodes, way, 2);
                    const rotation<communicator::sim<>> blocks(c, nodes);
                    for (std::size_t i = 0; i < held.size(); ++i) found[blocks.mine().begin + i] = std::move(held[i]);
                });
                for (std::size_t b = 0; b < nodes; ++b)
                    BOOST_TEST(found[b] == expected[b], boost::test_tools::per_element());
            }
    }
}

BOOST_AUTO_TEST_CASE(threads_rotate_as_simulated_ranks_do) {
    const auto expected = rotate(communicator::single<>{}, 6, route::ring, 3);
    for (const route way : {route::ring, route::star}) {
        std::vector<std::vector<std::int64_t>> found(6);
        communicator::threads<>::run(4, [&](const communicator::threads<>& c) {
            auto held = rotate(c, 6, way, 3);
            const rotation<communicator::threads<>> blocks(c, 6);
            for (std::size_t i = 0; i < held.size(); ++i) found[blocks.mine().begin + i] = std::move(held[i]);
        });
        for (std::size_t b = 0; b < 6; ++b) BOOST_TEST(found[b] == expected[b], boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(messages_and_bytes_are_those_of_the_route) {
    using counting = communicator::counting<communicator::sim<>>;
    constexpr std::size_t nodes = 6, numbers = 10;
    for (const int ranks : {1, 2, 3, 6, 9})
        for (const route way : {route::ring, route::star}) {
            std::uint64_t messages = 0, bytes = 0;
            communicator::sim<>::run(ranks, {}, [&](const communicator::sim<>& inner) {
                const counting c(inner);
                const rotation<counting> blocks(c, nodes, way);
                std::vector<std::vector<double>> held(blocks.mine().size(), std::vector<double>(numbers));
                for (std::size_t step = 0; step < nodes; ++step)
                    blocks.move(step, held, [&](std::size_t) { return numbers; });
                messages += c.messages();
                bytes += c.bytes();
            });
            // a block leaves each rank that has nodes in each step; over rank 0 all but its own are sent twice, and all but what it wants
            const std::uint64_t busy = std::min<std::uint64_t>(static_cast<std::uint64_t>(ranks), nodes);
            const bool hub_has_nodes = static_cast<std::size_t>(ranks) <= nodes;
            const std::uint64_t per_step = ranks == 1           ? 0
                                           : way == route::ring ? busy
                                           : hub_has_nodes      ? 2 * (busy - 1)
                                                                : 2 * busy;
            BOOST_TEST(bytes == nodes * per_step * numbers * sizeof(double));
            BOOST_TEST(messages == nodes * per_step);
        }
}

BOOST_AUTO_TEST_SUITE_END()
