// SPDX-License-Identifier: BSL-1.0
#include <gamut/solver/formula_problem.hpp>

#include <gamut/autodiff/row_functions.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/gathered_rows.hpp>
#include <gamut/data/total_weight.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/formula_rows.hpp>
#include <gamut/solver/lbfgs.hpp>
#include <gamut/solver/newton_cg.hpp>
#include <gamut/solver/problem.hpp>
#include <gamut/solver/sgd.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <vector>

using namespace gamut;

BOOST_AUTO_TEST_SUITE(formula_problem)

namespace {
constexpr autodiff::data X;
constexpr autodiff::labels y;
struct linear {
    autodiff::matrix<0> W{3, 4};
    autodiff::row<1> b{4};
};
const linear w;
const auto cross_entropy = mean(log_sum_exp(X * w.W + w.b) - pick(X * w.W + w.b, y));

data::arrays<backend::dense_matrix<double>> rows_of_classes() {
    const core::random draw{3, 0};
    std::vector<double> x, labels, weights;
    for (std::size_t i = 0; i < 150; ++i) {
        double best = -1e9;
        std::size_t label = 0;
        for (std::size_t j = 0; j < 3; ++j) x.push_back(draw.normal(3 * i + j));
        for (std::size_t k = 0; k < 4; ++k) {
            const double z = x[3 * i + k % 3] * (k < 3 ? 1 : -1) + draw.normal(10000 + 4 * i + k);
            if (z > best) best = z, label = k;
        }
        labels.push_back(static_cast<double>(label));
        weights.push_back(static_cast<double>(1 + i % 3));
    }
    return data::arrays(x, 150, 3, labels, weights);
}
auto load(const auto& ranks) { return rows_of_classes().load(ranks, {.classification = true, .blocks = 4}); }
const std::vector<double> zeros(16);
}  // namespace

BOOST_AUTO_TEST_CASE(softmax_regression_as_a_formula_is_the_model) {
    const auto rows = load(communicator::single<>{});
    const penalty::l2 ridge{0.01};
    const solver::formula_problem formula(cross_entropy, w, rows, zeros, ridge);
    using problem_type = std::remove_const_t<decltype(formula)>;
    static_assert(solver::SmoothProblem<problem_type> && solver::TwiceDifferentiable<problem_type> &&
                  solver::Stochastic<problem_type> && solver::Composite<problem_type>);
    const solver::problem<model::softmax, std::remove_const_t<decltype(rows)>, penalty::l2, backend::host<>,
                          communicator::single<>>
        known({}, rows, ridge, {}, {}, true);
    BOOST_REQUIRE(formula.dimension() == known.dimension());

    backend::array<backend::host<>> at(16), v(16), g(16), same_g(16);
    for (std::size_t k = 0; k < 16; ++k)
        at[k] = 0.3 * std::cos(static_cast<double>(k)), v[k] = std::sin(static_cast<double>(k));
    BOOST_TEST(formula.value(at) == known.value(at), boost::test_tools::tolerance(1e-13));
    BOOST_TEST(formula.value_and_gradient(at, g) == known.value_and_gradient(at, same_g),
               boost::test_tools::tolerance(1e-13));
    for (std::size_t k = 0; k < 16; ++k) BOOST_TEST(std::abs(g[k] - same_g[k]) < 1e-14);
    formula.hessian(at).times(v, g);
    known.hessian(at).times(v, same_g);
    for (std::size_t k = 0; k < 16; ++k) BOOST_TEST(std::abs(g[k] - same_g[k]) < 1e-14);

    const double least = solver::newton_cg{}.minimize(known).objective;
    BOOST_TEST(solver::newton_cg{}.minimize(formula).objective == least, boost::test_tools::tolerance(1e-10));
    BOOST_TEST(solver::lbfgs{}.minimize(formula).objective == least, boost::test_tools::tolerance(1e-8));
    const solver::sgd descent{.rate = 0.1, .stop = {.iterations = 30}};
    BOOST_TEST(descent.minimize(formula).objective < least + 0.05);
}

BOOST_AUTO_TEST_CASE(batches_average_to_the_whole) {
    const auto rows = load(communicator::single<>{});
    const solver::formula_problem problem(cross_entropy, w, rows, zeros, penalty::l2{0.1});
    backend::array<backend::host<>> at(16), g(16), sum(16), whole(16);
    for (std::size_t k = 0; k < 16; ++k) at[k] = 0.3 * std::cos(static_cast<double>(k));
    const double value = problem.value_and_gradient(at, whole);
    double mean = 0;
    const std::size_t count = problem.batches(20);
    BOOST_TEST(count == 8u);
    for (std::size_t index = 0; index < count; ++index) {
        mean += problem.batch_gradient(at, {20, 1, 5, index}, g) / static_cast<double>(count);
        sum = sum + g;
    }
    BOOST_TEST(mean == value, boost::test_tools::tolerance(1e-12));
    for (std::size_t k = 0; k < 16; ++k) BOOST_TEST(std::abs(sum[k] / static_cast<double>(count) - whole[k]) < 1e-14);
}

BOOST_AUTO_TEST_CASE(penalties_see_what_multiplies) {
    const auto rows = load(communicator::single<>{});
    std::vector<double> ones(16, 1.0);
    const solver::formula_problem problem(cross_entropy, w, rows, ones, penalty::l1{2});
    BOOST_TEST(problem.penalty(problem.start()) == 24);
    auto out = problem.start();
    problem.prox(problem.start(), 0.25, out);
    for (std::size_t k = 0; k < 16; ++k) BOOST_TEST(out[k] == (k < 12 ? 0.5 : 1.0));
    BOOST_CHECK_THROW((solver::formula_problem(cross_entropy, w, rows, std::vector<double>(15))), core::shape_error);
}

BOOST_AUTO_TEST_CASE(ranks_change_no_bit) {
    const auto values = [&](const auto& ranks, int threads) {
        const auto rows = load(ranks);
        const solver::formula_problem problem(cross_entropy, w, rows, zeros, penalty::l2{0.01},
                                              backend::host<>{.threads = threads}, ranks);
        auto found = solver::newton_cg{.stop = {.iterations = 4}}.minimize(problem).weights.download();
        const auto other = solver::sgd{.stop = {.iterations = 2}}.minimize(problem).weights.download();
        found.insert(found.end(), other.begin(), other.end());
        return found;
    };
    const auto alone = values(communicator::single<>{}, 1);
    BOOST_CHECK(values(communicator::single<>{}, 4) == alone);
    for (int size = 2; size <= 5; ++size)
        communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
            if (values(ranks, 1) != alone) throw core::error("other bits");
        });
}

BOOST_AUTO_TEST_SUITE_END()
