// SPDX-License-Identifier: BSL-1.0
#include "compressed_gossip.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/sim.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/core/error.hpp>
#include <gamut/exchange/gossip.hpp>
#include <gamut/topology/star.hpp>
#include <gamut/topology/weights.hpp>

using namespace gamut;
using topology::ring;

namespace {

/// Bytes and messages of all ranks together in a round of 8 nodes with 1,000 numbers, one node to a rank.
template <class M> std::vector<std::uint64_t> sent(const M& method) {
    std::vector<std::uint64_t> counts(16);
    communicator::threads<>::run(8, [&](const auto& c) {
        const communicator::counting<communicator::threads<>> ranks(c);
        const exchange::nodes<communicator::counting<communicator::threads<>>> all(ranks, 8);
        using array = averaging::array;
        exchange::state_of<M, array, std::remove_const_t<decltype(all)>> state(method, all, array(1000));
        const auto gradient = [&](std::size_t i, const array& at, array& slope) {
            slope = at;
            for (std::size_t j = 0; j < slope.size(); ++j) slope[j] += static_cast<double>(all.first() + i + j);
        };
        state.round(.1, gradient);  // makes routes
        ranks.reset();
        state.round(.1, gradient);
        counts[static_cast<std::size_t>(2 * c.rank())] = ranks.bytes();
        counts[static_cast<std::size_t>(2 * c.rank() + 1)] = ranks.messages();
    });
    std::vector<std::uint64_t> all(2);
    for (std::size_t r = 0; r < 8; ++r) all[0] += counts[2 * r], all[1] += counts[2 * r + 1];
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(compressed_gossip)

BOOST_AUTO_TEST_CASE(averaging_ends_at_the_exact_mean_at_a_linear_rate) {
    const auto check = [](const char* what, const auto& compressor, double consensus_rate, double per_50) {
        BOOST_TEST_CONTEXT(what) {
            const exchange::compressed_gossip method{ring{}, compressor, consensus_rate};
            const auto found = averaging::of(communicator::single<>{}, method, 8, 200, 700);
            for (std::size_t k = 100; k + 50 < found.left.size(); k += 50)
                if (found.left[k] > 1e-11) BOOST_TEST(found.left[k + 50] <= per_50 * found.left[k], k);
            BOOST_TEST(found.left.back() <= 1e-5);
            BOOST_TEST(found.mean_moved <= 1e-12);
        }
    };
    check("top_k", compressor::top_k{.share = .1}, .2, .25);
    check("quantized", compressor::quantized{}, .6, .01);
    check("random_k", compressor::random_k{.share = .2}, .1, .7);
    check("int8", compressor::int8{}, 1, .01);
}

BOOST_AUTO_TEST_CASE(half_comes_as_near_as_halves_can_say) {
    const auto found = averaging::of(communicator::single<>{},
                                     exchange::compressed_gossip{ring{}, compressor::half{}, 1}, 8, 200, 200);
    BOOST_TEST(found.left.back() <= 1e-7);
    BOOST_TEST(found.mean_moved <= 1e-12);
}

BOOST_AUTO_TEST_CASE(the_mean_stays_whatever_is_left_out) {
    for (const double rate : {.02, .1})
        BOOST_TEST(averaging::of(communicator::single<>{},
                                 exchange::compressed_gossip{ring{}, compressor::sign{}, rate}, 8, 100, 100)
                       .mean_moved <= 1e-13);
}

BOOST_AUTO_TEST_CASE(where_nothing_is_left_out_it_is_gossip) {
    const auto a =
        averaging::of(communicator::single<>{}, exchange::compressed_gossip{ring{}, compressor::none{}, 1}, 8, 50, 40);
    const auto b = averaging::of(communicator::single<>{}, exchange::gossip{ring{}}, 8, 50, 40);
    for (std::size_t j = 0; j < a.numbers.size(); ++j) BOOST_TEST(std::abs(a.numbers[j] - b.numbers[j]) <= 1e-14);
}

BOOST_AUTO_TEST_CASE(messages_are_as_short_as_the_compressor_says) {
    // 16 messages of 20 bytes of header, 8 nodes that two others hear
    BOOST_TEST((sent(exchange::compressed_gossip{ring{}, compressor::none{}, 1}) ==
                std::vector<std::uint64_t>{16 * (20 + 8000), 16}));
    BOOST_TEST((sent(exchange::compressed_gossip{ring{}, compressor::top_k{.share = .01}}) ==
                std::vector<std::uint64_t>{16 * (20 + 10 * (4 + 8)), 16}));
    BOOST_TEST((sent(exchange::compressed_gossip{ring{}, compressor::quantized{}, .5}) ==
                std::vector<std::uint64_t>{16 * (20 + 500 + 2 * 4), 16}));
    BOOST_TEST((sent(exchange::gossip{ring{}}) == std::vector<std::uint64_t>{16 * 8000, 16}));
    BOOST_TEST(sent(exchange::compressed_gossip{ring{}, uneven{}, 1})[1] == 32u);  // lengths, and then messages
}

BOOST_AUTO_TEST_CASE(any_number_of_ranks_has_the_bits_of_one) {
    for (const int ranks : {2, 3, 7, 9})
        communicator::threads<>::run(ranks, [](const auto& c) { compressed::check_gossip(c); });
    communicator::sim<>::run(4, {}, [](const auto& c) { compressed::check_gossip(c); });
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused) {
    const auto says = [](const auto& method) -> std::string {
        try {
            averaging::of(communicator::single<>{}, method, 4, 10, 1);
        } catch (const core::option_error& error) {
            return error.what();
        }
        return "";
    };
    BOOST_TEST(says(exchange::compressed_gossip{ring{}, compressor::none{}, 0}) ==
               "compressed_gossip: consensus_rate is 0 (it must be above 0, and 1 at most) try 0.02");
    BOOST_TEST(says(exchange::compressed_gossip{ring{}, compressor::top_k{.share = 2}}) != "");
    BOOST_TEST(says(exchange::compressed_gossip{topology::star{}, compressor::none{}, 1, topology::uniform{}})
                   .find("doubly") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
