// SPDX-License-Identifier: BSL-1.0
// A problem behind an interface is the same problem: its numbers, what solvers find, and what they send.
#include "enumerate.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

#include <gamut/communicator/counting.hpp>
#include <gamut/core/observe.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/any_problem.hpp>
#include <gamut/solver/erased_problem.hpp>
#include <gamut/solver/lbfgs.hpp>
#include <gamut/solver/prune.hpp>

using namespace gamut;

namespace {

using numbers = std::vector<double>;
using array = backend::array<backend::host<>>;
const enumerate::rows rows = enumerate::random_rows(7, 90, 6, 2, true);
const auto of_l0 = enumerate::problem_of<model::logistic>(rows, {.kappa = 3, .l2 = 1e-2});

array some_weights(std::size_t n) {
    const core::random draw{.seed = 3};
    numbers w(n);
    for (std::size_t j = 0; j < n; ++j) w[j] = draw.normal(j);
    return array(std::span<const double>(w));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(any_problem)

BOOST_AUTO_TEST_CASE(says_the_same_numbers_after_as_many_passes) {
    const solver::detail::erased_l0 any(of_l0);
    const array w = some_weights(of_l0.dimension());
    array g(w.size()), other(w.size());
    BOOST_TEST(any.value(w) == of_l0.value(w));
    BOOST_TEST(any.value_and_gradient(w, g) == of_l0.value_and_gradient(w, other));
    BOOST_TEST(g.download() == other.download());
    any.hessian(w).times(g, other);
    array product(w.size());
    of_l0.hessian(w).times(g, product);
    BOOST_TEST(other.download() == product.download());
    BOOST_TEST(any.penalty(w) == of_l0.penalty(w));
    any.prox(w, 0.5, g);
    of_l0.prox(w, 0.5, other);
    BOOST_TEST(g.download() == other.download());
    BOOST_TEST(any.column_squares() == of_l0.column_squares());
    const std::vector<std::size_t> entries{0, 2, 5};
    BOOST_TEST(any.second_derivatives(w, entries).values == of_l0.second_derivatives(w, entries).values);
    BOOST_TEST(any.block(2).value_and_gradient(w, g) == of_l0.block(2).value_and_gradient(w, other));
    BOOST_TEST(g.download() == other.download());
    BOOST_TEST(any.passes() == of_l0.passes());
    BOOST_TEST(any.nonnegative());
    BOOST_TEST(!any.quadratic());
}

BOOST_AUTO_TEST_CASE(has_parts_that_have_parts) {
    const solver::detail::erased_l0 any(of_l0);
    const std::vector<std::size_t> four{0, 1, 3, 5}, two{1, 2};
    const penalty::l0 term{.kappa = 2, .l2 = 1e-2};
    const auto part = any.on_columns(four, term), of_part = part->on_columns(two, term);
    const auto direct = of_l0.on_columns(std::vector<std::size_t>{1, 3}, term);
    const array w = some_weights(3);
    BOOST_TEST(of_part->dimension() == 3u);
    BOOST_TEST(of_part->value(w) == direct->value(w));
}

BOOST_AUTO_TEST_CASE(solvers_find_the_same_to_the_bit) {
    const auto direct = solver::prune{}.minimize(of_l0), any = solver::minimize(solver::prune{}, of_l0);
    BOOST_TEST(direct.weights.download() == any.weights.download());
    BOOST_TEST(direct.objective == any.objective);
    BOOST_TEST(direct.passes == any.passes);
    BOOST_TEST(direct.message == any.message);
    const auto smooth = of_l0.with_penalty(penalty::l2{.strength = 0.1});
    const auto fit = solver::lbfgs<>{}.minimize(smooth), same = solver::minimize(solver::lbfgs<>{}, smooth);
    BOOST_TEST(fit.weights.download() == same.weights.download());
    BOOST_TEST(fit.history.size() == same.history.size());
    BOOST_TEST(fit.passes == same.passes);
}

BOOST_AUTO_TEST_CASE(sends_the_same_with_and_without_observers) {
    const communicator::counting<communicator::single<>> ranks;
    const solver::problem<model::logistic, enumerate::rows, penalty::l2, backend::host<>,
                          communicator::counting<communicator::single<>>>
        problem({}, rows, {.strength = 0.1}, {.threads = 1}, ranks, true, data::standardize(ranks, rows));
    const auto messages = [&](auto&& run) {
        ranks.reset();
        run();
        return ranks.messages();
    };
    std::size_t seen = 0;
    const auto counts = [&](const core::record&) { ++seen; };
    BOOST_TEST(messages([&] { solver::minimize(solver::lbfgs<>{}, problem); }) ==
               messages([&] { solver::lbfgs<>{}.minimize(problem); }));
    BOOST_TEST(messages([&] { solver::minimize(solver::lbfgs<>{}, problem, counts); }) ==
               messages([&] { solver::lbfgs<>{}.minimize(problem, counts); }));
    BOOST_TEST(seen > 0u);
    BOOST_TEST(seen % 2 == 0u);  // both saw as much
}

BOOST_AUTO_TEST_CASE(any_observer_who_asks_ends_the_run) {
    const auto third = [](const core::record& now) { return now.iteration == 3; };
    const auto smooth = of_l0.with_penalty(penalty::l2{.strength = 0.1});
    const auto found = solver::minimize(
        solver::lbfgs<>{}, smooth, [](const core::record&) {}, third);
    BOOST_TEST((found.status == core::status::stopped));
    BOOST_TEST(found.iterations == 3u);
}

BOOST_AUTO_TEST_SUITE_END()

// what is seen through an interface, and what is not: a solver that refuses, a penalty with corners, least squares with l0
template <class Model, class Penalty>
using problem_of = solver::problem<Model, enumerate::rows, Penalty, backend::host<>, communicator::single<>>;
static_assert(solver::detail::SolvesErased<solver::lbfgs<>, problem_of<model::logistic, penalty::l2>>);
static_assert(solver::detail::SolvesErased<solver::prune, problem_of<model::logistic, penalty::l0>>);
static_assert(!solver::detail::SolvesErased<solver::lbfgs<>, problem_of<model::logistic, penalty::l0>>);
static_assert(!solver::detail::SolvesErased<solver::lbfgs<>, problem_of<model::logistic, penalty::l1>>);
static_assert(!solver::detail::SolvesErased<solver::prune, problem_of<model::linear, penalty::l0>>);
