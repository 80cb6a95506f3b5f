// SPDX-License-Identifier: BSL-1.0
// solver::sgd's .accumulate: gradients of several batches for one step.
#include <gamut/solver/sgd.hpp>

#include <gamut/communicator/threads.hpp>
#include <gamut/exchange/gossip.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/network.hpp>
#include <gamut/solver/wait_free.hpp>
#include <gamut/solver/zero.hpp>
#include <gamut/topology/ring.hpp>
#include <gamut/update/adam.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "network/tiny_mix.hpp"
#include "solver/interrupted.hpp"

using namespace gamut;

BOOST_AUTO_TEST_SUITE(accumulate)

namespace {
const network::classifier net{network::dense{12}, network::relu{}, network::dense{10}};

/// Two epochs of 256 rows (8 batches of 32) by Adam, on a model as the caller likes it.
template <class Sharing = solver::replicated, class C = communicator::single<>, class... O>
auto fit(std::size_t batch, std::size_t accumulate, const Sharing& sharing = {}, const C& ranks = {},
         const std::string& resume = {}, std::size_t epochs = 2, O&&... observers) {
    return estimator{.model = net,
                     .penalty = penalty::l2{1e-3},
                     .solver = solver::sgd{.rate = solver::schedule::step{.rate = 0.01, .factor = 0.5, .every = 0.5},
                                           .update = update::adam{},
                                           .batch = batch,
                                           .accumulate = accumulate,
                                           .sharing = sharing,
                                           .stop = {.iterations = epochs, .tolerance = 0},
                                           .resume = resume},
                     .communicator = ranks,
                     .prepare = {.columns = data::columns::as_given}}
        .fit(tiny_mix(256, 1, 0), observers...);
}
double apart(const std::vector<double>& a, const std::vector<double>& b) {
    double most = 0;
    for (std::size_t k = 0; k < a.size(); ++k) most = std::max(most, std::abs(a[k] - b[k]));
    return most;
}
}  // namespace

BOOST_AUTO_TEST_CASE(batches_of_one_step_are_one_batch) {
    const auto large = fit(128, 1).weights;
    BOOST_TEST(apart(fit(32, 4).weights, large) <= 1e-12);
    BOOST_TEST(apart(fit(64, 2).weights, large) <= 1e-12);
    BOOST_TEST(apart(fit(32, 1).weights, large) > 1e-3);
    // more than there are: one step per epoch
    BOOST_TEST(apart(fit(32, 100).weights, fit(256, 1).weights) <= 1e-12);
    // and without a network, whose batches of another size are of other rows
    const auto softmax = [](std::size_t batch, std::size_t accumulate) {
        return estimator{
            .model = model::softmax{},
            .solver = solver::sgd{.momentum = 0.9, .batch = batch, .accumulate = accumulate, .stop = {.iterations = 2}}}
            .fit(tiny_mix(256, 1, 0))
            .weights;
    };
    BOOST_TEST(apart(softmax(32, 8), softmax(256, 1)) <= 1e-12);
}

BOOST_AUTO_TEST_CASE(the_last_step_of_an_epoch_takes_what_is_left) {
    // 8 batches, 3 at a time: 3, 3 and 2, by hand
    auto model = net;
    const auto rows = tiny_mix(256, 1, 0).load(communicator::single<>{}, {.classification = true, .blocks = 4});
    solver::formula_problem<std::remove_const_t<decltype(model.loss_program(0))>, std::remove_cvref_t<decltype(rows)>,
                            penalty::none, backend::host<double>, communicator::single<>, false>
        p(model.loss_program(20), model.shapes(20), rows, model.start<double>(20));
    using array = decltype(p)::array;
    array w = p.start(), g = w, sum = w;
    for (const auto& [first, end] : {std::pair{0, 3}, {3, 6}, {6, 8}}) {
        sum = 0.0 * w;
        for (int index = first; index < end; ++index) {
            p.batch_gradient(w, {32, 1, 0, static_cast<std::size_t>(index)}, g);
            sum = sum + g;
        }
        w = w - (0.1 / (end - first)) * sum;
    }
    const auto found = solver::sgd{.batch = 32, .accumulate = 3, .stop = {.iterations = 1}}.minimize(p);
    BOOST_TEST(apart(found.weights.download(), w.download()) <= 1e-14);
}

BOOST_AUTO_TEST_CASE(the_same_bits_however_ranks_share_and_when_a_run_goes_on) {
    const auto alone = fit(32, 3).weights;
    for (int size = 1; size <= 3; ++size) {
        const auto same = [&](const auto& sharing) {
            std::vector<int> all(static_cast<std::size_t>(size));
            communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
                all[static_cast<std::size_t>(ranks.rank())] = fit(32, 3, sharing, ranks).weights == alone;
            });
            return std::count(all.begin(), all.end(), 1) == size;
        };
        BOOST_TEST(same(solver::replicated{}), size << " ranks");
        BOOST_TEST(same(solver::wait_free{}), size << " ranks, wait_free");
        BOOST_TEST(same(solver::zero{.stage = 1}), size << " ranks, stage 1");
        BOOST_TEST(same(solver::zero{.stage = 3}), size << " ranks, stage 3");
    }
    const interrupted::scratch place("accumulate");
    fit(32, 3, {}, communicator::single<>{}, {}, 1, core::checkpoints{.every = 1, .folder = place.folder()});
    BOOST_CHECK(fit(32, 3, {}, communicator::single<>{}, place.folder()).weights == alone);
}

BOOST_AUTO_TEST_CASE(nodes_add_up_their_own) {
    const auto nodes = [](std::size_t batch, std::size_t accumulate) {
        return estimator{.model = net,
                         .solver = solver::sgd{.momentum = 0.5,
                                               .batch = batch,
                                               .accumulate = accumulate,
                                               .blocks = 4,
                                               .exchange = exchange::gossip{topology::ring{}},
                                               .stop = {.iterations = 2}},
                         .prepare = {.columns = data::columns::as_given}}
            .fit(tiny_mix(256, 1, 0))
            .weights;
    };
    BOOST_TEST(apart(nodes(32, 4), nodes(128, 1)) <= 1e-12);
    BOOST_TEST(apart(nodes(32, 1), nodes(128, 1)) > 1e-3);
}

BOOST_AUTO_TEST_CASE(none_is_refused) {
    BOOST_CHECK_EXCEPTION(fit(32, 0), core::option_error, [](const core::option_error& e) {
        return std::string(e.what()).find("accumulate is 0") != std::string::npos;
    });
}

BOOST_AUTO_TEST_SUITE_END()
