// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "enumerate.hpp"

#include <gamut/communicator/threads.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/solver/exact.hpp>

using namespace gamut;
using penalty::support;

namespace {

constexpr double strengths[] = {3e-3, 0.03, 0.3, 2};

template <class Model>
enumerate::problem<Model> problem_of(const enumerate::rows& data, const penalty::l0& term, bool intercept = true) {
    const communicator::single<> alone;
    return {Model{}, data, term, {}, alone, intercept, data::standardize(alone, data)};
}

template <class P> std::size_t check(const P& p) {
    const enumerate::optimum best = enumerate::best_of_all(p);
    const auto found = solver::exact{.stop = {.tolerance = 1e-8}}.minimize(p);
    BOOST_TEST((found.status == core::status::converged), found.message);
    BOOST_TEST(std::abs(found.objective - best.objective) <= 2e-8 * std::abs(best.objective));
    BOOST_TEST(found.lower_bound <= best.objective * (1 + 1e-12));
    BOOST_TEST(found.gap() <= 1.1e-8);
    BOOST_TEST(std::abs(found.objective - solver::objective(p, found.weights)) <= 1e-14);
    return found.iterations;
}

penalty::l0 softmax_term(std::size_t trial) {
    penalty::l0 term{.kappa = 1 + trial % 2, .l2 = strengths[trial % 4] / 6,
                     .over = trial % 3 == 0 ? support::entries : trial % 3 == 1 ? support::per_output : support::rows};
    if (term.over == support::rows) term.kappa = 1;
    return term;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(exact)

BOOST_AUTO_TEST_CASE(least_squares_agrees_with_enumeration) {
    std::size_t nodes = 0;
    for (std::size_t trial = 0; trial < 500; ++trial) {
        const std::size_t p = 3 + trial % 6, n = trial % 7 == 0 && trial % 3 != 0 ? p - 1 : 20 + trial % 30;
        const auto data = enumerate::random_rows(trial, n, p, 0, trial % 5 == 0);
        penalty::l0 term{.kappa = trial % p, .l2 = trial % 3 == 0 ? 0 : strengths[trial % 4]};
        if (trial % 5 == 0) term.free = {trial % p};
        if (trial % 11 == 0 && term.l2 > 0) term.l1 = 0.1;
        nodes += check(problem_of<model::linear>(data, term, trial % 4 != 1));
    }
    BOOST_TEST_MESSAGE("least squares: " << nodes << " nodes for 500 problems");
}

BOOST_AUTO_TEST_CASE(logistic_agrees_with_enumeration) {
    std::size_t nodes = 0;
    for (std::size_t trial = 0; trial < 500; ++trial) {
        const std::size_t p = 3 + trial % 5;
        const auto data = enumerate::random_rows(1000 + trial, 20 + trial % 30, p, 2, trial % 3 == 0);
        penalty::l0 term{.kappa = trial % p, .l2 = strengths[trial % 4] / 3};
        if (trial % 5 == 0) term.free = {trial % p};
        nodes += check(problem_of<model::logistic>(data, term, trial % 4 != 1));
    }
    BOOST_TEST_MESSAGE("logistic: " << nodes << " nodes for 500 problems");
}

BOOST_AUTO_TEST_CASE(softmax_agrees_with_enumeration) {
    std::size_t nodes = 0;
    for (std::size_t trial = 0; trial < 500; ++trial) {
        const std::size_t p = 2 + (trial / 3) % 2;
        const auto data = enumerate::random_rows(2000 + trial, 20 + trial % 20, p, 3, trial % 3 == 1);
        penalty::l0 term = softmax_term(trial);
        if (trial % 5 == 0 && p == 3) term.free = {trial % p};
        nodes += check(problem_of<model::softmax>(data, term, trial % 4 != 1));
    }
    BOOST_TEST_MESSAGE("softmax: " << nodes << " nodes for 500 problems");
}

BOOST_AUTO_TEST_SUITE_END()
