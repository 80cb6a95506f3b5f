// SPDX-License-Identifier: BSL-1.0
#include <gamut/shrink/prune.hpp>

#include <gamut/communicator/threads.hpp>
#include <gamut/core/checkpoints.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/shrink/held_problem.hpp>
#include <gamut/shrink/magnitude.hpp>
#include <gamut/shrink/mask.hpp>
#include <gamut/shrink/sparsity.hpp>
#include <gamut/shrink/tensor.hpp>
#include <gamut/solver/lbfgs.hpp>
#include <gamut/solver/newton_cg.hpp>
#include <gamut/update/adam.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <vector>

#include "shrink/cases.hpp"

using namespace gamut;
using namespace small;

BOOST_AUTO_TEST_SUITE(prune)

namespace {
const std::vector<shrink::tensor> two{{0, 0, 2, 3}, {2, 8, 2, 2}};  // with two biases between them
const std::vector<double> numbers{0.5, -3, 0.1, 2, -0.2, 1, 9, 9, -4, 5, 6, -7};
}  // namespace

BOOST_AUTO_TEST_CASE(the_largest_stay) {
    using list = std::vector<std::uint8_t>;
    const auto all = shrink::magnitude{.keep = 0.5}(numbers, two);
    BOOST_CHECK((all.alive == list{0, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1}));
    const auto each = shrink::magnitude{.keep = 0.5, .scope = shrink::scope::layer}(numbers, two);
    BOOST_CHECK((each.alive == list{0, 1, 0, 1, 0, 1, 1, 1, 0, 0, 1, 1}));
    BOOST_TEST(each.count(two[0]) == 3u);
    // of equal ones the first; at least one; what is gone stays gone
    BOOST_CHECK(
        (shrink::magnitude{.keep = 0.5}(std::vector<double>{1, -1, 1, 1}, {{0, 0, 2, 2}}).alive == list{1, 1, 0, 0}));
    BOOST_TEST(shrink::magnitude{.keep = 1e-9}(numbers, two).count(two) == 1u);
    const auto again = shrink::magnitude{.keep = 0.4}(numbers, two, each);
    BOOST_TEST(again.count(two) == 4u);
    for (std::size_t k = 0; k < numbers.size(); ++k) BOOST_TEST(again.alive[k] <= each.alive[k]);
}

BOOST_AUTO_TEST_CASE(a_drawn_mask_has_as_many_in_each_layer) {
    const auto each = shrink::magnitude{.keep = 0.5}(numbers, two);
    const auto drawn = shrink::shuffled(each, two, 3);
    for (const auto& t : two) BOOST_TEST(drawn.count(t) == each.count(t));
    BOOST_CHECK(drawn.alive != each.alive);
    BOOST_CHECK(drawn == shrink::shuffled(each, two, 3));
}

BOOST_AUTO_TEST_CASE(rounds_take_equal_shares_of_what_is_left) {
    const shrink::pruning how{.keep = std::pow(0.8, 9), .rounds = 9};
    for (std::size_t r = 1; r <= 9; ++r)
        BOOST_TEST(how.keep_after(r, 1) == std::pow(0.8, static_cast<double>(r)), boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(what_is_lost_stays_lost_with_any_solver) {
    const auto rows = tiny_mix(200, 1, 0).load(communicator::single<>{}, {.classification = true, .blocks = 4});
    const auto check = [&](const auto& e) {
        const auto problem = e.problem_of(rows);
        const auto tensors = shrink::tensors_of(e.model, problem.blocks_of_parameters());
        const auto start = problem.start();
        const auto alive =
            shrink::magnitude{.keep = 0.3}(std::vector<double>(start.data(), start.data() + start.size()), tensors);
        const shrink::held_problem held(problem, alive, start);
        const auto found = e.solver.minimize(held);  // not settled: the steps themselves keep zeros
        std::size_t zeros = 0, moved = 0;
        for (std::size_t k = 0; k < start.size(); ++k) {
            if (alive.alive[k] == 0) zeros += found.weights[k] == 0 ? 1u : 0u;
            if (alive.alive[k] == 1) moved += found.weights[k] != start[k] ? 1u : 0u;
        }
        BOOST_TEST(zeros == shrink::size_of(tensors) - alive.count(tensors));
        BOOST_TEST(moved > alive.count(tensors) / 2);
        BOOST_TEST(found.objective < held.value(held.start()));
    };
    const mlp net{{12}, {}, {12}, {}, {10}};
    const penalty::l2 decay{1e-3};
    check(estimator{.model = net,
                    .penalty = decay,
                    .solver = solver::sgd{.rate = 0.05, .momentum = 0.9, .stop = {.iterations = 2}}});
    check(estimator{.model = net,
                    .penalty = decay,
                    .solver = solver::sgd{.rate = 0.01, .update = update::adam{}, .stop = {.iterations = 2}}});
    check(estimator{.model = net, .penalty = decay, .solver = solver::lbfgs<>{.stop = {.iterations = 5}}});
    check(estimator{.model = net, .penalty = decay, .solver = solver::newton_cg<>{.stop = {.iterations = 2}}});
    check(estimator{
        .model = net, .penalty = penalty::l1{1e-4}, .solver = solver::sgd{.rate = 0.05, .stop = {.iterations = 2}}});
}

BOOST_AUTO_TEST_CASE(half_of_the_weights_cost_little) {
    const auto source = tiny_mix<float>(2000, 1, 0), test = tiny_mix<float>(2000, 1, 1);
    const auto fit = trainer<float>(60, 12).fit(source);
    const auto half = shrink::prune(trainer<float>(60, 6), source, fit, {.keep = 0.5});
    const auto left = shrink::sparsity_of(half);
    BOOST_TEST(left.size == 20u * 60 + 60 * 60 + 60 * 10);
    BOOST_TEST(left.alive == left.size / 2);
    BOOST_TEST(left.share() == 0.5);
    BOOST_TEST(left.layers.size() == 3u);
    BOOST_TEST(half.score(test).accuracy >= fit.score(test).accuracy - 0.01);
    // rounds: fewer and fewer, and the costs of all
    const auto third = shrink::prune(trainer<float>(60, 2), source, half, {.keep = 0.2, .rounds = 3});
    BOOST_TEST(shrink::sparsity_of(third).share() == 0.2);
    BOOST_TEST(third.iterations == 6u);
    for (std::size_t k = 0; k < half.weights.size(); ++k)
        if (half.weights[k] == 0) BOOST_REQUIRE(third.weights[k] == 0);
    BOOST_TEST(third.score(test).accuracy >= fit.score(test).accuracy - 0.05);
}

BOOST_AUTO_TEST_CASE(ranks_and_threads_change_no_bit) {
    const auto source = tiny_mix(300, 2, 0);
    const auto weights = [&](const auto& ranks, int threads) {
        const auto e = trainer(16, 2, ranks, threads);
        return shrink::prune(e, source, e.fit(source), {.keep = 0.3, .rounds = 2}).weights;
    };
    const std::vector<double> alone = weights(communicator::single<>{}, 1);
    BOOST_CHECK(weights(communicator::single<>{}, 3) == alone);
    for (const int size : {1, 3}) {
        std::vector<int> same(static_cast<std::size_t>(size));
        communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
            same[static_cast<std::size_t>(ranks.rank())] = weights(ranks, 1) == alone ? 1 : 0;
        });
        for (const int s : same) BOOST_TEST(s == 1, size << " ranks");
    }
}

BOOST_AUTO_TEST_CASE(an_observer_ends_all_rounds) {
    const auto source = tiny_mix(200, 2, 0);
    const auto e = trainer(16, 2);
    const auto fit = e.fit(source);
    std::size_t seen = 0;
    const auto stopped =
        shrink::prune(e, source, fit, {.keep = 0.3, .rounds = 4}, [&](const core::record&) { return ++seen == 5; });
    BOOST_CHECK(stopped.status == core::status::stopped);
    BOOST_TEST(seen == 5u);  // records 0, 1, 2 of the first round, 0 and 1 of the second
    BOOST_TEST(std::abs(shrink::sparsity_of(stopped).share() - std::sqrt(0.3)) < 0.01);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused) {
    const auto source = tiny_mix(200, 2, 0);
    const auto e = trainer(16, 1);
    const auto fit = e.fit(source);
    for (const double keep : {0.0, -0.1, 1.5, std::nan("")})
        BOOST_CHECK_EXCEPTION(shrink::prune(e, source, fit, {.keep = keep}), core::option_error, says("keep is "));
    BOOST_CHECK_EXCEPTION(shrink::prune(e, source, fit, {.rounds = 0}), core::option_error, says("rounds is 0"));
    auto going_on = e;
    going_on.solver.resume = "run";
    BOOST_CHECK_EXCEPTION(shrink::prune(going_on, source, fit, {}), core::option_error, says("resume is set"));
    core::checkpoints keeper{.folder = "run"};
    BOOST_CHECK_EXCEPTION(shrink::prune(e, source, fit, {}, keeper), core::option_error, says("checkpoints ("));
    BOOST_CHECK_EXCEPTION(shrink::prune(trainer(17, 1), source, fit), core::shape_error, says("other shapes"));
    auto wrong = fit;
    wrong.weights[7] = std::nan("");
    BOOST_CHECK_EXCEPTION(shrink::prune(e, source, wrong), core::data_error, says("weight 7 is nan"));
    wrong = fit;
    wrong.features = {"a", "b"};
    BOOST_CHECK_EXCEPTION(shrink::prune(e, source, wrong), core::data_error, says("not those of the fit"));
    wrong = fit;
    wrong.scaling.means.assign(20, 1.0);
    BOOST_CHECK_EXCEPTION(shrink::prune(e, source, wrong), core::data_error, says("other means"));
    const auto rows = source.load(communicator::single<>{}, {.classification = true, .blocks = 4});
    const auto problem = e.problem_of(rows);
    BOOST_CHECK_THROW(shrink::held_problem(problem, shrink::mask{}, backend::array<backend::host<>>(3)),
                      core::shape_error);
}

BOOST_AUTO_TEST_SUITE_END()
