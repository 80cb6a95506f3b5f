// SPDX-License-Identifier: BSL-1.0
// How fits end: not converging is a status that says why, never an error.
#include "shipped.hpp"

#include <boost/test/unit_test.hpp>

using namespace gamut;

namespace {

/// Two classes on either side of x0 = 0.
data::arrays<fits::dense> separable() {
    fits::dense x(40, 2);
    std::vector<double> y(40);
    for (std::size_t i = 0; i < 40; ++i) {
        y[i] = static_cast<double>(i % 2);
        x(i, 0) = (2 * y[i] - 1) * (0.1 + 0.05 * static_cast<double>(i));
        x(i, 1) = std::sin(static_cast<double>(i));
    }
    return data::arrays(std::move(x), y);
}

void check_separable(const fits::outcome<fits::dense>& found) {
    BOOST_TEST(core::name(found.status) == core::name(core::status::separable), found.message);
    BOOST_TEST(found.message.find("separable") != std::string::npos, found.message);
    BOOST_TEST(found.iterations < 500u);
    for (const double w : found.weights) BOOST_TEST(std::isfinite(w));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(how_fits_end)

BOOST_AUTO_TEST_CASE(separable_classes_without_a_penalty_are_reported) {
    const auto source = separable();
    check_separable(fits::fit(model::logistic{}, penalty::l2{0}, solver::lbfgs<>{}, source));
    check_separable(fits::fit(model::logistic{}, penalty::l2{0}, solver::newton_cg<>{}, source));
    check_separable(fits::fit(model::softmax{}, penalty::l2{0}, solver::lbfgs<>{}, source));
    check_separable(fits::fit(model::softmax{}, penalty::l2{0}, solver::newton_cg<>{}, source));
    check_separable(fits::fit(model::logistic{}, penalty::l0{.kappa = 1}, solver::disadmm<>{}, source));
}

BOOST_AUTO_TEST_CASE(separable_classes_with_a_ridge_converge) {
    const auto source = separable();
    for (const double l2 : {1e-8, 1e-3}) {
        const auto found = fits::fit(model::logistic{}, penalty::l2{l2}, solver::newton_cg<>{}, source);
        BOOST_TEST(core::name(found.status) == core::name(core::status::converged), found.message);
    }
    const auto sparse = fits::fit(model::logistic{}, penalty::l0{.kappa = 1, .l2 = 1e-3}, solver::disadmm<>{}, source);
    BOOST_TEST(core::name(sparse.status) == core::name(core::status::converged), sparse.message);
}

BOOST_AUTO_TEST_CASE(limits_and_observers_end_a_run_with_their_status) {
    const auto check = [](auto penalty, auto solver) {
        auto few = solver;
        few.stop.iterations = 3;
        const auto limited = fits::fit(model::logistic{}, penalty, few, shipped::breast_cancer);
        BOOST_TEST(core::name(limited.status) == core::name(core::status::iteration_limit), limited.message);
        BOOST_TEST(std::isfinite(limited.objective));

        const fits::observer third = [](const core::record& now) { return now.iteration == 3; };
        const auto stopped = fits::fit(model::logistic{}, penalty, solver, shipped::breast_cancer, {.observe = third});
        BOOST_TEST(core::name(stopped.status) == core::name(core::status::stopped), stopped.message);
        BOOST_TEST(stopped.message == "an observer asked to stop");

        auto hurried = solver;
        hurried.stop.seconds = 1e-9;
        const auto late = fits::fit(model::logistic{}, penalty, hurried, shipped::breast_cancer);
        BOOST_TEST(core::name(late.status) == core::name(core::status::time_limit), late.message);
    };
    check(penalty::l2{1e-3}, solver::lbfgs<>{.stop = {.tolerance = 1e-12}});
    check(penalty::l2{1e-3}, solver::newton_cg<>{.stop = {.tolerance = 1e-12}});
    check(penalty::l2{1e-3}, solver::sgd<>{.stop = {.tolerance = 1e-12}});
    check(penalty::elastic_net{1e-3, 0}, solver::admm<>{.stop = {.tolerance = 1e-12}});
    check(penalty::l0{.kappa = 3, .l2 = 1e-3}, solver::disadmm<>{});
}

BOOST_AUTO_TEST_CASE(a_rate_that_is_too_large_diverges_and_says_so) {
    const auto found = fits::fit(model::linear{}, penalty::l2{0}, solver::sgd<>{.rate = 10}, shipped::diabetes);
    BOOST_TEST(core::name(found.status) == core::name(core::status::diverged), found.message);
}

BOOST_AUTO_TEST_CASE(converged_implies_finite_numbers_and_a_history_that_ends_there) {
    const auto check = [](const auto& found) {
        BOOST_TEST(core::name(found.status) == core::name(core::status::converged), found.message);
        BOOST_TEST(std::isfinite(found.objective));
        for (const double w : found.solver_weights) BOOST_TEST(std::isfinite(w));
        BOOST_TEST_REQUIRE(!found.history.empty());
        for (std::size_t i = 1; i < found.history.size(); ++i) {
            BOOST_TEST(found.history[i].iteration > found.history[i - 1].iteration);
            BOOST_TEST(found.history[i].passes >= found.history[i - 1].passes);
        }
        BOOST_TEST(found.history.back().iteration >= found.iterations);
        BOOST_TEST(found.history.back().passes <= found.passes);
        BOOST_TEST(found.passes > 0u);
    };
    check(fits::fit(model::logistic{}, penalty::l2{1e-2}, solver::lbfgs<>{}, shipped::breast_cancer));
    check(fits::fit(model::logistic{}, penalty::l2{1e-2}, solver::newton_cg<>{}, shipped::breast_cancer));
    check(fits::fit(model::logistic{}, penalty::elastic_net{1e-2, 1e-2}, solver::admm<>{}, shipped::breast_cancer));
    check(
        fits::fit(model::logistic{}, penalty::l0{.kappa = 3, .l2 = 1e-2}, solver::disadmm<>{}, shipped::breast_cancer));
}

BOOST_AUTO_TEST_CASE(the_default_solver_suits_the_model_too) {
    const auto cancer = shipped::breast_cancer;
    const estimator machine{.model = model::hinge{}, .penalty = penalty::l2{.strength = 0.01}};
    const auto fit = machine.fit(cancer);
    BOOST_TEST((fit.status == core::status::converged));
    BOOST_TEST(fit.gap() <= 1e-6);
    BOOST_TEST(fit.lower_bound <= fit.objective);
    const estimator without{.model = model::hinge{}, .penalty = penalty::elastic_net{.l1 = 0.01, .l2 = 0}};
    BOOST_TEST(without.fit(cancer).objective <= 0.2);  // no l2, no dual
    static_assert(std::is_same_v<solver::default_for<model::hinge, penalty::l1>::type, solver::admm<>>);
    static_assert(std::is_same_v<solver::default_for<model::hinge, penalty::none>::type, solver::admm<>>);
    static_assert(std::is_same_v<solver::default_for<model::hinge, penalty::l0>::type, solver::disadmm<>>);
    static_assert(std::is_same_v<solver::default_for<model::squared_hinge, penalty::l2>::type, solver::lbfgs<>>);
    // admm, too, comes near where a loss has corners, and does not run away
    const estimator consensus{.model = model::hinge{},
                              .penalty = penalty::l2{.strength = 0.01},
                              .solver = solver::admm<>{.stop = {.iterations = 300}}};
    BOOST_TEST(consensus.fit(cancer).objective <= 1.05 * fit.objective);
}

BOOST_AUTO_TEST_SUITE_END()
