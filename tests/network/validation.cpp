// SPDX-License-Identifier: BSL-1.0
// Early stopping of a network on rows that its fit does not see.
#include <gamut/network.hpp>
#include <gamut/validation.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <string_view>

#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/core/error.hpp>
#include <gamut/penalty/none.hpp>

#include "network/tiny_mix.hpp"

using namespace gamut;

namespace {

template <class Net, class C> auto trainer(const Net& net, const C& ranks) {
    return estimator{
        .model = net,
        .penalty = penalty::none{},
        .solver =
            solver::sgd{
                .rate = 0.05, .momentum = 0.9, .batch = 16, .blocks = 4, .stop = {.iterations = 200, .tolerance = 0}},
        .backend = backend::host<>{.threads = 1},
        .communicator = ranks,
        .prepare = {.columns = data::columns::as_given}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(network_validation)

BOOST_AUTO_TEST_CASE(a_network_that_learns_by_heart_stops_early_and_the_best_weights_are_kept_on_any_ranks) {
    const network::classifier net{network::dense{40}, network::relu{}, network::dense{10}};
    const auto few = tiny_mix(120, 1, 0), others = tiny_mix(500, 1, 1);
    const auto stopped = [&](const auto& ranks) {
        const auto learner = trainer(net, ranks);
        validation watch(learner, others, {.patience = 5});
        const auto last = learner.fit(few, watch);
        BOOST_TEST((last.status == core::status::stopped));
        BOOST_TEST(last.iterations == watch.best_iteration() + 5);
        const auto best = watch.best();
        BOOST_TEST(best.score(others).loss == watch.best_loss());
        BOOST_TEST(best.score(others).loss < last.score(others).loss);
        BOOST_TEST(watch.history().size() == last.iterations + 1);
        for (const auto& seen : watch.history()) BOOST_TEST(seen.score.loss >= watch.best_loss());
        return best.weights;
    };
    const auto alone = stopped(communicator::single<>{});
    communicator::threads<>::run(3, [&](const auto& ranks) {
        const auto learner = trainer(net, ranks);
        validation watch(learner, others, {.patience = 5});
        learner.fit(few, watch);
        if (ranks.rank() == 0) BOOST_TEST((watch.best().weights == alone));
    });
}

BOOST_AUTO_TEST_CASE(means_over_rows_are_not_known_before_a_fit_has_ended) {
    const auto learner =
        trainer(network::classifier{network::dense{8}, network::batch_norm{}, network::relu{}, network::dense{10}},
                communicator::single<>{});
    const auto rows = tiny_mix(80, 1, 0);
    validation watch(learner, rows);
    BOOST_CHECK_EXCEPTION(learner.fit(rows, watch), core::option_error, [](const core::option_error& e) {
        return std::string_view(e.what()).find("means over rows are not known yet") != std::string_view::npos;
    });
}

BOOST_AUTO_TEST_SUITE_END()
