// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "enumerate.hpp"

#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/poisson.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/model/squared_hinge.hpp>
#include <gamut/solver/certificate.hpp>
#include <gamut/solver/gram_problem.hpp>

using namespace gamut;
using enumerate::problem_of;
using penalty::support;

namespace {

/// What the bounds of many random problems came to.
struct summary {
    double gap_at_the_optimum = 0, gap_tightened = 0, apart = 0;
    std::size_t proven = 0, decided = 0, groups = 0;
};

/// The bounds at the optimum, tightened, and at some other point: each is below the optimum, and nothing that the optimum
/// uses is screened out, nor anything in that it does not use.
template <class P> void check(const P& p, summary& sum, std::size_t trial) {
    const enumerate::optimum best = enumerate::best_of_all(p);
    const auto& term = p.penalty_term();
    const std::size_t group = term.over == support::rows ? p.layout().outputs : 1;
    typename P::array optimal(p.dimension()), other(p.dimension());
    optimal.upload(best.weights);
    for (std::size_t j = 0; j < other.size(); ++j) other[j] = optimal[j] * (trial % 2 == 0 ? 0.7 : 1.4);
    other[p.dimension() - 1] = optimal[p.dimension() - 1] + 0.3;

    const solver::bounds at_optimum = solver::certificate{}.bound(p, optimal),
                         elsewhere = solver::certificate{}.bound(p, other),
                         tightened = solver::certificate{.steps = 200}.bound(p, optimal),
                         from_elsewhere = solver::certificate{.steps = 200}.bound(p, other);
    for (const solver::bounds& b : {at_optimum, elsewhere, tightened, from_elsewhere}) {
        BOOST_TEST(b.lower <= best.objective);
        BOOST_TEST(std::isfinite(b.lower));
        BOOST_TEST(b.upper >= best.objective - 1e-12 * std::abs(best.objective));
        for (const std::size_t g : b.out)
            for (std::size_t j = g * group; j < (g + 1) * group; ++j) BOOST_TEST(best.weights[j] == 0.0);
        for (const std::size_t g : b.in) {
            bool used = false;
            for (std::size_t j = g * group; j < (g + 1) * group; ++j) used = used || best.weights[j] != 0;
            BOOST_TEST(used);
        }
    }
    BOOST_TEST(tightened.lower >= at_optimum.lower);
    if (solver::certificate::tightens(term)) {
        sum.apart += std::abs(tightened.lower - from_elsewhere.lower) / std::abs(best.objective);
    }
    sum.gap_at_the_optimum += std::min(at_optimum.gap(), 10.0);
    sum.gap_tightened += tightened.gap();
    sum.proven += tightened.optimal() ? 1 : 0;
    sum.decided += tightened.in.size() + tightened.out.size();
    sum.groups += p.layout().size() / group;
}

void report(const char* name, std::size_t trials, const summary& sum) {
    const double count = static_cast<double>(trials);
    // from two starts to the same maximum, but where the step limit ended that early
    BOOST_TEST(sum.apart / count < 1e-2);
    BOOST_TEST_MESSAGE(name << ": mean gap at the optimum " << sum.gap_at_the_optimum / count << ", tightened "
                            << sum.gap_tightened / count << "; " << sum.proven << " of " << trials << " proven, "
                            << sum.decided << " of " << sum.groups << " decided");
}

constexpr double strengths[] = {3e-3, 0.03, 0.3, 2};

}  // namespace

BOOST_AUTO_TEST_SUITE(certificate)

BOOST_AUTO_TEST_CASE(bounds_of_500_least_squares_problems_are_below_the_enumerated_optimum) {
    summary sum;
    for (std::size_t trial = 0; trial < 500; ++trial) {
        const std::size_t p = 3 + trial % 6, n = trial % 7 == 0 ? p - 1 : 20 + trial % 30;
        const auto data = enumerate::random_rows(trial, n, p, 0, trial % 3 == 0);
        penalty::l0 term{.kappa = 1 + trial % std::min<std::size_t>(p - 1, 3), .l2 = strengths[trial % 4]};
        if (trial % 5 == 0) term.free = {trial % p};
        if (trial % 11 == 0) term.l1 = 0.1;
        if (trial % 13 == 0) term.lower = -0.5, term.upper = 0.4;
        check(problem_of<model::linear>(data, term, trial % 4 != 1, trial % 4 != 2), sum, trial);
    }
    report("least squares", 500, sum);
    BOOST_TEST(sum.proven > 100u);
}

BOOST_AUTO_TEST_CASE(bounds_of_500_logistic_problems_are_below_the_enumerated_optimum) {
    summary sum;
    for (std::size_t trial = 0; trial < 500; ++trial) {
        const std::size_t p = 3 + trial % 5;
        const auto data = enumerate::random_rows(1000 + trial, 20 + trial % 30, p, 2, trial % 3 == 0);
        penalty::l0 term{.kappa = 1 + trial % std::min<std::size_t>(p - 1, 3), .l2 = strengths[trial % 4] / 3};
        if (trial % 5 == 0) term.free = {trial % p};
        check(problem_of<model::logistic>(data, term, trial % 4 != 1, trial % 4 != 2), sum, trial);
    }
    report("logistic", 500, sum);
    BOOST_TEST(sum.proven > 50u);
}

BOOST_AUTO_TEST_CASE(bounds_of_500_softmax_problems_are_below_the_enumerated_optimum) {
    summary sum;
    for (std::size_t trial = 0; trial < 500; ++trial) {
        const std::size_t p = 2 + (trial / 3) % 2;
        const auto data = enumerate::random_rows(2000 + trial, 20 + trial % 20, p, 3, trial % 3 == 1);
        penalty::l0 term{.kappa = 1 + trial % 2,
                         .l2 = strengths[trial % 4] / 6,
                         .over = trial % 3 == 0   ? support::entries
                                 : trial % 3 == 1 ? support::per_output
                                                  : support::rows};
        if (term.over == support::rows) term.kappa = 1;
        if (trial % 5 == 0 && p == 3) term.free = {trial % p};
        check(problem_of<model::softmax>(data, term, trial % 4 != 1, trial % 4 != 2), sum, trial);
    }
    report("softmax", 500, sum);
    BOOST_TEST(sum.proven > 50u);
}

BOOST_AUTO_TEST_CASE(bounds_of_500_squared_hinge_problems_are_below_the_enumerated_optimum) {
    summary sum;
    for (std::size_t trial = 0; trial < 500; ++trial) {
        const std::size_t p = 3 + trial % 4;
        const auto data = enumerate::random_rows(3000 + trial, 20 + trial % 30, p, 2, trial % 3 == 0);
        const penalty::l0 term{.kappa = 1 + trial % 2, .l2 = strengths[trial % 4] / 3};
        check(problem_of<model::squared_hinge>(data, term, trial % 4 != 1, trial % 4 != 2), sum, trial);
    }
    report("squared hinge", 500, sum);
}

BOOST_AUTO_TEST_CASE(bounds_of_500_poisson_problems_are_below_the_enumerated_optimum) {
    summary sum;
    for (std::size_t trial = 0; trial < 500; ++trial) {
        const std::size_t p = 3 + trial % 4;
        auto data = enumerate::random_rows(4000 + trial, 20 + trial % 30, p, 0, trial % 3 == 0);
        for (double& count : data.y) count = std::floor(std::min(std::abs(count), 6.0));
        const penalty::l0 term{.kappa = 1 + trial % 2, .l2 = strengths[trial % 4]};
        check(problem_of<model::poisson>(data, term), sum, trial);
    }
    report("poisson", 500, sum);
}

BOOST_AUTO_TEST_CASE(a_clear_optimum_is_proven_by_its_own_gradient) {
    const auto data = enumerate::random_rows(4, 200, 6, 0, false);
    const auto p = problem_of<model::linear>(data, {.kappa = 3, .l2 = 3});
    const enumerate::optimum best = enumerate::best_of_all(p);
    const decltype(p.start()) w{std::span<const double>(best.weights)};
    // l2 |w_j| on the support is no less than the gradient elsewhere
    auto gradient = w;
    p.value_and_gradient(w, gradient);
    double least = 1e300, most = 0;
    for (std::size_t j = 0; j < 6; ++j)
        if (w[j] != 0)
            least = std::min(least, 3 * std::abs(w[j]));
        else
            most = std::max(most, std::abs(gradient[j]));
    const solver::bounds found = solver::certificate{}.bound(p, w);
    BOOST_TEST(found.optimal() == (least >= most));
    BOOST_TEST(found.optimal());
    BOOST_TEST(found.in.size() + found.out.size() == 6u);
    BOOST_TEST(found.passes <= 4u);
}

BOOST_AUTO_TEST_CASE(the_gram_matrix_and_the_rows_give_the_same_bound) {
    const auto data = enumerate::random_rows(5, 60, 6, 0, true);
    const auto p = problem_of<model::linear>(data, {.kappa = 2, .l2 = 0.1});
    const solver::gram_problem in_memory(p);
    auto w = p.start();
    w[0] = 0.5, w[1] = -0.4;
    const solver::bounds a = solver::certificate{.steps = 50}.bound(p, w),
                         b = solver::certificate{.steps = 50}.bound(in_memory, w);
    BOOST_TEST(std::abs(a.lower - b.lower) <= 1e-9 * a.upper);
    BOOST_TEST(std::abs(a.upper - b.upper) <= 1e-12 * a.upper);
    BOOST_TEST(a.out == b.out, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(weights_that_are_not_allowed_give_no_upper_bound) {
    const auto data = enumerate::random_rows(6, 60, 6, 2, false);
    const auto p = problem_of<model::logistic>(data, {.kappa = 2, .l2 = 0.1});
    auto w = p.start();
    for (std::size_t j = 0; j < 4; ++j) w[j] = 0.1;
    const solver::bounds found = solver::certificate{}.bound(p, w);
    BOOST_TEST(std::isinf(found.upper));
    BOOST_TEST(std::isfinite(found.lower));
    BOOST_TEST(found.in.empty());
    BOOST_TEST(found.out.empty());
    BOOST_TEST(!found.optimal());
}

BOOST_AUTO_TEST_CASE(steps_help_where_the_weights_have_bounds_too) {
    double without = 0, with = 0;
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
        const auto data = enumerate::random_rows(seed, 60, 6, 2, false);
        const auto p = problem_of<model::logistic>(data, {.kappa = 2, .l2 = 0.005, .lower = 0});
        const enumerate::optimum best = enumerate::best_of_all(p);
        const std::remove_cvref_t<decltype(p.start())> elsewhere(p.dimension());  // all 0
        const double plain = solver::certificate{}.bound(p, elsewhere).lower,
                     tight = solver::certificate{.steps = 200}.bound(p, elsewhere).lower;
        BOOST_TEST(tight <= best.objective * (1 + 1e-10));
        BOOST_TEST(tight >= plain);
        without += plain / best.objective;
        with += tight / best.objective;
    }
    BOOST_TEST(with > without + 0.5);  // of 8
}

BOOST_AUTO_TEST_CASE(without_l2_there_is_no_bound_unless_the_weights_have_bounds) {
    const auto data = enumerate::random_rows(7, 60, 4, 2, false);
    const auto free = problem_of<model::logistic>(data, {.kappa = 2});
    BOOST_CHECK_THROW(solver::certificate{}.bound(free, free.start()), core::option_error);
    BOOST_TEST(std::isnan(solver::certificate{}.below(free, free.start(), 1.0)));
    const auto bounded = problem_of<model::logistic>(data, {.kappa = 2, .lower = -1, .upper = 1});
    const enumerate::optimum best = enumerate::best_of_all(bounded);
    const solver::bounds found =
        solver::certificate{}.bound(bounded, decltype(bounded.start()){std::span<const double>(best.weights)});
    BOOST_TEST(std::isfinite(found.lower));
    BOOST_TEST(found.lower <= best.objective);
    BOOST_CHECK_THROW(solver::certificate{.tolerance = -1}.bound(bounded, bounded.start()), core::option_error);
}

BOOST_AUTO_TEST_SUITE_END()
