// SPDX-License-Identifier: BSL-1.0
// sgd on nodes that tell each other compressed differences.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/compressor/quantized.hpp>
#include <gamut/compressor/top_k.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/exchange/compressed_gossip.hpp>
#include <gamut/exchange/gossip.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/problem.hpp>
#include <gamut/solver/sgd.hpp>
#include <gamut/topology/ring.hpp>

#include "interrupted.hpp"

using namespace gamut;

namespace {

/// 160 rows of 20 columns and two classes.
auto rows() {
    const core::random draw{.seed = 23};
    constexpr std::size_t n = 160, p = 20;
    std::vector<double> x(n * p), y(n);
    for (std::size_t i = 0; i < n; ++i) {
        double z = 3 * draw.normal(1'000'000 + i);
        for (std::size_t j = 0; j < p; ++j) z += (x[i * p + j] = draw.normal(i * p + j)) * (j % 3 ? 1 : -1);
        y[i] = z > 0 ? 1 : 0;
    }
    return data::arrays(x, n, p, y);
}

template <class C, class E, class... O>
auto minimum(const C& c, const E& exchange, std::size_t epochs, const std::string& resume, O&... observers) {
    const auto data = rows().load(c, {.classification = true, .blocks = 8});
    const solver::problem problem(model::logistic{}, data, penalty::l2{.strength = 1e-2}, backend::host<>{.threads = 1},
                                  c, true);
    const solver::sgd<double, update::plain, E> solver{.rate = .05,
                                                       .batch = 80,
                                                       .check_every = 0,
                                                       .blocks = 8,
                                                       .exchange = exchange,
                                                       .stop = {.iterations = epochs, .tolerance = 0},
                                                       .resume = resume};
    return solver.minimize(problem, observers...);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(compressed_nodes)

BOOST_AUTO_TEST_CASE(compressed_differences_come_as_near_as_gossip) {
    const communicator::single<> here;
    const auto gossip = minimum(here, exchange::gossip{topology::ring{}}, 300, "");
    const auto near = [&](const auto& exchange) {
        const auto found = minimum(here, exchange, 300, "");
        BOOST_TEST(std::abs(found.objective - gossip.objective) <= 1e-3);
        BOOST_TEST(found.history.back().dual_residual <= 4 * gossip.history.back().dual_residual);
        BOOST_TEST(found.message == "the limit of 300 iterations is used up");
    };
    near(exchange::compressed_gossip{topology::ring{}, compressor::top_k{.share = .2}, .3});
    near(exchange::compressed_gossip{topology::ring{}, compressor::quantized{}, .5});
}

BOOST_AUTO_TEST_CASE(nodes_that_drift_apart_are_told_so) {
    const auto found =
        minimum(communicator::single<>{},
                exchange::compressed_gossip{topology::ring{}, compressor::top_k{.share = .05}, 1}, 40, "");
    BOOST_TEST(found.history.back().dual_residual > 10);
    BOOST_TEST((found.status == core::status::iteration_limit));
    BOOST_TEST(found.message.find("the limit of 40 iterations is used up, and the nodes' distance from their mean grew "
                                  "from ") == 0u,
               found.message);
    BOOST_TEST(
        found.message.find(
            " (the rate is too large, or a consensus_rate of 1 is for what the compressor leaves out) try a quarter") !=
            std::string::npos,
        found.message);
}

BOOST_AUTO_TEST_CASE(what_they_remember_is_in_checkpoints) {
    BOOST_TEST(interrupted::at_every_iteration(
                   "compressed_gossip",
                   [](const auto& c, const std::string& resume, auto&... observers) {
                       return minimum(c,
                                      exchange::compressed_gossip{topology::ring{}, compressor::top_k{.share = .2}, .3},
                                      6, resume, observers...);
                   },
                   2) == "");
}

BOOST_AUTO_TEST_SUITE_END()
