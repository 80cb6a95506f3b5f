// SPDX-License-Identifier: BSL-1.0
// Every rule in a solver: on a convex problem it finds the minimum, on any number of ranks with the same bits.
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <stdexcept>
#include <type_traits>

#include <gamut/communicator/threads.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/momentum_rule.hpp>
#include <gamut/solver/newton_cg.hpp>
#include <gamut/solver/schedule.hpp>
#include <gamut/solver/sgd.hpp>

#include "../solver/quadratic.hpp"
#include "rules.hpp"

using namespace gamut;
using solver::sgd;
namespace schedule = solver::schedule;

namespace {

const toy::table& numbers() {
    static const auto t = toy::random_table(256, 8, 0.2, true, true);
    return t;
}

template <class S> auto fit(const S& solver) {
    return solver.minimize(toy::make<toy::logistic>(numbers(), penalty::l2{0.01}));
}

double best() {
    static const double value = fit(solver::newton_cg{.stop = {.tolerance = 1e-12}}).objective;
    return value;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(update_descent)

BOOST_AUTO_TEST_CASE(every_rule_descends_to_the_minimum_of_a_logistic_loss) {
    const auto error = [](const auto& rule, double rate) {
        return fit(sgd{.rate = schedule::inverse_time{.rate = rate, .decay = 0.2},
                       .update = rule,
                       .batch = 32,
                       .stop = {.iterations = 200}})
                   .objective -
               best();
    };
    const double at_start = fit(sgd{.stop = {.iterations = 0}}).objective - best();
    BOOST_TEST(at_start > 0.3);
    BOOST_TEST(error(update::plain{}, 1) <= 1e-4);
    BOOST_TEST(error(update::momentum{}, 0.1) <= 1e-4);
    BOOST_TEST(error(update::nesterov{}, 0.1) <= 1e-4);
    BOOST_TEST(error(update::adagrad{}, 1) <= 1e-4);
    BOOST_TEST(error(update::rmsprop{}, 0.05) <= 1e-4);
    BOOST_TEST(error(update::adam{}, 0.05) <= 1e-4);
    BOOST_TEST(error(update::amsgrad{}, 0.05) <= 1e-4);
    BOOST_TEST(error(update::adamw{.decay = 0}, 0.05) <= 1e-4);
    BOOST_TEST(error(update::clip{.norm = 0.5}, 1) <= 1e-4);
    BOOST_TEST(error(update::clip{.rule = update::adam{}, .norm = 0.5}, 0.05) <= 1e-4);
    BOOST_TEST(error(running_mean{}, 1) <= 1e-4);
}

BOOST_AUTO_TEST_CASE(a_decoupled_decay_moves_the_minimum_towards_0) {
    const auto decayed = fit(sgd{.rate = 0.02, .update = update::adamw{.decay = 0.5}, .stop = {.iterations = 100}});
    const auto without = fit(sgd{.rate = 0.02, .update = update::adam{}, .stop = {.iterations = 100}});
    BOOST_TEST(backend::norm(decayed.weights) < 0.8 * backend::norm(without.weights));
    BOOST_TEST(decayed.objective > without.objective);
}

BOOST_AUTO_TEST_CASE(momentum_as_a_rule_has_the_bits_of_momentum_as_an_option) {
    const auto option = [](double momentum, solver::momentum_rule rule) {
        return fit(sgd{.rate = 0.2, .momentum = momentum, .rule = rule, .stop = {.iterations = 5}}).objective;
    };
    const auto rule = [](const auto& update) {
        return fit(sgd{.rate = 0.2, .update = update, .stop = {.iterations = 5}}).objective;
    };
    BOOST_TEST(rule(update::momentum{.momentum = 0.7}) == option(0.7, solver::momentum_rule::heavy_ball));
    BOOST_TEST(rule(update::nesterov{.momentum = 0.7}) == option(0.7, solver::momentum_rule::nesterov));
    BOOST_TEST(rule(update::plain{}) == option(0, solver::momentum_rule::heavy_ball));
    BOOST_TEST(option(0.7, solver::momentum_rule::heavy_ball) != option(0, solver::momentum_rule::heavy_ball));
}

BOOST_AUTO_TEST_CASE(ranks_do_not_change_a_bit) {
    for_each_rule([](const auto& rule) {
        const auto run_on = [&](const auto& c) {
            using R = std::remove_cvref_t<decltype(rule)>;  // clang 19 deduces nothing here
            return sgd<double, R>{.rate = 0.1, .update = rule, .batch = 20, .stop = {.iterations = 3}}
                .minimize(toy::make<toy::logistic>(numbers(), penalty::l2{0.01}, 4, c))
                .objective;
        };
        const double reference = run_on(communicator::single<>{});
        communicator::threads<>::run(3, [&](const auto& c) {
            if (run_on(c) != reference) throw std::runtime_error("other bits");
        });
    });
}

BOOST_AUTO_TEST_CASE(a_corner_goes_with_rules_that_are_not_adaptive) {
    const auto lasso = toy::make<toy::logistic>(numbers(), penalty::l1{0.05});
    const double expected = sgd{.rate = 1, .batch = 256, .stop = {.iterations = 5000}}.minimize(lasso).objective;
    const auto found =
        sgd{.rate = 0.5, .update = update::momentum{.momentum = 0.5}, .batch = 256, .stop = {.iterations = 5000}}
            .minimize(lasso);
    BOOST_TEST((found.status == core::status::converged));
    BOOST_TEST(std::abs(found.objective - expected) <= 1e-10);
    using problem = std::remove_cvref_t<decltype(lasso)>;
    static_assert(solver::SolverFor<sgd<double, update::momentum>, problem>);
    static_assert(!solver::SolverFor<sgd<double, update::adam>, problem>);
    static_assert(!solver::SolverFor<sgd<double, update::clip<update::adam>>, problem>);
}

BOOST_AUTO_TEST_CASE(rules_are_deduced_and_their_options_checked) {
    static_assert(std::is_same_v<decltype(sgd{.rate = 0.1}), sgd<double, update::plain>>);
    static_assert(std::is_same_v<decltype(sgd{.update = update::adam{}}), sgd<double, update::adam>>);
    BOOST_CHECK_THROW(fit(sgd{.update = update::adam{.first = 1}}), core::option_error);
    BOOST_CHECK_THROW(fit(sgd{.update = update::clip{.norm = -1}}), core::option_error);
    BOOST_CHECK_THROW(fit(sgd{.update = update::adam{}, .momentum = 0.9}), core::option_error);
}

BOOST_AUTO_TEST_SUITE_END()
