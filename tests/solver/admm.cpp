// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/penalty/box.hpp>
#include <gamut/penalty/elastic_net.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/admm.hpp>
#include <gamut/solver/anderson.hpp>
#include <gamut/solver/lbfgs.hpp>

#include "quadratic.hpp"

using namespace gamut;
using solver::admm;

namespace {

/// min 1/(2n) |Xw - y|^2 + l1 |w|_1 + l2/2 |w|^2 by coordinate descent, until nothing moves.
std::vector<double> coordinate_descent(const toy::table& t, double l1, double l2) {
    std::vector<double> w(t.columns), residual = t.y;
    const double n = static_cast<double>(t.rows);
    for (double moved = 1; moved > 1e-15;) {
        moved = 0;
        for (std::size_t j = 0; j < t.columns; ++j) {
            double c = 0, xx = 0;
            for (std::size_t i = 0; i < t.rows; ++i) {
                c += t.row(i)[j] * residual[i] / n;
                xx += t.row(i)[j] * t.row(i)[j] / n;
            }
            const bool free = j >= t.penalised();
            const double v = c + xx * w[j], shrunk = free ? v : std::copysign(std::max(std::abs(v) - l1, 0.0), v);
            const double next = shrunk / (xx + (free ? 0 : l2));
            for (std::size_t i = 0; i < t.rows; ++i) residual[i] -= t.row(i)[j] * (next - w[j]);
            moved = std::max(moved, std::abs(next - w[j]));
            w[j] = next;
        }
    }
    return w;
}

toy::array as_array(const std::vector<double>& w) { return toy::array(std::span<const double>(w)); }

bool same_bits(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }

template <class Result> bool same_bits(const Result& a, const Result& b) {
    bool same = same_bits(a.objective, b.objective) && a.status == b.status && a.passes == b.passes &&
                a.history.size() == b.history.size() && a.weights.size() == b.weights.size();
    for (std::size_t j = 0; same && j < a.weights.size(); ++j) same = same_bits(a.weights[j], b.weights[j]);
    for (std::size_t k = 0; same && k < a.history.size(); ++k) {
        const core::record &x = a.history[k], &y = b.history[k];
        same = x.iteration == y.iteration && same_bits(x.objective, y.objective) && same_bits(x.residual, y.residual) &&
               same_bits(x.dual_residual, y.dual_residual) && same_bits(x.step, y.step) && x.nonzeros == y.nonzeros &&
               x.passes == y.passes;
    }
    return same;
}

constexpr core::stop exactly{.iterations = 1000, .tolerance = 1e-10};

}  // namespace

BOOST_AUTO_TEST_SUITE(solver_admm)

BOOST_AUTO_TEST_CASE(reaches_the_lasso_and_elastic_net_optima_with_their_exact_zeros) {
    for (const auto& [l1, l2] : {std::pair{0.1, 0.0}, std::pair{0.02, 0.0}, std::pair{0.1, 0.3}, std::pair{0.0, 0.2}}) {
        const auto t = toy::random_table(120, 20, 0.5, false, true);
        const auto exact = coordinate_descent(t, l1, l2);
        for (const std::size_t blocks : {1u, 4u, 7u}) {
            const auto p = toy::make<toy::squared>(t, penalty::elastic_net{l1, l2}, blocks);
            const auto fit = admm{.stop = exactly}.minimize(p);
            BOOST_TEST((fit.status == core::status::converged));
            BOOST_TEST(fit.iterations < 200);
            const double least = solver::objective(p, as_array(exact));
            BOOST_TEST(std::abs(fit.objective - least) <= 1e-12 * least);
            for (std::size_t j = 0; j < exact.size(); ++j) {
                BOOST_TEST((fit.weights[j] == 0) == (exact[j] == 0));
                BOOST_TEST(std::abs(fit.weights[j] - exact[j]) <= 1e-8);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(more_columns_than_rows_converge_too) {
    const auto t = toy::random_table(40, 200, 0.3, false, true, 2);
    const auto exact = coordinate_descent(t, 0.2, 0);
    const auto p = toy::make<toy::squared>(t, penalty::l1{0.2}, 4);
    const auto fit = admm{.stop = exactly}.minimize(p);
    BOOST_TEST((fit.status == core::status::converged));
    const double least = solver::objective(p, as_array(exact));
    BOOST_TEST(std::abs(fit.objective - least) <= 1e-10 * least);
}

BOOST_AUTO_TEST_CASE(meets_the_optimality_conditions_of_sparse_logistic_regression) {
    const auto t = toy::random_table(150, 25, 0.4, true, true);
    const double l1 = 0.03, l2 = 0.01;
    for (const std::size_t blocks : {1u, 5u}) {
        const auto fit =
            admm{.stop = exactly}.minimize(toy::make<toy::logistic>(t, penalty::elastic_net{l1, l2}, blocks));
        BOOST_TEST((fit.status == core::status::converged));
        toy::array g(26);
        toy::make<toy::logistic>(t, penalty::none{}).value_and_gradient(fit.weights, g);
        for (std::size_t j = 0; j < 25; ++j) {
            const double w = fit.weights[j], slope = g[j] + l2 * w;
            if (w == 0)
                BOOST_TEST(std::abs(slope) <= l1 + 1e-9);
            else
                BOOST_TEST(std::abs(slope + std::copysign(l1, w)) <= 1e-9);
        }
        BOOST_TEST(std::abs(g[25]) <= 1e-9);
        BOOST_TEST(fit.history.back().nonzeros < 25);
    }
}

BOOST_AUTO_TEST_CASE(a_smooth_penalty_gives_what_newton_gives) {
    const auto t = toy::random_table(100, 10, 0.4, true, true);
    const auto p = toy::make<toy::logistic>(t, penalty::l2{0.02}, 4);
    const auto newton = solver::newton_cg{.stop = {.tolerance = 1e-12}}.minimize(p);
    const auto fit = admm{.stop = exactly}.minimize(p);
    BOOST_TEST((fit.status == core::status::converged));
    BOOST_TEST(std::abs(fit.objective - newton.objective) <= 1e-14);
    BOOST_TEST(backend::distance(fit.weights, newton.weights) <= 1e-8);
}

BOOST_AUTO_TEST_CASE(bounds_are_kept_exactly) {
    const auto t = toy::random_table(100, 6, 0.3, false);
    const auto p = toy::make<toy::squared>(t, penalty::box{.lower = 0, .upper = 0.5}, 3);
    const auto fit = admm{.stop = exactly}.minimize(p);
    BOOST_TEST((fit.status == core::status::converged));
    toy::array g(6);
    p.value_and_gradient(fit.weights, g);
    std::size_t inside = 0;
    for (std::size_t j = 0; j < 6; ++j) {
        BOOST_TEST((fit.weights[j] >= 0 && fit.weights[j] <= 0.5));
        if (fit.weights[j] == 0)
            BOOST_TEST(g[j] >= -1e-9);
        else if (fit.weights[j] == 0.5)
            BOOST_TEST(g[j] <= 1e-9);
        else {
            BOOST_TEST(std::abs(g[j]) <= 1e-8);
            ++inside;
        }
    }
    BOOST_TEST(inside < 6);
}

BOOST_AUTO_TEST_CASE(plain_admm_converges_without_acceleration_or_a_moving_rho) {
    const auto t = toy::random_table(120, 10, 0.2, false);
    const auto exact = coordinate_descent(t, 0.05, 0);
    for (const double relaxation : {1.0, 1.6})
        for (const double rho : {0.05, 0.3}) {
            const admm solver{.rho = rho,
                              .relaxation = relaxation,
                              .balance_until = 0,
                              .acceleration = 0,
                              .stop = {.tolerance = 1e-9}};
            const auto fit = solver.minimize(toy::make<toy::squared>(t, penalty::l1{0.05}, 4));
            BOOST_TEST((fit.status == core::status::converged));
            BOOST_TEST(backend::distance(fit.weights, as_array(exact)) <= 1e-7);
            for (const auto& record : fit.history) BOOST_TEST(record.step == rho);
        }
}

BOOST_AUTO_TEST_CASE(a_bad_rho_is_balanced_away) {
    const auto t = toy::random_table(120, 10, 0.2, false);
    const auto p = toy::make<toy::squared>(t, penalty::l1{0.05}, 4);
    const auto iterations = [&](double rho, std::size_t until) {
        return admm{.rho = rho, .balance_until = until, .acceleration = 0}.minimize(p).iterations;
    };
    for (const double rho : {1e-5, 1e5}) {
        BOOST_TEST(iterations(rho, 0) == 1000);
        BOOST_TEST(iterations(rho, 100) < 250);
    }
}

BOOST_AUTO_TEST_CASE(acceleration_needs_fewer_iterations_on_correlated_columns) {
    const auto t = toy::random_table(200, 30, 0.95, true, true);
    const auto p = toy::make<toy::logistic>(t, penalty::l1{1e-3}, 4);
    const auto plain = admm{.acceleration = 0, .stop = {.iterations = 5000}}.minimize(p);
    const auto fast = admm{.stop = {.iterations = 5000}}.minimize(p);
    BOOST_TEST((fast.status == core::status::converged));
    BOOST_TEST(3 * fast.iterations < plain.iterations);
}

BOOST_AUTO_TEST_CASE(the_prox_of_the_penalty_of_n_blocks_uses_n_rho) {
    // one step by hand: with all w_i known, z is the prox of their mean with weight N rho
    const auto t = toy::random_table(60, 4, 0, false);
    const double rho = 0.7, l1 = 0.3;
    const std::size_t n = 4;
    const auto p = toy::make<toy::squared>(t, penalty::l1{l1}, n);
    const admm solver{.rho = rho,
                      .relaxation = 1,
                      .acceleration = 0,
                      .local = solver::newton_cg{.stop = {.tolerance = 1e-13}},
                      .stop = {.iterations = 1}};
    const auto fit = solver.minimize(p);
    toy::array mean(4);
    const toy::array zero(4);
    for (std::size_t b = 0; b < n; ++b) {
        toy::array w(4);
        solver::lbfgs{.stop = {.tolerance = 1e-13}}.improve(p.block(b), w, zero, rho);
        mean = mean + 0.25 * w;
    }
    for (std::size_t j = 0; j < 4; ++j)
        BOOST_TEST(std::abs(fit.weights[j] - penalty::l1{l1}.prox(mean[j], 1 / (4 * rho))) <= 1e-10);
}

BOOST_AUTO_TEST_CASE(intercepts_are_not_penalised) {
    const auto t = toy::random_table(50, 5, 0, false, true);
    const auto fit = admm{}.minimize(toy::make<toy::squared>(t, penalty::l1{1e6}, 4));
    double mean = 0;
    for (const double y : t.y) mean += y / 50;
    for (std::size_t j = 0; j < 5; ++j) BOOST_TEST(fit.weights[j] == 0);
    BOOST_TEST(std::abs(fit.weights[5] - mean) <= 1e-7);
    BOOST_TEST(fit.history.back().nonzeros == 0);
}

BOOST_AUTO_TEST_CASE(other_local_solvers_reach_the_same_optimum) {
    const auto t = toy::random_table(100, 10, 0.4, true);
    const auto p = toy::make<toy::logistic>(t, penalty::l1{0.02}, 4);
    const auto newton = admm{.stop = exactly}.minimize(p);
    const auto quasi = admm<solver::lbfgs<>>{.stop = exactly}.minimize(p);
    const auto full = admm{.local = solver::newton_cg{}, .stop = exactly}.minimize(p);
    BOOST_TEST((quasi.status == core::status::converged));
    BOOST_TEST((full.status == core::status::converged));
    BOOST_TEST(std::abs(quasi.objective - newton.objective) <= 1e-13);
    BOOST_TEST(std::abs(full.objective - newton.objective) <= 1e-13);
}

BOOST_AUTO_TEST_CASE(blocks_without_rows_do_no_harm) {
    const auto t = toy::random_table(5, 3, 0, false);
    const auto few = admm{.stop = exactly}.minimize(toy::make<toy::squared>(t, penalty::l1{0.1}, 1));
    const auto many = admm{.stop = exactly}.minimize(toy::make<toy::squared>(t, penalty::l1{0.1}, 9));
    BOOST_TEST((many.status == core::status::converged));
    BOOST_TEST(std::abs(many.objective - few.objective) <= 1e-12);
}

BOOST_AUTO_TEST_CASE(the_number_of_ranks_changes_no_bit_even_where_ranks_own_nothing) {
    const auto t = toy::random_table(90, 12, 0.3, true, true);
    for (const std::size_t blocks : {1u, 4u}) {
        const auto fit_on = [&](const auto& c) {
            return admm{}.minimize(toy::make<toy::logistic>(t, penalty::elastic_net{0.02, 0.01}, blocks, c));
        };
        const auto reference = fit_on(communicator::single<>{});
        BOOST_TEST((reference.status == core::status::converged));
        for (const int ranks : {1, 2, 3, 5})
            communicator::threads<>::run(ranks, [&](const auto& c) {
                if (!same_bits(fit_on(c), reference)) throw std::runtime_error("other bits");
            });
    }
}

BOOST_AUTO_TEST_CASE(an_iteration_is_one_sum_and_another_one_for_the_objective) {
    const auto t = toy::random_table(60, 8, 0.3, false);
    const auto messages = [&](std::size_t iterations, std::size_t objective_every) {
        const communicator::counting<communicator::single<core::fast>> counted;
        const admm solver{.objective_every = objective_every, .stop = {.iterations = iterations, .tolerance = 0}};
        solver.minimize(toy::make<toy::squared>(t, penalty::l1{0.1}, 4, counted));
        return counted.messages();
    };
    BOOST_TEST(messages(14, 0) - messages(4, 0) == 10);
    BOOST_TEST(messages(14, 1) - messages(4, 1) == 20);
}

BOOST_AUTO_TEST_CASE(objectives_are_computed_as_often_as_asked_and_at_the_end) {
    const auto t = toy::random_table(60, 8, 0.3, false);
    const auto p = toy::make<toy::squared>(t, penalty::l1{0.1}, 4);
    const auto every = admm{}.minimize(p);
    const auto third = admm{.objective_every = 3}.minimize(p);
    const auto never = admm{.objective_every = 0}.minimize(p);
    BOOST_TEST(same_bits(every.objective, never.objective));
    BOOST_TEST(same_bits(never.history.back().objective, never.objective));
    BOOST_TEST(never.passes < every.passes);
    for (const auto& record : every.history) BOOST_TEST(std::isfinite(record.objective));
    for (std::size_t k = 0; k + 1 < third.history.size(); ++k)
        BOOST_TEST(std::isfinite(third.history[k].objective) == ((k + 1) % 3 == 0));
    for (std::size_t k = 0; k + 1 < never.history.size(); ++k) BOOST_TEST(std::isnan(never.history[k].objective));
    BOOST_TEST(same_bits(every.objective, solver::objective(p, every.weights)));
}

BOOST_AUTO_TEST_CASE(limits_and_observers_end_a_run) {
    const auto t = toy::random_table(60, 8, 0.3, false);
    const auto p = toy::make<toy::squared>(t, penalty::l1{0.1}, 4);
    const auto limited = admm{.stop = {.iterations = 3}}.minimize(p);
    BOOST_TEST((limited.status == core::status::iteration_limit));
    BOOST_TEST(limited.iterations == 3);
    BOOST_TEST(limited.history.size() == 3);
    BOOST_TEST((admm{.stop = {.tolerance = 0, .seconds = 1e-9}}.minimize(p).status == core::status::time_limit));
    const auto stopped = admm{}.minimize(p, [](const core::record& now) { return now.iteration == 2; });
    BOOST_TEST((stopped.status == core::status::stopped));
    BOOST_TEST(stopped.iterations == 2);
    BOOST_TEST(stopped.history.back().solver == "admm");
}

BOOST_AUTO_TEST_CASE(separable_classes_without_a_penalty_are_reported) {
    const auto t = toy::random_table(60, 4, 0, true, true, 3, 0);
    const auto fit = admm{}.minimize(toy::make<toy::logistic>(t, penalty::none{}, 4));
    BOOST_TEST((fit.status == core::status::separable));
    BOOST_TEST(fit.iterations < 1000);
    const auto cured = admm{}.minimize(toy::make<toy::logistic>(t, penalty::l1{1e-2}, 4));
    BOOST_TEST((cured.status == core::status::converged));
}

BOOST_AUTO_TEST_CASE(numbers_that_are_not_finite_never_converge) {
    auto t = toy::random_table(60, 4, 0, false);
    t.x[17] = std::numeric_limits<double>::quiet_NaN();
    const auto fit = admm{}.minimize(toy::make<toy::squared>(t, penalty::l1{0.1}, 4));
    BOOST_TEST((fit.status == core::status::diverged));
    BOOST_TEST(fit.iterations <= 2);
}

BOOST_AUTO_TEST_CASE(one_failing_block_makes_all_ranks_throw_the_same_error) {
    const auto t = toy::random_table(60, 4, 0, false);
    for (const std::size_t faulty : {0u, 3u}) {
        std::vector<std::string> messages(3);
        communicator::threads<>::run(3, [&](const auto& c) {
            const toy::problem<toy::squared, penalty::l1, communicator::threads<>> p(t, penalty::l1{0.1}, 4, c, faulty);
            try {
                admm{.rho = 1}.minimize(p);
            } catch (const core::error& problem) {
                messages[static_cast<std::size_t>(c.rank())] = problem.what();
            }
        });
        BOOST_TEST(messages[0].find("this block is faulty") != std::string::npos);
        BOOST_TEST(messages[0] == messages[1]);
        BOOST_TEST(messages[0] == messages[2]);
    }
}

BOOST_AUTO_TEST_CASE(bad_options_are_errors_on_all_ranks) {
    const auto t = toy::random_table(20, 3, 0, false);
    const auto p = toy::make<toy::squared>(t, penalty::l1{0.1}, 2);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    BOOST_CHECK_THROW(admm{.rho = -1}.minimize(p), core::option_error);
    BOOST_CHECK_THROW(admm{.rho = nan}.minimize(p), core::option_error);
    BOOST_CHECK_THROW(admm{.relaxation = 2}.minimize(p), core::option_error);
    BOOST_CHECK_THROW(admm{.relaxation = nan}.minimize(p), core::option_error);
    BOOST_CHECK_THROW(admm{.balance = 1}.minimize(p), core::option_error);
    BOOST_CHECK_THROW(admm{.absolute = nan}.minimize(p), core::option_error);
    BOOST_CHECK_THROW(admm{.stop = {.tolerance = nan}}.minimize(p), core::option_error);
    BOOST_CHECK_THROW(admm{.local = solver::newton_cg{.forcing = 2}}.minimize(p), core::option_error);
    communicator::threads<>::run(3, [&](const auto& c) {
        const auto shared = toy::make<toy::squared>(t, penalty::l1{0.1}, 2, c);
        bool refused = false;
        try {
            // only this rank's options are bad
            admm{.rho = c.rank() == 1 ? -1.0 : 1.0}.minimize(shared);
        } catch (const core::option_error&) {
            refused = true;
        }
        if (!refused) throw std::runtime_error("accepted");
    });
}

BOOST_AUTO_TEST_SUITE_END()
