// SPDX-License-Identifier: BSL-1.0
// Topics and factors whose blocks visit nodes: the same bits on any ranks and by both routes, at the messages of the route.
#include <gamut/communicator/rotation.hpp>

#include "topic_data.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/sim.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/learn/factorisation.hpp>
#include <gamut/learn/topics.hpp>

using namespace gamut;
using communicator::route;
using ranks_type = communicator::counting<communicator::sim<>>;

namespace {

/// Entries near a product of two factors, 70 x 30, two in five given.
topic_data::matrix ratings() {
    const core::random draws{.seed = 8};
    topic_data::matrix x;
    x.columns = 30;
    for (std::size_t i = 0; i < 70; ++i, ++x.rows) {
        for (std::size_t j = 0; j < 30; ++j) {
            if (draws.uniform(i * 30 + j) > 0.4) continue;
            x.indices.push_back(static_cast<std::int32_t>(j));
            x.values.push_back(2 * draws.normal(10000 + i) * draws.normal(20000 + j) +
                               draws.normal(30000 + i) * draws.normal(40000 + j) +
                               0.1 * draws.normal(50000 + i * 30 + j));
        }
        x.offsets.push_back(static_cast<std::int64_t>(x.indices.size()));
    }
    return x;
}

/// What rank 0 found and all ranks said, on simulated ranks.
struct outcome {
    std::vector<double> numbers;
    std::uint64_t messages = 0, bytes = 0;
};
template <class Fit> outcome on(int ranks, Fit&& fit) {
    outcome found;
    communicator::sim<>::run(ranks, {}, [&](const communicator::sim<>& inner) {
        const ranks_type c(inner);
        auto numbers = fit(c);
        if (c.rank() == 0) found.numbers = std::move(numbers);
        found.messages += c.messages();
        found.bytes += c.bytes();
    });
    return found;
}

constexpr std::size_t nodes = 6;

outcome topics_on(int ranks, route way, std::size_t sweeps) {
    const auto x = topic_data::disjoint{.topics = 4, .words = 10, .documents = 40, .length = 20}.documents_of();
    return on(ranks, [&](const ranks_type& c) {
        const auto fit = learn::topics<ranks_type>{.count = 4,
                                                   .samples = 1,
                                                   .nodes = nodes,
                                                   .route = way,
                                                   .stop = {.iterations = sweeps},
                                                   .communicator = c}
                             .fit(data::arrays(x));
        auto numbers = fit.counts;
        numbers.push_back(fit.objective);
        return numbers;
    });
}
outcome factors_on(int ranks, route way, std::size_t epochs) {
    const auto x = ratings();
    return on(ranks, [&](const ranks_type& c) {
        const auto fit = learn::factorisation<ranks_type>{.rank = 2,
                                                          .lambda = 0.1,
                                                          .method = learn::descent::rotation,
                                                          .nodes = nodes,
                                                          .route = way,
                                                          .stop = {.iterations = epochs, .tolerance = 0},
                                                          .communicator = c}
                             .fit(data::arrays(x));
        auto numbers = fit.column_factors;
        numbers.insert(numbers.end(), fit.row_factors.begin(), fit.row_factors.end());
        numbers.push_back(fit.objective);
        return numbers;
    });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(learn_rotation)

BOOST_AUTO_TEST_CASE(bits_depend_on_nodes_and_neither_on_ranks_nor_on_the_route) {
    const auto topics = topics_on(1, route::ring, 4), factors = factors_on(1, route::ring, 4);
    BOOST_TEST_REQUIRE(!topics.numbers.empty());
    for (const int ranks : {2, 3, 5, 8})
        for (const route way : {route::ring, route::star}) {
            BOOST_TEST((topics_on(ranks, way, 4).numbers == topics.numbers), ranks);
            BOOST_TEST((factors_on(ranks, way, 4).numbers == factors.numbers), ranks);
        }
    BOOST_TEST((factors_on(1, route::ring, 5).numbers != factors.numbers));
}

BOOST_AUTO_TEST_CASE(a_star_carries_the_blocks_of_others_twice) {
    // all else that is sent does not depend on the route: the difference is that of rotation.hpp, blocks of as many numbers
    const auto extra = [](auto&& fit, int ranks, std::size_t more, std::size_t fewer) {
        const auto star = fit(ranks, route::star, more), ring = fit(ranks, route::ring, more);
        const auto star_before = fit(ranks, route::star, fewer), ring_before = fit(ranks, route::ring, fewer);
        return std::pair{(star.messages - ring.messages) - (star_before.messages - ring_before.messages),
                         (star.bytes - ring.bytes) - (star_before.bytes - ring_before.bytes)};
    };
    for (const int ranks : {3, 4}) {
        const auto r = static_cast<std::uint64_t>(ranks);
        // per cycle: nodes steps, star 2 (P - 1), ring P messages
        BOOST_TEST(extra(topics_on, ranks, 5, 3).first == 2 * nodes * (r - 2));
        BOOST_TEST(extra(factors_on, ranks, 5, 3).first == 2 * nodes * (r - 2));
        // in a cycle every border between ranks is passed once by every block; two borders touch rank 0, and others are passed twice
        BOOST_TEST(extra(factors_on, ranks, 5, 3).second == 2 * (r - 2) * 30 * 2 * sizeof(double));
    }
    const auto more = factors_on(2, route::ring, 5), fewer = factors_on(2, route::star, 5);
    BOOST_TEST(more.messages == fewer.messages);  // two ranks: both are neighbours of rank 0
    BOOST_TEST(more.bytes == fewer.bytes);
}

BOOST_AUTO_TEST_CASE(an_objective_that_is_computed_less_often_is_that_of_the_same_factors) {
    const data::arrays source(ratings());
    learn::factorisation<> often{.rank = 2,
                                 .lambda = 0.1,
                                 .method = learn::descent::rotation,
                                 .nodes = 4,
                                 .stop = {.iterations = 8, .tolerance = 0}};
    auto seldom = often;
    seldom.check_every = 3;
    const auto a = often.fit(source), b = seldom.fit(source);
    BOOST_TEST(a.column_factors == b.column_factors, boost::test_tools::per_element());
    BOOST_TEST(a.row_factors == b.row_factors, boost::test_tools::per_element());
    BOOST_TEST(a.objective == b.objective);
    BOOST_TEST_REQUIRE(b.history.size() == 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        const core::record &now = b.history[i], &same = a.history[now.iteration - 1];
        BOOST_TEST(now.iteration == std::min<std::size_t>(8, 3 * (i + 1)));
        BOOST_TEST(now.objective == same.objective);
        BOOST_TEST(now.passes == same.passes);
    }
}

BOOST_AUTO_TEST_CASE(blocks_that_visit_rows_find_the_factors) {
    const data::arrays source(ratings());
    const double least = learn::factorisation<>{.rank = 2, .lambda = 0.1}.fit(source).objective;
    for (const std::size_t blocks : {1u, 4u, 40u}) {
        const auto fit = learn::factorisation<>{.rank = 2,
                                                .lambda = 0.1,
                                                .method = learn::descent::rotation,
                                                .nodes = blocks,
                                                .stop = {.iterations = 150, .tolerance = 0}}
                             .fit(source);
        BOOST_TEST(fit.objective >= least * (1 - 1e-5));
        BOOST_TEST(fit.objective <= least * 1.02, blocks << ": " << fit.objective << " and " << least);
        BOOST_TEST(fit.history.back().objective < 0.1 * fit.history.front().objective);
    }
    const auto wild = learn::factorisation<>{.method = learn::descent::rotation, .rate = 1e3}.fit(source);
    BOOST_TEST((wild.status == core::status::diverged));
}

BOOST_AUTO_TEST_SUITE_END()
