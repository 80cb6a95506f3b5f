// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <gamut/communicator/sim.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/consistency/asynchronous.hpp>
#include <gamut/consistency/backup_workers.hpp>
#include <gamut/consistency/bounded_staleness.hpp>
#include <gamut/core/error.hpp>
#include <gamut/estimator.hpp>
#include <gamut/exchange/all_reduce.hpp>
#include <gamut/solver/newton_cg.hpp>
#include <gamut/solver/sgd.hpp>

#include "served.hpp"

using namespace gamut;
using served::minimum;
using served::steps;

BOOST_AUTO_TEST_SUITE(solver_asynchronous)

BOOST_AUTO_TEST_CASE(bulk_synchronous_has_the_same_bits_on_any_ranks_and_servers) {
    const auto alone = minimum(communicator::single<>{}, steps(consistency::bulk_synchronous{}, 1));
    BOOST_TEST((alone.status == core::status::iteration_limit));
    const auto check = [&](const auto& c) {
        for (const std::size_t servers : {0u, 2u, 4u}) {
            const auto found = minimum(c, steps(consistency::bulk_synchronous{}, servers));
            bool same = found.weights.download() == alone.weights.download();
            for (std::size_t k = 0; k < found.history.size(); ++k)
                same = same && found.history[k].residual == alone.history[k].residual;
            if (!same) throw core::error("other bits");
        }
        const auto fresh = minimum(c, steps(consistency::bounded_staleness{.slack = 0}, 3));
        if (fresh.weights.download() != alone.weights.download()) throw core::error("slack 0: other bits");
    };
    check(communicator::single<>{});
    for (const int ranks : {2, 3, 9}) communicator::threads<>::run(ranks, check);
    communicator::sim<>::run(5, {.latency = 1e-3, .stragglers = {{.rank = 1, .factor = 7}}}, check);
}

BOOST_AUTO_TEST_CASE(bulk_synchronous_is_sgd_with_one_copy_for_all) {
    const communicator::single<> here;
    const auto served = minimum(here, steps(consistency::bulk_synchronous{}, 2));
    const solver::sgd<double, update::momentum, exchange::all_reduce> shared{
        .rate = 0.05, .update = {.momentum = 0.5}, .batch = 40, .blocks = 7, .stop = {.iterations = 4, .tolerance = 0}};
    BOOST_TEST(backend::distance(served.weights, minimum(here, shared).weights) <= 1e-13);
}

BOOST_AUTO_TEST_CASE(only_a_small_gradient_is_called_converged) {
    served::by_table<consistency::bulk_synchronous> solver{
        .rate = 0.5, .batch = 160, .blocks = 7, .check_every = 5, .stop = {.iterations = 400, .tolerance = 1e-8}};
    const auto found = minimum(communicator::single<>{}, solver);
    BOOST_TEST((found.status == core::status::converged), found.message);
    BOOST_TEST(found.history.back().residual <= 1e-8);
    solver.stop.iterations = 5;
    BOOST_TEST((minimum(communicator::single<>{}, solver).status == core::status::iteration_limit));
    solver.rate = 1e6, solver.stop.iterations = 100;
    BOOST_TEST((minimum(communicator::single<>{}, solver).status != core::status::converged));
}

BOOST_AUTO_TEST_CASE(every_rule_comes_near_the_minimum) {
    const double best = minimum(communicator::single<>{}, solver::newton_cg{.stop = {.tolerance = 1e-12}}).objective;
    const auto check = [&](const auto& rule, double within) {
        auto solver = steps(rule, 2);
        solver.rate = 0.1, solver.stop.iterations = 60;
        const auto near = [&](const auto& c) {
            const auto found = minimum(c, solver);
            if (!(found.objective >= best - 1e-12 && found.objective <= best + within))
                throw core::error(core::text("objective ", found.objective, " instead of ", best));
        };
        near(communicator::single<>{});
        communicator::threads<>::run(3, near);
        communicator::sim<>::run(4, {.latency = 1e-3, .stragglers = {{.rank = 1, .factor = 7}}}, near);
    };
    check(consistency::bounded_staleness{.slack = 3}, 2e-3);
    check(consistency::bounded_staleness{.slack = 1, .pushes = true}, 2e-3);
    check(consistency::asynchronous{}, 1e-2);               // ranks may do an epoch alone
    check(consistency::backup_workers{.enough = 5}, 2e-2);  // whoever is always late is never heard
}

BOOST_AUTO_TEST_CASE(an_estimator_takes_it) {
    std::vector<double> objectives(2);
    communicator::threads<>::run(2, [&](const auto& c) {
        const estimator e{.model = model::logistic{},
                          .penalty = penalty::l2{.strength = 1e-2},
                          .solver = steps(consistency::bounded_staleness{.slack = 2}, 2),
                          .communicator = c};
        objectives[static_cast<std::size_t>(c.rank())] = e.fit(served::rows()).objective;
    });
    BOOST_TEST(objectives[0] == objectives[1]);
    BOOST_TEST(objectives[0] < std::log(2.0));
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused) {
    auto solver = steps(consistency::backup_workers{.enough = 8}, 1);
    BOOST_CHECK_EXCEPTION(minimum(communicator::single<>{}, solver), core::option_error, [](const auto& error) {
        return std::string(error.what()).find("backup_workers: enough is 8 (of 7 workers") != std::string::npos;
    });
    solver.batch = 0;
    BOOST_CHECK_EXCEPTION(minimum(communicator::single<>{}, solver), core::option_error, [](const auto& error) {
        return std::string(error.what()) == "asynchronous: batch is 0 (at least 1 row is needed) try 32";
    });
}

BOOST_AUTO_TEST_SUITE_END()
