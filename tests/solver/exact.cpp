// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "enumerate.hpp"

#include <gamut/communicator/threads.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/solver/disadmm.hpp>
#include <gamut/solver/exact.hpp>

using namespace gamut;
using enumerate::problem_of;
using penalty::support;

namespace {

constexpr double strengths[] = {3e-3, 0.03, 0.3, 2};

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
    penalty::l0 term{.kappa = 1 + trial % 2,
                     .l2 = strengths[trial % 4] / 6,
                     .over = trial % 3 == 0   ? support::entries
                             : trial % 3 == 1 ? support::per_output
                                              : support::rows};
    if (term.over == support::rows) term.kappa = 1;
    return term;
}

/// p features in groups of one to three.
std::vector<std::size_t> random_sizes(std::uint64_t seed, std::size_t p) {
    const core::random draw{.seed = seed, .stream = 9};
    std::vector<std::size_t> sizes;
    for (std::size_t left = p; left > 0; left -= sizes.back())
        sizes.push_back(std::min<std::size_t>(left, 1 + draw.below(left, 3)));
    return sizes;
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

BOOST_AUTO_TEST_CASE(groups_of_features_agree_with_enumeration) {
    std::size_t nodes = 0;
    for (std::size_t trial = 0; trial < 200; ++trial) {
        const std::size_t p = 5 + trial % 5;
        penalty::l0 term{.l2 = trial % 3 == 0 ? 0 : strengths[trial % 4] / 3, .sizes = random_sizes(trial, p)};
        term.kappa = trial % term.sizes.size();
        if (trial % 5 == 0)  // the first group
            for (std::size_t i = 0; i < term.sizes[0]; ++i) term.free.push_back(i);
        if (trial % 7 == 0 && term.l2 > 0) term.l1 = 0.05;
        const auto squares = enumerate::random_rows(3000 + trial, 25 + trial % 30, p, 0, trial % 3 == 0);
        nodes += check(problem_of<model::linear>(squares, term, trial % 4 != 1));
        if (term.l2 == 0) continue;
        const auto classes = enumerate::random_rows(4000 + trial, 25 + trial % 30, p, 2, trial % 3 == 1);
        nodes += check(problem_of<model::logistic>(classes, term, trial % 4 != 1));
        if (trial % 4 != 0) continue;
        const auto three = enumerate::random_rows(5000 + trial, 25 + trial % 30, p, 3, trial % 3 == 1);
        nodes += check(problem_of<model::softmax>(three, term));
    }
    BOOST_TEST_MESSAGE("groups: " << nodes << " nodes");
}

namespace {

template <class Model> struct from_file {
    enumerate::rows data;
    enumerate::problem<Model> fit;
    from_file(const char* path, const penalty::l0& term)
        : data(data::csv<>{.path = path}.load(communicator::single<>{},
                                              {.classification = model::is_classification<Model>, .blocks = 8})),
          fit(problem_of<Model>(data, term)) {}
};

std::vector<std::size_t> support_of(const std::vector<double>& w, std::size_t p) {
    std::vector<std::size_t> s;
    for (std::size_t j = 0; j < p; ++j)
        if (w[j] != 0) s.push_back(j);
    return s;
}

}  // namespace

// the sums of squares that all subsets leave at least, from an enumeration (n = 442)
BOOST_AUTO_TEST_CASE(diabetes_every_kappa) {
    const double known[] = {1719581.811, 1416694.014, 1362708.694, 1331431.404, 1287881.155,
                            1271493.997, 1267807.812, 1264714.580, 1264068.096, 1263985.786};
    for (std::size_t kappa = 1; kappa <= 10; ++kappa) {
        const from_file<model::linear> problem("examples/data/diabetes.csv", {.kappa = kappa});
        const auto found = solver::exact{}.minimize(problem.fit);
        BOOST_TEST((found.status == core::status::converged));
        BOOST_TEST(std::abs(2 * 442 * found.objective / known[kappa - 1] - 1) <= 1e-9);
        BOOST_TEST(found.gap() <= 1e-6);
        BOOST_TEST(found.iterations <= 60u);
        BOOST_TEST(found.passes == 2u);
        const from_file<model::linear> ridge("examples/data/diabetes.csv", {.kappa = kappa, .l2 = 1e-3});
        BOOST_TEST(solver::exact{}.minimize(ridge.fit).objective >= found.objective);
    }
}

BOOST_AUTO_TEST_CASE(breast_cancer_up_to_five) {
    const double known[] = {.1989283709, .1360714785, .1059198929};
    const std::vector<std::vector<std::size_t>> supports{{22}, {23, 27}, {20, 21, 27}};
    double before = 1;
    for (std::size_t kappa = 1; kappa <= 5; ++kappa) {
        const from_file<model::logistic> problem("examples/data/breast_cancer.csv", {.kappa = kappa, .l2 = 1e-3});
        const auto found = solver::exact{}.minimize(problem.fit);
        BOOST_TEST_MESSAGE("breast cancer, kappa = " << kappa << ": " << found.message << ", " << found.passes
                                                     << " passes, " << found.seconds << " s");
        BOOST_TEST((found.status == core::status::converged));
        BOOST_TEST(found.gap() <= 1e-6);
        BOOST_TEST(found.objective < before);
        before = found.objective;
        if (kappa > 3) continue;
        BOOST_TEST(std::abs(found.objective - known[kappa - 1]) <= 1e-9);
        BOOST_TEST(support_of(found.weights.download(), 30) == supports[kappa - 1], boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(few_of_many_columns_are_proven_where_columns_are_dropped) {
    const auto data = enumerate::random_rows(77, 150, 60, 2, false);
    const auto p = problem_of<model::logistic>(data, {.kappa = 2, .l2 = 0.02});
    const auto found = solver::exact{.stop = {.tolerance = 1e-7}}.minimize(p);
    BOOST_TEST((found.status == core::status::converged));
    double best = 1e300;
    for (std::size_t i = 0; i < 60; ++i)
        for (std::size_t j = 0; j < i; ++j) {
            auto w = p.start();
            w[i] = w[j] = 0.1;
            best = std::min(best, solver::polish{}.improve(p, w).objective);
        }
    BOOST_TEST(std::abs(found.objective - best) <= 1e-7 * best);
    BOOST_TEST(found.lower_bound <= best);
}

BOOST_AUTO_TEST_CASE(ended_early_it_knows_both_bounds) {
    const auto data = enumerate::random_rows(8, 40, 14, 0, false);
    const auto p = problem_of<model::linear>(data, {.kappa = 5, .l2 = 1e-3});
    const auto all = solver::exact{}.minimize(p);
    BOOST_TEST((all.status == core::status::converged));
    double before = -1e300;
    for (const std::size_t nodes : {1u, 3u, 10u}) {
        const auto some = solver::exact{.stop = {.iterations = nodes, .tolerance = 1e-6}}.minimize(p);
        BOOST_TEST((some.status == core::status::iteration_limit), some.message);
        BOOST_TEST(some.iterations == nodes);
        BOOST_TEST(some.lower_bound <= all.objective);
        BOOST_TEST(some.lower_bound >= before);
        BOOST_TEST(some.objective >= all.objective * (1 - 1e-12));
        BOOST_TEST(some.message.find("lies between") != std::string::npos);
        before = some.lower_bound;
    }
    const auto rough = solver::exact{.stop = {.tolerance = 0.2}}.minimize(p);
    BOOST_TEST((rough.status == core::status::converged));
    BOOST_TEST(rough.gap() <= 0.2);
    BOOST_TEST(rough.iterations < all.iterations);
    std::size_t seen = 0;
    const auto stopped = solver::exact{}.minimize(p, [&](const core::record& now) {
        BOOST_TEST(now.objective >= all.objective * (1 - 1e-12));
        BOOST_TEST(now.residual >= 0);
        return ++seen == 1;
    });
    BOOST_TEST((stopped.status == core::status::stopped));
    BOOST_TEST(stopped.lower_bound <= all.objective);
    const auto late = solver::exact{.stop = {.seconds = 1e-12}}.minimize(p);
    BOOST_TEST((late.status == core::status::time_limit));
    BOOST_TEST(late.lower_bound <= all.objective);
}

BOOST_AUTO_TEST_CASE(ranks_change_no_bit) {
    const penalty::l0 term{.kappa = 3, .l2 = 3e-3};
    const auto check_model = [&](auto model, std::size_t classes, std::uint64_t seed) {
        using Model = decltype(model);
        const auto run_on = [&](const fits::any_communicator& ranks) {
            const auto data = enumerate::random_rows(seed, 90, 20, classes, true, ranks);
            const auto p = problem_of<Model>(data, term, true, true, ranks);
            return std::pair(solver::exact{}.minimize(p), solver::certificate{.steps = 30}.bound(p, p.start()));
        };
        const auto [alone, bound] = run_on({});
        BOOST_TEST(alone.iterations > 3u);
        for (const int size : {2, 3})
            communicator::threads<>::run(size, [&, &alone = alone,
                                                &bound = bound](const communicator::threads<>& ranks) {
                const auto [together, same] = run_on(ranks);
                if (together.objective != alone.objective || together.lower_bound != alone.lower_bound ||
                    together.iterations != alone.iterations || together.passes != alone.passes ||
                    together.weights.download() != alone.weights.download())
                    throw core::error(core::text("other bits: ", together.objective, " instead of ", alone.objective));
                if (same.lower != bound.lower || same.out != bound.out)
                    throw core::error(core::text("other bits: ", same.lower, " instead of ", bound.lower));
            });
    };
    check_model(model::linear{}, 0, 31);
    check_model(model::logistic{}, 2, 32);
}

BOOST_AUTO_TEST_CASE(disadmm_says_how_far_it_may_be_from_the_optimum) {
    const auto data = enumerate::random_rows(9, 80, 8, 0, false);
    const auto p = problem_of<model::linear>(data, {.kappa = 3, .l2 = 0.5});
    const auto best = solver::exact{}.minimize(p);
    for (const auto mode : {solver::mode::gram, solver::mode::rows}) {
        const auto found = solver::disadmm<>{.mode = mode}.minimize(p);
        BOOST_TEST(found.lower_bound <= best.objective * (1 + 1e-12));
        BOOST_TEST(found.lower_bound >= 0.5 * best.objective);
        BOOST_TEST(found.gap() >= 0);
        BOOST_TEST(found.message.find("no support is better") != std::string::npos, found.message);
    }
    const auto without = problem_of<model::linear>(data, {.kappa = 3});
    BOOST_TEST(std::isnan(solver::disadmm<>{}.minimize(without).gap()));
}

BOOST_AUTO_TEST_CASE(what_has_no_bound_is_refused) {
    const auto numbers = enumerate::random_rows(10, 30, 6, 0, false), few = enumerate::random_rows(10, 5, 6, 0, false),
               classes = enumerate::random_rows(10, 30, 6, 2, false);
    const auto says = [](const char* what) {
        return [what](const core::option_error& e) { return std::string(e.what()).find(what) != std::string::npos; };
    };
    const auto refuses = [&](const auto& p, const solver::exact& options, const char* what) {
        BOOST_CHECK_EXCEPTION(options.minimize(p), core::option_error, says(what));
    };
    refuses(problem_of<model::logistic>(classes, {.kappa = 2}), {}, "exact: l2 is 0 (only least squares");
    refuses(problem_of<model::linear>(few, {.kappa = 2}), {}, "exact: l2 is 0 and 5 rows are fewer");
    refuses(problem_of<model::linear>(numbers, {.kappa = 2, .l1 = 1}), {}, "exact: l1 without l2");
    refuses(problem_of<model::linear>(numbers, {.kappa = 2, .l2 = 1, .lower = 0}), {},
            "exact: the weights are bounded");
    refuses(problem_of<model::linear>(numbers, {.kappa = 2, .l2 = 1}), {.memory = 1000}, "MiB for matrices");
    refuses(problem_of<model::linear>(numbers, {.kappa = 2, .l2 = 1}), {.blocks = 0}, "exact: blocks is 0");
    refuses(problem_of<model::linear>(numbers, {.kappa = 2, .l2 = 1}), {.stop = {.tolerance = -1}},
            "stop.tolerance is -1");
}

BOOST_AUTO_TEST_SUITE_END()
