// SPDX-License-Identifier: BSL-1.0
#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <gamut/backend/host.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/penalty/box.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/default_for.hpp>
#include <gamut/solver/disadmm.hpp>
#include <gamut/solver/gram_problem.hpp>
#include <gamut/solver/polish.hpp>
#include <gamut/solver/problem.hpp>

using namespace gamut;

static_assert(std::is_same_v<solver::default_for<model::logistic, penalty::l0>::type, solver::disadmm<>>);
static_assert(std::is_same_v<solver::default_for<model::logistic, penalty::box>::type, solver::admm<>>);
static_assert(std::is_same_v<solver::default_for<model::logistic, penalty::l2>::type, solver::lbfgs<>>);

namespace {

using rows = data::dataset<backend::dense_matrix<double>>;
using problem = solver::problem<model::linear, rows, penalty::l0, backend::host<>, communicator::single<>>;
using array = problem::array;

constexpr std::size_t n = 200, p = 12;

/// y = 3 x1 - 2 x4 + x9 + noise, correlated columns of mean 5.
rows some_rows() {
    const core::random draw{.seed = 5};
    std::vector<double> x(n * p), y(n);
    for (std::size_t i = 0; i < n; ++i) {
        const double shared = draw.normal(100000 + i);
        for (std::size_t j = 0; j < p; ++j) x[i * p + j] = 5 + 0.6 * shared + draw.normal(i * p + j);
        y[i] = 3 * x[i * p + 1] - 2 * x[i * p + 4] + x[i * p + 9] + 0.1 * draw.normal(200000 + i);
    }
    return data::arrays(x, n, p, y).load(communicator::single<>{}, data::request{.blocks = 4});
}

const rows& loaded() {
    static const rows all = some_rows();
    return all;
}

problem with(const penalty::l0& penalty) {
    const communicator::single<> alone;
    return problem({}, loaded(), penalty, {}, alone, true, data::standardize(alone, loaded()));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(disadmm)

BOOST_AUTO_TEST_CASE(the_gram_matrix_gives_the_same_function_as_the_rows) {
    const problem of_rows = with({.kappa = 3});
    const solver::gram_problem in_memory(of_rows);
    const core::random draw{.seed = 8};
    array w(p + 1), v(p + 1), a(p + 1), b(p + 1);
    for (std::size_t j = 0; j <= p; ++j) w[j] = draw.normal(j), v[j] = draw.normal(100 + j);
    const double value = of_rows.value_and_gradient(w, a);
    BOOST_TEST(std::abs(in_memory.value_and_gradient(w, b) - value) <= 1e-11 * value);
    BOOST_TEST(backend::distance(a, b) <= 1e-11 * backend::norm(a));
    of_rows.hessian(w).times(v, a);
    in_memory.hessian(w).times(v, b);
    BOOST_TEST(backend::distance(a, b) <= 1e-11 * backend::norm(a));
}

BOOST_AUTO_TEST_CASE(both_modes_find_the_weights_that_made_the_data) {
    for (const solver::mode mode : {solver::mode::gram, solver::mode::rows, solver::mode::automatic}) {
        const auto found = solver::disadmm<>{.mode = mode}.minimize(with({.kappa = 3, .l2 = 1e-6}));
        BOOST_TEST((found.status == core::status::converged));
        for (std::size_t j = 0; j < p; ++j) BOOST_TEST((found.weights[j] != 0) == (j == 1 || j == 4 || j == 9));
    }
}

BOOST_AUTO_TEST_CASE(gram_mode_reads_the_data_a_fixed_number_of_times) {
    const auto found = solver::disadmm<>{.mode = solver::mode::gram}.minimize(with({.kappa = 3}));
    BOOST_TEST(found.iterations > 20u);
    BOOST_TEST(found.passes == 2u);
}

BOOST_AUTO_TEST_CASE(polish_solves_the_normal_equations_on_the_support) {
    const problem f = with({.kappa = 3, .l2 = 0.1});
    array start(p + 1);
    start[2] = 1, start[4] = 1, start[9] = 1;
    const auto found = solver::polish{}.improve(f, start);
    array gradient(p + 1);
    f.value_and_gradient(found.weights, gradient);
    for (std::size_t j = 0; j <= p; ++j) {
        const bool inside = j == 2 || j == 4 || j == 9;
        if (!inside && j < p) BOOST_TEST(found.weights[j] == 0.0);
        if (inside) BOOST_TEST(std::abs(gradient[j] + 0.1 * found.weights[j]) < 1e-8);
        if (j == p) BOOST_TEST(std::abs(gradient[j]) < 1e-8);
    }
}

BOOST_AUTO_TEST_CASE(polish_respects_bounds_and_l1) {
    const problem f = with({.kappa = 3, .l2 = 0.1, .l1 = 0.05, .lower = -0.5, .upper = 0.5});
    array start(p + 1);
    start[1] = 0.1, start[4] = -0.1, start[9] = 0.1;
    const auto found = solver::polish{}.improve(f, start);
    array gradient(p + 1);
    f.value_and_gradient(found.weights, gradient);
    BOOST_TEST(std::isfinite(found.objective));
    for (const std::size_t j : {1u, 4u, 9u}) {
        const double w = found.weights[j], slope = gradient[j] + 0.1 * w + (w > 0 ? 0.05 : -0.05);
        if (w >= 0.5)
            BOOST_TEST(slope <= 1e-6);
        else if (w <= -0.5)
            BOOST_TEST(slope >= -1e-6);
        else
            BOOST_TEST((std::abs(slope) < 1e-6 || w == 0));
    }
}

BOOST_AUTO_TEST_SUITE_END()
