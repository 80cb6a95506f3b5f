// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gamut/communicator/threads.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/lbfgs.hpp>
#include <gamut/solver/newton_cg.hpp>
#include <gamut/solver/plain_function.hpp>

#include "quadratic.hpp"

using namespace gamut;

namespace {

/// A function of two variables with its Hessian, as a problem.
template <class F, class H> class plane : public solver::plain_function<F> {
public:
    using array = toy::array;
    plane(std::vector<double> start, F f, H h)
        : solver::plain_function<F>(std::move(start), std::move(f)),
          h_(std::move(h)) {}
    struct hessian_at {
        const H& h;
        array w;
        void times(const array& v, array& out) const {
            const auto [a, b, c] = h(w[0], w[1]);
            out[0] = a * v[0] + b * v[1];
            out[1] = b * v[0] + c * v[1];
        }
    };
    hessian_at hessian(const array& w) const { return {h_, w}; }

private:
    H h_;
};

struct symmetric {
    double a, b, c;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(solver_newton_cg)

BOOST_AUTO_TEST_CASE(reaches_a_gradient_of_1e12_on_logistic_regression_in_few_iterations) {
    const auto t = toy::random_table(300, 15, 0.5, true, true);
    const auto p = toy::make<toy::logistic>(t, penalty::l2{1e-3});
    const auto fit = solver::newton_cg{.stop = {.tolerance = 1e-12}}.minimize(p);
    BOOST_TEST((fit.status == core::status::converged));
    BOOST_TEST(fit.iterations < 15);
    toy::array g(16);
    p.value_and_gradient(fit.weights, g);
    BOOST_TEST(backend::norm(g) <= 1e-12);
}

BOOST_AUTO_TEST_CASE(converges_superlinearly) {
    const auto t = toy::random_table(200, 10, 0.2, true);
    const auto fit =
        solver::newton_cg{.stop = {.tolerance = 1e-12}}.minimize(toy::make<toy::logistic>(t, penalty::l2{1e-2}));
    const auto& h = fit.history;
    BOOST_TEST_REQUIRE(h.size() >= 3);
    for (std::size_t k = 2; k < h.size(); ++k) BOOST_TEST(h[k].residual <= 2 * std::pow(h[k - 1].residual, 1.3));
}

BOOST_AUTO_TEST_CASE(agrees_with_lbfgs) {
    const auto t = toy::random_table(80, 30, 0.6, true, true);
    const auto p = toy::make<toy::logistic>(t, penalty::l2{1e-2});
    const auto newton = solver::newton_cg{.stop = {.tolerance = 1e-11}}.minimize(p);
    const auto quasi = solver::lbfgs{.stop = {.tolerance = 1e-11}}.minimize(p);
    BOOST_TEST(std::abs(newton.objective - quasi.objective) <= 1e-15);
    for (std::size_t j = 0; j < 31; ++j) BOOST_TEST(std::abs(newton.weights[j] - quasi.weights[j]) <= 1e-8);
}

BOOST_AUTO_TEST_CASE(leaves_a_saddle_by_negative_curvature) {
    // x^4/4 - x^2/2 + y^2/2: a saddle at 0, minima at x = +-1
    const auto f = [](auto w, auto g) {
        g[0] = w[0] * w[0] * w[0] - w[0];
        g[1] = w[1];
        return std::pow(w[0], 4) / 4 - w[0] * w[0] / 2 + w[1] * w[1] / 2;
    };
    const auto h = [](double x, double) { return symmetric{3 * x * x - 1, 0, 1}; };
    const auto fit = solver::newton_cg{}.minimize(plane(std::vector<double>{0.01, 1}, f, h));
    BOOST_TEST((fit.status == core::status::converged));
    BOOST_TEST(std::abs(std::abs(fit.weights[0]) - 1) <= 1e-7);
    BOOST_TEST(std::abs(fit.weights[1]) <= 1e-7);
}

BOOST_AUTO_TEST_CASE(follows_a_curved_valley_from_afar) {
    const auto f = [](auto w, auto g) {
        const double a = 1 - w[0], b = w[1] - w[0] * w[0];
        g[0] = -2 * a - 400 * w[0] * b;
        g[1] = 200 * b;
        return a * a + 100 * b * b;
    };
    const auto h = [](double x, double y) { return symmetric{2 - 400 * (y - 3 * x * x), -400 * x, 200}; };
    for (const auto& start : {std::vector<double>{-1.2, 1}, std::vector<double>{0, 0}, std::vector<double>{30, -40}}) {
        const auto fit = solver::newton_cg{.stop = {.tolerance = 1e-12}}.minimize(plane(start, f, h));
        BOOST_TEST((fit.status == core::status::converged));
        BOOST_TEST(std::abs(fit.weights[0] - 1) <= 1e-6);
    }
}

BOOST_AUTO_TEST_CASE(a_quadratic_takes_few_iterations_however_flat) {
    const auto t = toy::random_table(60, 12, 0.999, false);
    const auto fit =
        solver::newton_cg{.stop = {.tolerance = 1e-10}}.minimize(toy::make<toy::squared>(t, penalty::l2{1e-8}));
    BOOST_TEST((fit.status == core::status::converged));
    BOOST_TEST(fit.iterations <= 20);
}

BOOST_AUTO_TEST_CASE(separable_classes_are_reported) {
    for (const bool intercept : {false, true}) {
        const auto t = toy::random_table(60, 4, 0, true, intercept, 3, 0);
        for (const double tolerance : {1e-4, 1e-8, 1e-12, 0.0}) {
            const auto fit = solver::newton_cg{.stop = {.tolerance = tolerance}}.minimize(
                toy::make<toy::logistic>(t, penalty::none{}));
            BOOST_TEST((fit.status == core::status::separable));
            BOOST_TEST(fit.iterations < 100);
            BOOST_TEST(fit.message.find("separable") != std::string::npos);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_column_that_separates_some_rows_only_is_reported_too) {
    // the second column is 1 for some rows of class 1 alone: its weight grows for ever, the others settle
    auto t = toy::random_table(100, 2, 0, true, true, 5, 2);
    for (std::size_t i = 0; i < t.rows; ++i) t.x[i * 3 + 1] = t.y[i] == 1 && i % 3 == 0 ? 1 : 0;
    const auto fit = solver::newton_cg{}.minimize(toy::make<toy::logistic>(t, penalty::none{}));
    BOOST_TEST((fit.status == core::status::separable));
}

BOOST_AUTO_TEST_CASE(classes_that_overlap_are_not_called_separable) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const auto t = toy::random_table(40, 5, 0.3, true, true, seed, 3);
        const auto fit = solver::newton_cg{}.minimize(toy::make<toy::logistic>(t, penalty::none{}));
        BOOST_TEST((fit.status == core::status::converged));
    }
}

BOOST_AUTO_TEST_CASE(bad_options_are_errors) {
    const auto t = toy::random_table(20, 3, 0, true);
    const auto p = toy::make<toy::logistic>(t, penalty::l2{1});
    BOOST_CHECK_THROW(solver::newton_cg{.forcing = 0}.minimize(p), core::option_error);
    BOOST_CHECK_THROW(solver::newton_cg{.forcing = std::numeric_limits<double>::quiet_NaN()}.minimize(p),
                      core::option_error);
    BOOST_CHECK_THROW(solver::newton_cg{.products = 0}.minimize(p), core::option_error);
    BOOST_CHECK_THROW(solver::newton_cg{.stop = {.tolerance = -1}}.minimize(p), core::option_error);
    BOOST_CHECK_THROW(solver::newton_cg{.search = {.evaluations = 0}}.minimize(p), core::option_error);
}

BOOST_AUTO_TEST_CASE(improve_agrees_with_lbfgs_and_starts_where_it_is) {
    const auto t = toy::random_table(100, 8, 0.3, true);
    const auto p = toy::make<toy::logistic>(t, penalty::none{});
    const auto block = p.block(0);
    const toy::array centre(8, 0.5);
    toy::array exact(8), w(8);
    solver::lbfgs{.stop = {.tolerance = 1e-12}}.improve(block, exact, centre, 0.3);
    const auto done = solver::newton_cg{.stop = {.tolerance = 1e-12}}.improve(block, w, centre, 0.3);
    BOOST_TEST(backend::distance(w, exact) <= 1e-9);
    // one damped step from there does not leave
    const auto again =
        solver::newton_cg{.forcing = 0.1, .stop = {.iterations = 1, .tolerance = 0.1}}.improve(block, w, centre, 0.3);
    BOOST_TEST(backend::distance(w, exact) <= 1e-9);
    BOOST_TEST(again.passes < done.passes);
}

BOOST_AUTO_TEST_CASE(the_number_of_ranks_changes_no_bit) {
    const auto t = toy::random_table(90, 12, 0.3, true);
    const auto fit_on = [&](const auto& c) {
        return solver::newton_cg{.stop = {.tolerance = 1e-12}}.minimize(
            toy::make<toy::logistic>(t, penalty::l2{1e-2}, 4, c));
    };
    const auto reference = fit_on(communicator::single<>{});
    for (const int ranks : {2, 3, 5}) {
        communicator::threads<>::run(ranks, [&](const auto& c) {
            const auto fit = fit_on(c);
            bool same = fit.objective == reference.objective && fit.history.size() == reference.history.size();
            for (std::size_t j = 0; j < 12; ++j) same = same && fit.weights[j] == reference.weights[j];
            if (!same) throw std::runtime_error("other bits");
        });
    }
}

BOOST_AUTO_TEST_SUITE_END()
