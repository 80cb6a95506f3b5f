// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include <gamut/communicator/threads.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/descent.hpp>
#include <gamut/solver/lbfgs.hpp>
#include <gamut/solver/line_search.hpp>
#include <gamut/solver/plain_function.hpp>
#include <gamut/solver/run.hpp>

#include "quadratic.hpp"

using namespace gamut;

namespace {

double rosenbrock(std::span<const double> w, std::span<double> g) {
    double value = 0;
    for (double& x : g) x = 0;
    for (std::size_t i = 0; i + 1 < w.size(); ++i) {
        const double a = 1 - w[i], b = w[i + 1] - w[i] * w[i];
        value += a * a + 100 * b * b;
        g[i] += -2 * a - 400 * w[i] * b;
        g[i + 1] += 200 * b;
    }
    return value;
}

/// The minimiser of 1/(2n) |Xw - y|^2 + l2/2 |w|^2 by Gaussian elimination on the normal equations.
std::vector<double> ridge(const toy::table& t, double l2) {
    const std::size_t p = t.columns;
    std::vector<double> a(p * (p + 1));
    const double n = static_cast<double>(t.rows);
    for (std::size_t i = 0; i < t.rows; ++i)
        for (std::size_t j = 0; j < p; ++j) {
            for (std::size_t k = 0; k < p; ++k) a[j * (p + 1) + k] += t.row(i)[j] * t.row(i)[k] / n;
            a[j * (p + 1) + p] += t.row(i)[j] * t.y[i] / n;
        }
    for (std::size_t j = 0; j < t.penalised(); ++j) a[j * (p + 1) + j] += l2;
    for (std::size_t j = 0; j < p; ++j)
        for (std::size_t i = 0; i < p; ++i) {
            if (i == j) continue;
            const double factor = a[i * (p + 1) + j] / a[j * (p + 1) + j];
            for (std::size_t k = j; k <= p; ++k) a[i * (p + 1) + k] -= factor * a[j * (p + 1) + k];
        }
    std::vector<double> w(p);
    for (std::size_t j = 0; j < p; ++j) w[j] = a[j * (p + 1) + p] / a[j * (p + 1) + j];
    return w;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(solver_lbfgs)

BOOST_AUTO_TEST_CASE(reaches_the_closed_form_ridge_solution) {
    const auto t = toy::random_table(200, 20, 0.3, false, true);
    const auto fit = solver::lbfgs{.stop = {.tolerance = 1e-11}}.minimize(toy::make<toy::squared>(t, penalty::l2{0.1}));
    BOOST_TEST((fit.status == core::status::converged));
    BOOST_TEST(fit.iterations < 60);
    const auto exact = ridge(t, 0.1);
    for (std::size_t j = 0; j < exact.size(); ++j) BOOST_TEST(std::abs(fit.weights[j] - exact[j]) <= 1e-10);
}

BOOST_AUTO_TEST_CASE(reaches_a_relative_gradient_of_1e9_on_logistic_regression) {
    const auto t = toy::random_table(300, 15, 0.5, true);
    const auto p = toy::make<toy::logistic>(t, penalty::l2{1e-2});
    const auto fit = solver::lbfgs{.stop = {.tolerance = 1e-9}}.minimize(p);
    BOOST_TEST((fit.status == core::status::converged));
    BOOST_TEST(fit.history.back().residual <= 1e-9);
    BOOST_TEST(fit.iterations < 100);
    toy::array g0(15), g(15);
    p.value_and_gradient(p.start(), g0);
    p.value_and_gradient(fit.weights, g);
    BOOST_TEST(backend::norm(g) <= 1e-9 * backend::norm(g0));
}

BOOST_AUTO_TEST_CASE(follows_a_curved_valley) {
    for (const std::size_t n : {2u, 10u, 50u}) {
        std::vector<double> start(n, -1.2);
        for (std::size_t i = 1; i < n; i += 2) start[i] = 1;
        const auto fit =
            solver::lbfgs{.stop = {.tolerance = 1e-10}}.minimize(solver::plain_function{start, rosenbrock});
        BOOST_TEST((fit.status == core::status::converged));
        BOOST_TEST(fit.objective < 1e-13);
    }
}

BOOST_AUTO_TEST_CASE(history_and_counts_are_filled_without_an_observer) {
    const auto t = toy::random_table(50, 5, 0, false);
    const auto fit = solver::lbfgs{}.minimize(toy::make<toy::squared>(t, penalty::l2{0.1}));
    BOOST_TEST(fit.history.size() == fit.iterations + 1);
    for (std::size_t k = 0; k < fit.history.size(); ++k) BOOST_TEST(fit.history[k].iteration == k);
    BOOST_TEST(fit.history.front().residual == 1);
    BOOST_TEST(fit.history.back().objective == fit.objective);
    BOOST_TEST(fit.history.back().nonzeros == 5);
    BOOST_TEST(fit.history.back().solver == "lbfgs");
    BOOST_TEST(fit.passes >= fit.iterations + 1);
    for (std::size_t k = 1; k < fit.history.size(); ++k)
        BOOST_TEST(fit.history[k].objective <= fit.history[k - 1].objective * (1 + 1e-9));
}

BOOST_AUTO_TEST_CASE(observers_see_every_record_and_may_stop) {
    const auto t = toy::random_table(50, 20, 0.5, false);
    const auto p = toy::make<toy::squared>(t, penalty::l2{1e-3});
    std::size_t seen = 0;
    const auto fit = solver::lbfgs{.stop = {.tolerance = 0}}.minimize(
        p, [&](const core::record&) { ++seen; }, [](const core::record& now) { return now.iteration == 4; });
    BOOST_TEST((fit.status == core::status::stopped));
    BOOST_TEST(fit.iterations == 4);
    BOOST_TEST(seen == 5);
}

BOOST_AUTO_TEST_CASE(limits_are_statuses_and_bad_options_errors) {
    const auto t = toy::random_table(50, 20, 0.5, false);
    const auto p = toy::make<toy::squared>(t, penalty::l2{1e-3});
    BOOST_TEST((solver::lbfgs{.stop = {.iterations = 3}}.minimize(p).status == core::status::iteration_limit));
    BOOST_TEST(
        (solver::lbfgs{.stop = {.tolerance = 0, .seconds = 1e-9}}.minimize(p).status == core::status::time_limit));
    const double nan = std::numeric_limits<double>::quiet_NaN();
    BOOST_CHECK_THROW(solver::lbfgs{.memory = 0}.minimize(p), core::option_error);
    BOOST_CHECK_THROW(solver::lbfgs{.stop = {.tolerance = nan}}.minimize(p), core::option_error);
    BOOST_CHECK_THROW(solver::lbfgs{.stop = {.seconds = -1}}.minimize(p), core::option_error);
    BOOST_CHECK_THROW(solver::lbfgs{.search = {.decrease = 0.7}}.minimize(p), core::option_error);
    BOOST_CHECK_THROW(solver::lbfgs{.search = {.curvature = nan}}.minimize(p), core::option_error);
}

BOOST_AUTO_TEST_CASE(without_a_tolerance_it_ends_at_the_rounding_of_the_objective) {
    const auto t = toy::random_table(100, 10, 0.2, true);
    const auto fit = solver::lbfgs{.stop = {.tolerance = 0}}.minimize(toy::make<toy::logistic>(t, penalty::l2{0.1}));
    BOOST_TEST((fit.status == core::status::converged));
    BOOST_TEST(fit.iterations < 200);
    BOOST_TEST(fit.history.back().residual < 1e-13);
    BOOST_TEST(fit.message.find("rounding") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_start_at_the_minimum_is_converged) {
    const auto t = toy::random_table(100, 10, 0.2, true);
    auto p = toy::make<toy::logistic>(t, penalty::l2{0.1});
    p.start_from(solver::lbfgs{.stop = {.tolerance = 0}}.minimize(p).weights);
    const auto fit = solver::lbfgs{}.minimize(p);
    BOOST_TEST((fit.status == core::status::converged));
    BOOST_TEST(fit.iterations < 30);
}

BOOST_AUTO_TEST_CASE(separable_classes_are_reported_and_a_ridge_cures_them) {
    const auto t = toy::random_table(60, 4, 0, true, true, 3, 0);  // no noise: a plane separates the classes
    for (const double tolerance : {1e-4, 1e-8, 1e-12, 0.0}) {
        const auto fit =
            solver::lbfgs{.stop = {.tolerance = tolerance}}.minimize(toy::make<toy::logistic>(t, penalty::none{}));
        BOOST_TEST((fit.status == core::status::separable));
        BOOST_TEST(fit.iterations < 200);
    }
    const auto cured = solver::lbfgs{}.minimize(toy::make<toy::logistic>(t, penalty::l2{1e-3}));
    BOOST_TEST((cured.status == core::status::converged));
}

BOOST_AUTO_TEST_CASE(a_perfect_fit_is_no_separation) {
    const auto t = toy::random_table(10, 30, 0, false, false, 4);  // more columns than rows: the residual vanishes
    const auto fit = solver::lbfgs{}.minimize(toy::make<toy::squared>(t, penalty::none{}));
    BOOST_TEST((fit.status == core::status::converged));
    BOOST_TEST(fit.objective < 1e-12);
}

BOOST_AUTO_TEST_CASE(values_that_are_not_finite_never_converge) {
    const double infinity = std::numeric_limits<double>::infinity();
    const auto nan_everywhere = [](auto, auto g) { return g[0] = std::numeric_limits<double>::quiet_NaN(); };
    BOOST_TEST((solver::lbfgs{}.minimize(solver::plain_function{1, nan_everywhere}).status == core::status::diverged));
    const auto infinite_value = [&](auto, auto g) {
        g[0] = 0;
        return infinity;
    };
    BOOST_TEST((solver::lbfgs{}.minimize(solver::plain_function{1, infinite_value}).status == core::status::diverged));
    const auto falling = [](auto w, auto g) {
        g[0] = 1;
        return w[0];
    };
    BOOST_TEST((solver::lbfgs{}.minimize(solver::plain_function{1, falling}).status == core::status::diverged));
    // -log(w) + w is infinite or NaN left of 0: the search must come back from there
    const auto barrier = [](auto w, auto g) {
        g[0] = 1 - 1 / w[0];
        return w[0] - std::log(w[0]);
    };
    const auto fit = solver::lbfgs{}.minimize(solver::plain_function{std::vector<double>{1e-3}, barrier});
    BOOST_TEST((fit.status == core::status::converged));
    BOOST_TEST(std::abs(fit.weights[0] - 1) < 1e-7);
}

BOOST_AUTO_TEST_CASE(a_wrong_gradient_is_not_called_converged) {
    const auto wrong = [](auto w, auto g) {
        g[0] = -2 * (w[0] - 3);
        return (w[0] - 3) * (w[0] - 3);
    };
    const auto fit = solver::lbfgs{}.minimize(solver::plain_function{1, wrong});
    BOOST_TEST((fit.status == core::status::stalled));
    BOOST_TEST(fit.message.find("gradient right?") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(scales_of_functions_and_weights_do_not_matter) {
    for (const double scale : {1e-100, 1e-20, 1e20, 1e100})
        for (const double size : {1e-6, 1e6}) {
            const auto bowl = [&](auto w, auto g) {
                g[0] = scale * (w[0] - size);
                g[1] = scale * 10 * (w[1] + size);
                return 0.5 * scale * ((w[0] - size) * (w[0] - size) + 10 * (w[1] + size) * (w[1] + size));
            };
            const auto fit = solver::lbfgs{}.minimize(solver::plain_function{2, bowl});
            BOOST_TEST((fit.status == core::status::converged));
            BOOST_TEST(std::abs(fit.weights[0] / size - 1) < 1e-6);
            BOOST_TEST(std::abs(fit.weights[1] / size + 1) < 1e-6);
        }
}

BOOST_AUTO_TEST_CASE(backtracking_is_a_line_search_too) {
    const auto t = toy::random_table(200, 20, 0.3, false);
    const solver::lbfgs solver{.search = solver::line_search::backtracking{}, .stop = {.tolerance = 1e-10}};
    const auto fit = solver.minimize(toy::make<toy::squared>(t, penalty::l2{0.1}));
    BOOST_TEST((fit.status == core::status::converged));
    const auto exact = ridge(t, 0.1);
    for (std::size_t j = 0; j < exact.size(); ++j) BOOST_TEST(std::abs(fit.weights[j] - exact[j]) <= 1e-8);
}

BOOST_AUTO_TEST_CASE(improve_minimises_the_function_near_a_centre) {
    // 1/(2n) |Xw - y|^2 + rho/2 |w - c|^2 has the ridge solution for targets moved by the centre
    const auto t = toy::random_table(100, 8, 0.3, false);
    const auto p = toy::make<toy::squared>(t, penalty::none{});
    const auto block = p.block(0);
    toy::array centre(8, 0.5), w(8);
    const double rho = 0.7;
    const auto done = solver::lbfgs{.stop = {.tolerance = 1e-12}}.improve(block, w, centre, rho);
    auto moved = t;
    for (std::size_t i = 0; i < t.rows; ++i)
        for (std::size_t j = 0; j < 8; ++j) moved.y[i] -= 0.5 * t.row(i)[j];
    const auto exact = ridge(moved, rho);
    for (std::size_t j = 0; j < 8; ++j) BOOST_TEST(std::abs(w[j] - (exact[j] + 0.5)) <= 1e-10);
    BOOST_TEST(done.passes > 0);
    BOOST_TEST(done.residual <= 1e-11);
}

BOOST_AUTO_TEST_CASE(the_number_of_ranks_changes_no_bit) {
    const auto t = toy::random_table(90, 12, 0.3, true);
    const auto fit_on = [&](const auto& c) {
        return solver::lbfgs{}.minimize(toy::make<toy::logistic>(t, penalty::l2{1e-2}, 4, c));
    };
    const auto reference = fit_on(communicator::single<>{});
    for (const int ranks : {1, 2, 3, 5}) {
        communicator::threads<>::run(ranks, [&](const auto& c) {
            const auto fit = fit_on(c);
            bool same = fit.objective == reference.objective && fit.history.size() == reference.history.size();
            for (std::size_t j = 0; j < 12; ++j) same = same && fit.weights[j] == reference.weights[j];
            for (std::size_t k = 0; same && k < fit.history.size(); ++k)
                same = fit.history[k].objective == reference.history[k].objective &&
                       fit.history[k].residual == reference.history[k].residual;
            if (!same) throw std::runtime_error("other bits");
        });
    }
}

BOOST_AUTO_TEST_CASE(plain_functions_of_many_ranks_are_added_up) {
    communicator::threads<>::run(3, [&](const auto& c) {
        const double centre = c.rank();
        const auto mine = [&](auto w, auto g) {
            g[0] = w[0] - centre;
            return 0.5 * g[0] * g[0];
        };
        const auto fit = solver::lbfgs{}.minimize(solver::plain_function{1, mine, c});
        if (std::abs(fit.weights[0] - 1) > 1e-8 || std::abs(fit.objective - 1) > 1e-8)
            throw std::runtime_error("wrong mean");
    });
}

BOOST_AUTO_TEST_CASE(one_rank_that_throws_makes_all_throw) {
    int caught = 0;
    BOOST_CHECK_THROW(communicator::threads<>::run(3,
                                                   [&](const auto& c) {
                                                       int calls = 0;
                                                       const auto mine = [&](auto w, auto g) {
                                                           if (c.rank() == 1 && ++calls == 3)
                                                               throw core::data_error("bad row");
                                                           g[0] = w[0] - 1;
                                                           g[1] = 10 * w[1] + c.rank();
                                                           return 0.5 * (w[0] - 1) * (w[0] - 1) + 5 * w[1] * w[1] +
                                                                  c.rank() * w[1];
                                                       };
                                                       try {
                                                           solver::lbfgs{}.minimize(solver::plain_function{2, mine, c});
                                                       } catch (const core::data_error&) {
                                                           c.barrier();  // everybody is here
                                                           if (c.rank() == 0) ++caught;
                                                           throw;
                                                       }
                                                   }),
                      core::data_error);
    BOOST_TEST(caught == 1);
}

BOOST_AUTO_TEST_SUITE_END()
