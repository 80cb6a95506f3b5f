// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <stdexcept>

#include <gamut/communicator/threads.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/newton_cg.hpp>
#include <gamut/solver/schedule.hpp>
#include <gamut/solver/sgd.hpp>

#include "quadratic.hpp"

using namespace gamut;
using solver::sgd;
namespace schedule = solver::schedule;

namespace {

const toy::table& numbers() {
    static const auto t = toy::random_table(256, 8, 0.2, true, true);
    return t;
}

double best() {
    static const double value = solver::newton_cg{.stop = {.tolerance = 1e-12}}
                                    .minimize(toy::make<toy::logistic>(numbers(), penalty::l2{0.01}))
                                    .objective;
    return value;
}

template <class S> auto fit(const S& solver) {
    return solver.minimize(toy::make<toy::logistic>(numbers(), penalty::l2{0.01}));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(solver_sgd)

BOOST_AUTO_TEST_CASE(a_falling_rate_approaches_the_minimum) {
    const auto result =
        fit(sgd{.rate = schedule::inverse_time{.rate = 1, .decay = 0.5}, .batch = 16, .stop = {.iterations = 200}});
    BOOST_TEST(result.objective - best() >= 0);
    BOOST_TEST(result.objective - best() <= 1e-5);
    BOOST_TEST(result.iterations == 200);
    BOOST_TEST((result.status == core::status::iteration_limit));
}

BOOST_AUTO_TEST_CASE(all_rows_in_one_batch_is_gradient_descent_and_converges) {
    const auto result = fit(sgd{.rate = 1, .batch = 256, .stop = {.iterations = 5000}});
    BOOST_TEST((result.status == core::status::converged));
    BOOST_TEST(result.objective - best() <= 1e-13);
}

BOOST_AUTO_TEST_CASE(momentum_needs_fewer_epochs) {
    const auto epochs = [](double momentum, solver::momentum_rule rule) {
        return fit(sgd{.rate = 0.5, .momentum = momentum, .rule = rule, .batch = 256, .stop = {.iterations = 5000}})
            .iterations;
    };
    const auto plain = epochs(0, solver::momentum_rule::heavy_ball);
    BOOST_TEST(epochs(0.8, solver::momentum_rule::heavy_ball) < plain / 2);
    BOOST_TEST(epochs(0.8, solver::momentum_rule::nesterov) < plain / 2);
}

BOOST_AUTO_TEST_CASE(a_corner_is_handled_by_the_prox_and_gives_zeros) {
    const auto p = toy::make<toy::logistic>(numbers(), penalty::l1{0.05});
    const auto result = sgd{.rate = 1, .batch = 256, .stop = {.iterations = 5000}}.minimize(p);
    BOOST_TEST((result.status == core::status::converged));
    BOOST_TEST(result.history.back().nonzeros < 8);
    // the optimality conditions of the lasso
    toy::array g(9);
    p.value_and_gradient(result.weights, g);
    for (std::size_t j = 0; j < 8; ++j) {
        const double w = result.weights[j];
        if (w == 0)
            BOOST_TEST(std::abs(g[j]) <= 0.05 + 1e-8);
        else
            BOOST_TEST(std::abs(g[j] + (w > 0 ? 0.05 : -0.05)) <= 1e-7);
    }
    BOOST_TEST(std::abs(g[8]) <= 1e-7);
}

BOOST_AUTO_TEST_CASE(check_every_saves_passes_and_still_ends_with_the_objective) {
    const auto often = fit(sgd{.rate = 0.5, .stop = {.iterations = 10}});
    const auto never = fit(sgd{.rate = 0.5, .check_every = 0, .stop = {.iterations = 10}});
    BOOST_TEST(often.objective == never.objective);
    BOOST_TEST(often.passes > never.passes);
    BOOST_TEST(std::isnan(never.history[5].residual));
    BOOST_TEST(never.history[5].phase == "batches");
    BOOST_TEST(std::isfinite(never.history[5].objective));
    BOOST_TEST(never.history.back().objective == never.objective);
}

BOOST_AUTO_TEST_CASE(the_seed_decides_and_the_ranks_do_not) {
    const auto run_on = [&](const auto& c, std::uint64_t seed) {
        return sgd{.rate = 0.3, .momentum = 0.5, .batch = 20, .seed = seed, .stop = {.iterations = 5}}.minimize(
            toy::make<toy::logistic>(numbers(), penalty::l2{0.01}, 4, c));
    };
    const auto reference = run_on(communicator::single<>{}, 7);
    BOOST_TEST(reference.objective == run_on(communicator::single<>{}, 7).objective);
    BOOST_TEST(reference.objective != run_on(communicator::single<>{}, 8).objective);
    for (const int ranks : {2, 5})
        communicator::threads<>::run(ranks, [&](const auto& c) {
            if (run_on(c, 7).objective != reference.objective) throw std::runtime_error("other bits");
        });
}

BOOST_AUTO_TEST_CASE(too_long_steps_diverge_and_say_so) {
    const auto t = toy::random_table(64, 4, 0, false);
    const auto result =
        sgd{.rate = 100, .stop = {.iterations = 500}}.minimize(toy::make<toy::squared>(t, penalty::l2{0.1}));
    BOOST_TEST((result.status == core::status::diverged));
}

BOOST_AUTO_TEST_CASE(schedules_are_what_they_say) {
    BOOST_TEST(schedule::at(0.25, 3) == 0.25);
    BOOST_TEST(schedule::at(schedule::constant{0.5}, 9) == 0.5);
    const schedule::step step{.rate = 1, .factor = 0.1, .every = 5};
    BOOST_TEST(step(4.9) == 1);
    BOOST_TEST(step(5) == 0.1);
    BOOST_TEST(std::abs(step(14.9) - 0.01) < 1e-15);
    const schedule::inverse_time inverse{.rate = 2, .decay = 0.5};
    BOOST_TEST(inverse(2) == 1);
    const schedule::cosine cosine{.rate = 1, .epochs = 10, .least = 0.2};
    BOOST_TEST(cosine(0) == 1);
    BOOST_TEST(std::abs(cosine(5) - 0.6) < 1e-15);
    BOOST_TEST(std::abs(cosine(10) - 0.2) < 1e-15);
    BOOST_TEST(std::abs(cosine(99) - 0.2) < 1e-15);
    const auto own = [](double epoch) { return 1 / (1 + epoch * epoch); };
    BOOST_TEST(schedule::at(own, 2) == 0.2);
    BOOST_TEST(std::isfinite(fit(sgd{.rate = own, .stop = {.iterations = 2}}).objective));
}

BOOST_AUTO_TEST_CASE(a_warm_up_rises_to_the_first_rate_and_follows_the_schedule_from_its_beginning) {
    const schedule::warm_up to_a_number{.epochs = 4, .after = 0.5};
    BOOST_TEST(to_a_number(0) == 0);
    BOOST_TEST(to_a_number(1) == 0.125);
    BOOST_TEST(to_a_number(3) == 0.375);
    BOOST_TEST(to_a_number(4) == 0.5);
    BOOST_TEST(to_a_number(99) == 0.5);
    const schedule::cosine falling{.rate = 1, .epochs = 10, .least = 0.2};
    const schedule::warm_up to_a_schedule{.epochs = 2, .after = falling};
    BOOST_TEST(to_a_schedule(1) == 0.5);
    for (const double epoch : {0.0, 2.5, 10.0, 20.0}) BOOST_TEST(to_a_schedule(2 + epoch) == falling(epoch));

    BOOST_CHECK_THROW(fit(sgd{.rate = schedule::warm_up<>{.epochs = 0}}), core::option_error);
    BOOST_CHECK_THROW(fit(sgd{.rate = schedule::warm_up{.after = 0.0}}), core::option_error);
    BOOST_CHECK_THROW(fit(sgd{.rate = schedule::warm_up{.after = schedule::cosine{.rate = -1}}}), core::option_error);
}

BOOST_AUTO_TEST_CASE(a_rate_that_begins_or_ends_at_0_leaves_residuals_that_are_numbers) {
    const auto p = toy::make<toy::logistic>(numbers(), penalty::l1{0.01});
    const auto check = [&](const auto& rate) {
        const auto result = sgd{.rate = rate, .batch = 64, .stop = {.iterations = 6}}.minimize(p);
        BOOST_TEST(result.objective < result.history.front().objective);
        for (const auto& record : result.history) BOOST_TEST(std::isfinite(record.residual));
    };
    check(schedule::warm_up{.epochs = 2, .after = 0.5});
    check(schedule::cosine{.rate = 0.5, .epochs = 3});
}

BOOST_AUTO_TEST_CASE(momentum_weighs_a_penalty_with_corners_as_it_weighs_the_loss) {
    const auto p = toy::make<toy::logistic>(numbers(), penalty::l1{0.05});
    const auto end = [&](double momentum, solver::momentum_rule rule) {
        return sgd{.rate = 0.2 * (1 - momentum),
                   .momentum = momentum,
                   .rule = rule,
                   .batch = 100'000,  // all rows
                   .check_every = 500,
                   .stop = {.iterations = 4000, .tolerance = 1e-9}}
            .minimize(p)
            .objective;
    };
    const double expected = end(0, solver::momentum_rule::heavy_ball);
    for (const double momentum : {0.5, 0.9})
        for (const auto rule : {solver::momentum_rule::heavy_ball, solver::momentum_rule::nesterov})
            BOOST_TEST(end(momentum, rule) == expected, boost::test_tools::tolerance(1e-8));
}

BOOST_AUTO_TEST_CASE(bad_options_are_errors) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const double bad : {0.0, -1.0, nan, std::numeric_limits<double>::infinity()}) {
        BOOST_CHECK_THROW(fit(sgd{.rate = bad}), core::option_error);
        BOOST_CHECK_THROW(fit(sgd{.rate = schedule::constant{bad}}), core::option_error);
        BOOST_CHECK_THROW(fit(sgd{.rate = schedule::step{.every = bad}}), core::option_error);
        BOOST_CHECK_THROW(fit(sgd{.rate = schedule::inverse_time{.decay = bad}}), core::option_error);
        BOOST_CHECK_THROW(fit(sgd{.rate = schedule::cosine{.epochs = bad}}), core::option_error);
    }
    BOOST_CHECK_THROW(fit(sgd{.momentum = 1}), core::option_error);
    BOOST_CHECK_THROW(fit(sgd{.momentum = nan}), core::option_error);
    BOOST_CHECK_THROW(fit(sgd{.batch = 0}), core::option_error);
    BOOST_CHECK_THROW(fit(sgd{.stop = {.tolerance = nan}}), core::option_error);
    BOOST_CHECK_THROW(fit(sgd{.rate = schedule::cosine{.least = 2}}), core::option_error);
}

BOOST_AUTO_TEST_SUITE_END()
