// SPDX-License-Identifier: BSL-1.0
// How fits end: not converging is a status that says why, never an error.
#include "shipped.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>

#include "../data/helpers.hpp"

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

data::arrays<fits::dense> rows_of(std::size_t columns, const std::vector<double>& entries,
                                  const std::vector<double>& y) {
    fits::dense x(y.size(), columns);
    for (std::size_t i = 0; i < y.size(); ++i)
        for (std::size_t j = 0; j < columns; ++j) x(i, j) = entries[i * columns + j];
    return data::arrays(std::move(x), y);
}

/// No minimum exists, and the message names the column.
template <class Found> void check_no_minimum(const Found& found, const std::string& column) {
    BOOST_TEST(core::name(found.status) == core::name(core::status::separable), found.message);
    BOOST_TEST(found.message.find(column) != std::string::npos, found.message);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(how_fits_end)

BOOST_AUTO_TEST_CASE(a_large_intercept_hides_nothing) {
    const auto two = rows_of(2, {1, 1, 2, 1, 3, 2, 4, 5, 5, 3}, {1e9 + 2, 1e9 + 4, 1e9 + 6, 1e9 + 9, 1e9 + 11});
    const auto one = rows_of(1, {1, 2, 3, 4}, {1e9 + 2, 1e9 + 4, 1e9 + 6, 1e9 + 8});
    const auto check = [&](auto solver, auto penalty, double tolerance) {
        const auto found = fits::fit(model::linear{}, penalty, solver, two);
        BOOST_TEST(core::name(found.status) == core::name(core::status::converged), found.message);
        BOOST_TEST(std::abs(found.weights[0] - 13. / 6) < tolerance);
        BOOST_TEST(std::abs(found.weights[1] - 1. / 6) < tolerance);
        const auto given = fits::fit(model::linear{}, penalty, solver, one, {.prepare = shipped::as_given});
        BOOST_TEST(core::name(given.status) == core::name(core::status::converged), given.message);
        BOOST_TEST(std::abs(given.weights[0] - 2) < tolerance);
    };
    check(solver::lbfgs<>{}, penalty::l2{0}, 1e-6);
    check(solver::newton_cg<>{}, penalty::l2{0}, 1e-6);
    check(solver::admm<>{}, penalty::elastic_net{0, 0}, 1e-4);
}

BOOST_AUTO_TEST_CASE(columns_of_very_different_sizes_as_given_are_fitted_alike) {
    const auto source = rows_of(2, {1e6, 1e-6, -1e6, 1e-6, 1e6, -1e-6, -1e6, -1e-6}, {2, 0, 0, -2});
    const auto check = [&](auto solver) {
        const auto found = fits::fit(model::linear{}, penalty::l2{0}, solver, source, {.prepare = shipped::as_given});
        BOOST_TEST(core::name(found.status) == core::name(core::status::converged), found.message);
        BOOST_TEST(found.objective < 1e-12);
        BOOST_TEST(std::abs(found.weights[0] - 1e-6) < 1e-12);
        BOOST_TEST(std::abs(found.weights[1] - 1e6) < 1);
    };
    check(solver::lbfgs<>{});
    check(solver::newton_cg<>{});
}

BOOST_AUTO_TEST_CASE(tiny_labels_converge) {
    const auto source = rows_of(1, {1, 2, 3, 4}, {2e-16, 4e-16, 5e-16, 8e-16});
    for (const auto& found : {fits::fit(model::linear{}, penalty::l2{0}, solver::lbfgs<>{}, source),
                              fits::fit(model::linear{}, penalty::l2{0}, solver::newton_cg<>{}, source),
                              fits::fit(model::linear{}, penalty::elastic_net{0, 0}, solver::admm<>{}, source)}) {
        BOOST_TEST(core::name(found.status) == core::name(core::status::converged), found.message);
        BOOST_TEST(std::abs(found.weights[0] - 1.9e-16) < 1e-20);
    }
}

BOOST_AUTO_TEST_CASE(counts_with_large_offsets_start_at_the_best_intercept) {
    const test::temporary_file own("", "offsets.csv");
    const std::string& path = own.path;
    for (const double offset : {20., 17., -20., 300.}) {
        {
            std::ofstream out(path);
            out << "x,logpop,y\n";
            for (int i = 0; i < 6; ++i) out << i / 3 << "," << offset << "," << 3 * (1 + i / 3) << "\n";
        }
        const data::csv<> source{.path = path, .label = "y", .offset = "logpop"};
        const auto check = [&](const auto& machine) {
            const auto found = machine.fit(source);
            BOOST_TEST(core::name(found.status) == core::name(core::status::converged), found.message);
            BOOST_TEST(std::abs(found.weights[0] - std::log(2.)) < 1e-6);
        };
        check(estimator{.model = model::poisson{}, .penalty = penalty::l2{0}, .solver = solver::lbfgs<>{}});
        check(estimator{.model = model::poisson{}, .penalty = penalty::elastic_net{1e-9, 0}});
    }
}

BOOST_AUTO_TEST_CASE(where_some_rows_can_be_told_apart_no_minimum_exists) {
    const auto two = rows_of(1, {-2, -1, 0, 0, 1, 2}, {0, 0, 0, 1, 1, 1});
    const auto three = rows_of(1, {-2, -1, 0, 0, 1, 2, 3, 4}, {0, 0, 0, 1, 1, 1, 2, 2});
    for (const int ranks : {1, 2}) {
        const auto on = [&](auto model, auto penalty, auto solver, const auto& source) {
            if (ranks == 1) {
                check_no_minimum(fits::fit(model, penalty, solver, source), "x0");
            } else {
                communicator::threads<>::run(2, [&](const communicator::threads<>& mine) {
                    const auto found = fits::fit(model, penalty, solver, source, {.ranks = mine});
                    if (mine.rank() == 0) check_no_minimum(found, "x0");
                });
            }
        };
        on(model::logistic{}, penalty::l2{0}, solver::lbfgs<>{}, two);
        on(model::logistic{}, penalty::l2{0}, solver::newton_cg<>{}, two);
        on(model::logistic{}, penalty::elastic_net{0, 0}, solver::admm<>{}, two);
        on(model::logistic{}, penalty::l0{.kappa = 1}, solver::disadmm<>{}, two);
        on(model::softmax{}, penalty::l2{0}, solver::lbfgs<>{}, three);
    }
    const auto group = rows_of(2, {0, 1, 0, 2, 0, 3, 1, 1, 1, 2, 1, 3}, {3, 2, 4, 0, 0, 0});  // zeros where x0 is 1
    check_no_minimum(
        estimator{.model = model::poisson{}, .penalty = penalty::l2{0}, .solver = solver::lbfgs<>{}}.fit(group), "x0");
    // complete separation by any one of three columns
    const auto few = rows_of(3, {1, 2, 3, 4, 1, 1}, {0, 1});
    check_no_minimum(fits::fit(model::logistic{}, penalty::l0{.kappa = 1}, solver::disadmm<>{}, few), "x");
}

BOOST_AUTO_TEST_CASE(as_many_weights_as_rows_converge_without_an_observer_to_blame) {
    const auto source = rows_of(2, {.3, 1.1, 2.7, -.4}, {.1, .7});
    const auto check = [&](const auto& found) {
        BOOST_TEST(core::name(found.status) == core::name(core::status::converged), found.message);
        BOOST_TEST(found.objective < 1e-20);
    };
    check(fits::fit(model::linear{}, penalty::l0{.kappa = 1}, solver::disadmm<>{}, source));
    check(fits::fit(model::linear{}, penalty::l0{.kappa = 1}, solver::swap{}, source));
}

BOOST_AUTO_TEST_CASE(sums_of_weights_that_no_number_holds_are_errors_about_the_weights) {
    for (const double weight : {1e308, 5e-324}) {
        fits::dense x(4, 1);
        for (std::size_t i = 0; i < 4; ++i) x(i, 0) = static_cast<double>(i);
        const data::arrays source(std::move(x), std::vector<double>{1, 2, 3, 5}, std::vector<double>(4, weight));
        BOOST_CHECK_EXCEPTION(fits::fit(model::linear{}, penalty::l2{0.1}, solver::lbfgs<>{}, source), core::data_error,
                              [](const core::data_error& e) {
                                  return std::string(e.what()).find("sum of the sample weights") != std::string::npos;
                              });
    }
}

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
