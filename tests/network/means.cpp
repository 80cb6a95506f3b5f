// SPDX-License-Identifier: BSL-1.0
// Means over rows (batch_norm) of a network whose copies meet: no copy keeps any, the fitted network has those of the training rows.
#include <gamut/network.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/core/error.hpp>
#include <gamut/exchange/periodic.hpp>
#include <gamut/penalty/l2.hpp>

#include "network/tiny_mix.hpp"

using namespace gamut;

namespace {

constexpr std::size_t inputs = 20, units = 6, rows = 300, nodes = 4;

template <class C> auto fit(std::size_t every, const C& ranks) {
    const network::classifier net{network::dense{units}, network::batch_norm{}, network::relu{}, network::dense{10}};
    return estimator{.model = net,
                     .penalty = penalty::l2{1e-4},
                     .solver = solver::sgd{.rate = 0.05,
                                           .momentum = 0.9,
                                           .batch = 32,
                                           .check_every = 0,
                                           .blocks = nodes,
                                           .exchange = exchange::periodic{.every = every},
                                           .stop = {.iterations = 3, .tolerance = 0}},
                     .backend = backend::host<>{.threads = 1},
                     .communicator = ranks,
                     .prepare = {.columns = data::columns::as_given}}
        .fit(tiny_mix(rows, 1, 0));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(means)

BOOST_AUTO_TEST_CASE(those_of_copies_that_meet_are_exact_means_over_all_training_rows_and_the_same_bits_on_any_ranks) {
    // meeting never within the fit, sometimes, and at every step
    for (const std::size_t every : {1000u, 5u, 1u}) {
        const auto alone = fit(every, communicator::single<>{});
        BOOST_TEST_REQUIRE(alone.statistics.size() == 2 * units);
        const auto data = tiny_mix(rows, 1, 0).load(communicator::single<>{}, {.classification = true});
        for (std::size_t k = 0; k < units; ++k) {  // x W + b, by the mean of the copies' weights
            double mean = 0;
            for (std::size_t i = 0; i < rows; ++i) {
                mean += alone.weights[inputs * units + k] / rows;
                for (std::size_t j = 0; j < inputs; ++j) mean += data.x(i, j) * alone.weights[j * units + k] / rows;
            }
            BOOST_TEST(std::abs(alone.statistics[k] - mean) <= 1e-12);
        }
        for (int size = 2; size <= 4; ++size)
            communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
                const auto found = fit(every, ranks);
                if (found.weights != alone.weights) throw core::error("other weights");
                if (found.statistics != alone.statistics) throw core::error("other means");
            });
    }
}

BOOST_AUTO_TEST_SUITE_END()
