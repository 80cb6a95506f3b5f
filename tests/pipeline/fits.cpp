// SPDX-License-Identifier: BSL-1.0
#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/core/result.hpp>
#include <gamut/fitted_network.hpp>
#include <gamut/network.hpp>
#include <gamut/solver/pipeline.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "pipeline/nets.hpp"
#include "solver/interrupted.hpp"

using namespace gamut;
using nets::with_problem;
namespace schedule = solver::pipeline_schedule;

BOOST_AUTO_TEST_SUITE(fits)

namespace {
using ranks = communicator::threads<>;

template <class Options> std::string refusal(const Options& options) {
    std::string why;
    with_problem(nets::small(), communicator::single<>{}, 120, 4, [&](const auto& p) {
        try {
            options.minimize(p);
        } catch (const core::option_error& problem) {
            why = problem.what();
        }
    });
    return why;
}
}  // namespace

BOOST_AUTO_TEST_CASE(an_estimator_learns_by_a_pipeline) {
    std::vector<double> accuracies(3), objectives(3);
    ranks::run(3, [&](const ranks& c) {
        std::size_t records = 0;
        const estimator e{
            .model = nets::small(),
            .penalty = penalty::l2{1e-4},
            .solver =
                solver::pipeline{
                    .rate = 0.1, .momentum = 0.9, .batch = 64, .micro_batches = 4, .stop = {.iterations = 6}},
            .communicator = c};
        const auto fit = e.fit(tiny_mix(2000, 1, 0), [&](const core::record& now) {
            if (now.passes == 1 + 2 * now.iteration) ++records;
        });
        const auto me = static_cast<std::size_t>(c.rank());
        accuracies[me] = fit.score(tiny_mix(2000, 1, 0)).accuracy;
        objectives[me] = fit.objective;
        if (c.rank() == 0) {
            BOOST_TEST(core::name(fit.status) == core::name(core::status::iteration_limit));
            BOOST_TEST(fit.iterations == 6u);
            BOOST_TEST(fit.history.size() == 7u);
            BOOST_TEST(records == 7u);
            BOOST_TEST(fit.history.back().objective == fit.objective);
            BOOST_TEST(fit.objective < 0.5 * fit.history.front().objective);
        }
    });
    BOOST_TEST(accuracies[0] > 0.85);
    BOOST_TEST(accuracies == std::vector<double>(3, accuracies[0]), boost::test_tools::per_element());
    BOOST_TEST(objectives == std::vector<double>(3, objectives[0]), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(weights_come_together_when_somebody_wants_them) {
    // broadcasts of all weights in a run of 5 epochs: of the start none; with a look, an observer or neither
    struct outcome {
        std::string result;
        double numbers = 0;  // sent by all ranks together
        bool operator==(const outcome&) const = default;
    };
    const auto run = [](std::size_t epochs, std::size_t check_every, auto&... observers) {
        std::vector<std::uint64_t> bytes(3);
        outcome found;
        ranks::run(3, [&](const ranks& c) {
            const communicator::counting<ranks> counted(c);
            with_problem(nets::small(), counted, 120, 4, [&](const auto& p) {
                counted.reset();
                const auto fit = solver::pipeline{.rate = 0.1,
                                                  .momentum = 0.9,
                                                  .batch = 30,
                                                  .check_every = check_every,
                                                  .stages = 3,
                                                  .micro_batches = 2,
                                                  .stop = {.iterations = epochs, .tolerance = 0}}
                                     .minimize(p, observers...);
                if (c.rank() == 0) found.result = interrupted::described(fit);
            });
            bytes[static_cast<std::size_t>(c.rank())] = counted.bytes();
        });
        for (const std::uint64_t one : bytes) found.numbers += static_cast<double>(one) / 8;
        return found;
    };
    const double all = 20 * 24 + 24 + 24 * 16 + 16 + 16 * 10 + 10;
    const auto nobody = [](const core::record&) {};
    const auto weights = [&](const core::record& now) {
        if (now.rank == 1 && static_cast<double>(now.weights().size()) != all) throw core::error("not all weights");
    };
    const outcome alone = run(5, 0), watched = run(5, 0, nobody), asked = run(5, 0, weights);
    BOOST_TEST((asked == watched));
    BOOST_TEST(interrupted::difference(alone.result, watched.result) == "");
    // the records before the last look; each observed one is an all-reduce of 4 bytes on each rank, six in all
    BOOST_TEST(watched.numbers - alone.numbers == 4 * all + 6 * 3 * 0.5);
    // a look also costs a pass, whose sums are known from the first look
    const double look = run(5, 2).numbers - alone.numbers;
    BOOST_TEST(run(5, 1).numbers - alone.numbers == 2 * look);
    BOOST_TEST(look > 2 * all);
}

BOOST_AUTO_TEST_CASE(single_precision_learns_as_well) {
    std::vector<double> accuracies(2);
    ranks::run(2, [&](const ranks& c) {
        const estimator e{
            .model = nets::small(),
            .solver =
                solver::pipeline{
                    .rate = 0.1, .momentum = 0.9, .batch = 64, .micro_batches = 2, .stop = {.iterations = 4}},
            .backend = backend::host<float>{},
            .communicator = c};
        accuracies[static_cast<std::size_t>(c.rank())] =
            e.fit(tiny_mix<float>(1000, 1, 0)).score(tiny_mix<float>(1000, 1, 0)).accuracy;
    });
    BOOST_TEST(accuracies[0] > 0.8);
    BOOST_TEST(accuracies[1] == accuracies[0]);
}

BOOST_AUTO_TEST_CASE(converged_is_what_it_is_for_sgd) {
    with_problem(network::classifier{network::dense{10}}, communicator::single<>{}, 120, 4, [](const auto& p) {
        const auto found =
            solver::pipeline{
                .rate = 0.5, .batch = 120, .micro_batches = 3, .stop = {.iterations = 3000, .tolerance = 1e-3}}
                .minimize(p);
        BOOST_TEST(core::name(found.status) == core::name(core::status::converged));
        auto g = p.start();
        p.value_and_gradient(p.start(), g);
        const double scale = backend::norm(g);
        p.value_and_gradient(found.weights, g);
        BOOST_TEST(backend::norm(g) <= 1e-3 * scale);
    });
}

BOOST_AUTO_TEST_CASE(runs_go_on_from_checkpoints_on_other_ranks) {
    const auto interrupt = [](const char* name, auto options) {
        return interrupted::at_every_iteration(name, [&](const auto& c, const std::string& from, auto&&... observers) {
            core::result<backend::array<backend::host<double>>> found;
            with_problem(nets::small(), c, 120, 4, [&](const auto& p) {
                auto mine = options;
                mine.resume = from;
                found = mine.minimize(p, observers...);
            });
            return found;
        });
    };
    BOOST_TEST(interrupt("pipeline", solver::pipeline{.rate = 0.1,
                                                      .momentum = 0.9,
                                                      .batch = 16,
                                                      .check_every = 2,
                                                      .stages = 3,
                                                      .micro_batches = 2,
                                                      .replicas = 2,
                                                      .stop = {.iterations = 4}}) == "");
    BOOST_TEST(interrupt("pipedream", solver::pipeline{.rate = 0.1,
                                                       .momentum = 0.5,
                                                       .batch = 16,
                                                       .stages = 3,
                                                       .schedule = schedule::pipedream{},
                                                       .stop = {.iterations = 3}}) == "");
}

BOOST_AUTO_TEST_CASE(a_stage_that_fails_is_everybodys_error) {
    std::vector<std::string> heard(3);
    ranks::run(3, [&](const ranks& c) { heard[static_cast<std::size_t>(c.rank())] = nets::heard(c, 1); });
    for (const std::string& one : heard) BOOST_TEST(one.find("the third step is too steep") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(options_that_make_no_sense) {
    BOOST_TEST(refusal(solver::pipeline{.stages = static_cast<std::size_t>(-1)}) ==
               "pipeline: stages is -1 (it must be at least 0) leave it at 0, for as many as there are ranks");
    BOOST_TEST(refusal(solver::pipeline{.stages = 99}).find("pipeline: 99 stages (this network can be cut at ") == 0u);
    BOOST_TEST(refusal(solver::pipeline{.micro_batches = 0}) ==
               "pipeline: micro_batches is 0 (it must be 1 to 32, so that each has a row of the batch) try 8");
    BOOST_TEST(refusal(solver::pipeline{.batch = 8, .micro_batches = 5, .replicas = 2}) ==
               "pipeline: micro_batches is 5 (it must be 1 to 4, so that each has a row of the batch) try 4");
    BOOST_TEST(refusal(solver::pipeline{.micro_batches = 2, .schedule = schedule::pipedream{}}) ==
               "pipeline: micro_batches is 2 (a schedule without a flush sends batches whole) leave it at 1");
    BOOST_TEST(refusal(solver::pipeline{.replicas = 0}) ==
               "pipeline: replicas is 0 (there is at least one pipeline) try 1");
    BOOST_TEST(refusal(solver::pipeline{.replicas = 5}) ==
               "pipeline: 5 replicas (the rows are in 4 groups) set blocks, or the network's");
    BOOST_TEST(refusal(solver::pipeline{.stages = 2, .cuts = {1, 2}}) ==
               "pipeline: 2 stages and 2 cuts (they do not fit together) leave stages at 0");
    BOOST_TEST(refusal(solver::pipeline{.cuts = {77}}).find("pipeline: cuts[0] is 77 (stages of this network") == 0u);
    BOOST_TEST(refusal(solver::pipeline{.cuts = {2, 2}}).find("pipeline: cuts[1] is 2 (stages of this network") == 0u);
    BOOST_TEST(refusal(solver::pipeline{.cuts = {2, 4}, .stop = {.iterations = 1}}) == "");
    BOOST_TEST(refusal(solver::pipeline{.momentum = 1}) ==
               "pipeline: momentum is 1 (it must be at least 0 and below 1) try 0.9");
}

BOOST_AUTO_TEST_SUITE_END()
