// SPDX-License-Identifier: BSL-1.0
#include <gamut/solver/path.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/softmax.hpp>

#include "enumerate.hpp"

using namespace gamut;
using enumerate::problem_of;
using enumerate::random_rows;

namespace {

/// Solved over rows, as other losses are.
solver::path over_rows(solver::path options) {
    options.memory = 0;
    return options;
}

/// Solved in memory on a pool of candidates, as where there are too many for a matrix of all.
solver::path on_pool(solver::path options) {
    options.memory = 1;
    return options;
}

template <class P> void check_all_best(const solver::path& options, const P& p) {
    const auto path = options.minimize(p);
    std::size_t i = 0;
    for (const double l2 : options.l2)
        for (std::size_t k = 0; k <= options.largest; ++k, ++i) {
            auto term = p.penalty_term();
            term.kappa = k;
            term.l2 = l2;
            const auto alone = p.with_penalty(term);
            const double best = enumerate::best_of_all(alone).objective;
            BOOST_TEST_CONTEXT("kappa = " << k << ", l2 = " << l2) {
                BOOST_REQUIRE(i < path.size());
                const auto& found = path[i];
                BOOST_TEST(found.kappa == k);
                BOOST_TEST(found.l2 == l2);
                BOOST_TEST((found.result.status == core::status::converged));
                BOOST_TEST(std::abs(found.result.objective - best) <= 1e-8 * best);
                BOOST_TEST(std::abs(alone.value(found.result.weights) - found.loss) <= 1e-9 * best);
                BOOST_TEST(std::abs(found.loss + alone.penalty(found.result.weights) - found.result.objective) <=
                           1e-9 * best);
                if (l2 > 0) BOOST_TEST(found.result.lower_bound <= best + 1e-9 * best);
            }
        }
    BOOST_TEST(i == path.size());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(path)

BOOST_AUTO_TEST_CASE(every_kappa_and_l2_of_small_problems_has_its_best_subset) {
    for (const bool weighted : {false, true})
        for (std::uint64_t seed = 1; seed <= 4; ++seed) {
            const auto numbers = random_rows(seed, 40, 8, 0, weighted);
            const solver::path options{.largest = 8, .l2 = {0.3, 1e-3}};
            check_all_best(options, problem_of<model::linear>(numbers, {}));
            check_all_best(over_rows(options), problem_of<model::linear>(numbers, {}));
            check_all_best(on_pool(options), problem_of<model::linear>(numbers, {}));
        }
    check_all_best({.largest = 7, .l2 = {0.1, 1e-2}}, problem_of<model::logistic>(random_rows(7, 80, 7, 2, true), {}));
}

BOOST_AUTO_TEST_CASE(nearly_collinear_columns_are_said_to_be_judged_by_a_gram_matrix) {
    auto numbers = random_rows(5, 60, 8, 0, false);
    const solver::path options{.largest = 4, .l2 = {0.5, 0}};
    const auto says = [&](const solver::path& how, const char* begin) {
        std::size_t seen = 0;
        for (const auto& at : how.minimize(problem_of<model::linear>(numbers, {})))
            if (at.l2 == 0) seen += at.result.message.starts_with(begin) ? 1 : 0;
        BOOST_TEST(seen == 5u);
    };
    says(options, "no exchange");
    says(on_pool(options), "no exchange");
    for (std::size_t i = 0; i < 60; ++i) numbers.x(i, 3) = numbers.x(i, 2) + 1e-7 * numbers.x(i, 3);
    says(options, "no promising exchange");
    says(on_pool(options), "no promising exchange");
    for (const auto& at : options.minimize(problem_of<model::linear>(numbers, {})))
        if (at.l2 == 0.5) BOOST_TEST(at.result.message.starts_with("no exchange"), at.result.message);
}

BOOST_AUTO_TEST_CASE(without_intercept_and_with_free_features) {
    const auto numbers = random_rows(9, 50, 8, 0, true);
    const solver::path options{.largest = 6, .l2 = {1e-2}};
    for (const auto& how : {options, over_rows(options), on_pool(options)}) {
        check_all_best(how, problem_of<model::linear>(numbers, {}, false, false));
        check_all_best(how, problem_of<model::linear>(numbers, {}, false, true));
        check_all_best(how, problem_of<model::linear>(numbers, {.free = {2, 5}}));
        check_all_best(how, problem_of<model::linear>(numbers, {.free = {3}}, false, false));
    }
}

BOOST_AUTO_TEST_CASE(a_pool_takes_in_what_belongs_to_any_solution) {
    // 1000 candidates, 3 that matter; the third has nothing in common with the labels, but with what the others leave of them
    const core::random draw{.seed = 34};
    const std::size_t n = 120, p = 1000;
    std::vector<double> x(n * p), y(n), score(p);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < p; ++j) x[i * p + j] = draw.normal(i * p + j);
        x[i * p + 700] -= 0.5 * (x[i * p + 3] + x[i * p + 400]);
        y[i] = x[i * p + 3] + x[i * p + 400] + 2. / 3 * x[i * p + 700] + 0.01 * draw.normal(6000000 + i);
        for (std::size_t j = 0; j < p; ++j) score[j] += x[i * p + j] * y[i];
    }
    const auto larger =
        std::count_if(score.begin(), score.end(), [&](double s) { return std::abs(s) > std::abs(score[700]); });
    BOOST_REQUIRE(larger > 256);
    const auto rows = data::arrays(x, n, p, y).load(fits::any_communicator{}, {.blocks = 8});
    const auto problem = problem_of<model::linear>(rows, {.l2 = 1e-8});
    const solver::path options{.largest = 4};
    const auto whole = options.minimize(problem), pool = on_pool(options).minimize(problem);
    BOOST_REQUIRE(whole.size() == pool.size());
    for (std::size_t k = 0; k < whole.size(); ++k)
        BOOST_TEST(std::abs(whole[k].result.objective - pool[k].result.objective) <= 1e-9 * whole[0].result.objective);
    for (const std::size_t j : {3, 400, 700}) BOOST_TEST(pool[3].result.weights[j] != 0);
    BOOST_TEST(pool[3].loss < 1e-3);
}

BOOST_AUTO_TEST_CASE(rows_in_float_have_the_path_of_rows_in_double) {
    const auto numbers = random_rows(6, 200, 10, 0, true);
    data::dataset<backend::dense_matrix<float>> rows;
    rows.x = backend::dense_matrix<float>(200, 10);
    std::copy(numbers.x.values.begin(), numbers.x.values.end(), rows.x.values.begin());
    rows.y.assign(numbers.y.begin(), numbers.y.end());
    rows.weights.assign(numbers.weights.begin(), numbers.weights.end());
    rows.partition = numbers.partition;
    rows.features = numbers.features;
    const communicator::single<> alone;
    const solver::problem<model::linear, decltype(rows), penalty::l0, backend::host<float>, communicator::single<>>
        problem({}, rows, {.l2 = 1e-3}, {}, alone, true, data::standardize(alone, rows));
    const auto wide = solver::path{.largest = 10}.minimize(problem_of<model::linear>(numbers, {.l2 = 1e-3}));
    for (const std::size_t memory : {1 << 20, 1}) {
        const auto path = solver::path{.largest = 10, .memory = memory}.minimize(problem);
        BOOST_REQUIRE(path.size() == wide.size());
        for (std::size_t k = 0; k < path.size(); ++k) {
            BOOST_TEST(std::abs(path[k].result.objective - wide[k].result.objective) <=
                       1e-6 * wide[k].result.objective);
            BOOST_TEST(path[k].result.lower_bound <= path[k].result.objective);
        }
    }
}

BOOST_AUTO_TEST_CASE(bounds_and_l1_inside_the_penalty_hold) {
    const auto numbers = random_rows(3, 50, 6, 0, false);
    const auto problem = problem_of<model::linear>(numbers, {.l1 = 1e-2, .lower = -0.5, .upper = 0.5});
    const auto path = solver::path{.largest = 4, .l2 = {1e-2}}.minimize(problem);
    BOOST_TEST(path.size() == 5u);
    for (const auto& found : path)
        for (std::size_t j = 0; j < 6; ++j) BOOST_TEST(std::abs(found.result.weights[j]) <= 0.5);
}

BOOST_AUTO_TEST_CASE(classes_have_supports_of_their_own) {
    const auto classes = random_rows(5, 90, 4, 3, false);
    const auto problem = problem_of<model::softmax>(classes, {.over = penalty::support::per_output});
    const auto path = solver::path{.largest = 3, .l2 = {1e-2}}.minimize(problem);
    BOOST_REQUIRE(path.size() == 4u);
    for (std::size_t k = 0; k < path.size(); ++k) {
        auto term = problem.penalty_term();
        term.kappa = k;
        term.l2 = 1e-2;
        const double best = enumerate::best_of_all(problem.with_penalty(term)).objective;
        BOOST_TEST(path[k].result.objective >= best - 1e-9);
        BOOST_TEST(path[k].result.objective <= best + 1e-7);
        for (std::size_t c = 0; c < 3; ++c) {
            std::size_t used = 0;
            for (std::size_t j = 0; j < 4; ++j) used += path[k].result.weights[j * 3 + c] != 0 ? 1 : 0;
            BOOST_TEST(used <= k);
        }
    }
}

BOOST_AUTO_TEST_CASE(groups_and_rows_have_their_best_subset_at_every_size) {
    for (const bool with_free : {false, true}) {
        penalty::l0 term{.sizes = {2, 1, 3, 1, 2, 1}};
        if (with_free) term.free = {3, 4, 5};
        const std::size_t largest = with_free ? 5 : 6;
        const auto numbers = random_rows(15, 60, 10, 0, true);
        const solver::path options{.largest = largest, .l2 = {0.1, 1e-3}};
        for (const auto& how : {options, over_rows(options), on_pool(options)})
            check_all_best(how, problem_of<model::linear>(numbers, term));
        check_all_best({.largest = 4, .l2 = {1e-2}},
                       problem_of<model::logistic>(random_rows(16, 90, 10, 2, false), term));
    }
    const auto classes = random_rows(17, 90, 6, 3, false);
    check_all_best({.largest = 4, .l2 = {1e-2}}, problem_of<model::softmax>(classes, {.over = penalty::support::rows}));
}

BOOST_AUTO_TEST_CASE(degrees_of_freedom_of_a_group_are_those_of_its_weights) {
    const auto numbers = random_rows(18, 60, 6, 0, false);
    const auto entries = problem_of<model::linear>(numbers, {.l2 = 0.4}),
               groups = problem_of<model::linear>(numbers, {.l2 = 0.4, .sizes = {3, 1, 2}});
    for (const auto& how : {solver::path{}, over_rows({})}) {
        const auto all = how.minimize(entries).back(), grouped = how.minimize(groups).back();
        BOOST_TEST(grouped.kappa == 3u);
        BOOST_TEST(std::abs(grouped.degrees_of_freedom - all.degrees_of_freedom) <= 1e-8);
        BOOST_TEST(std::abs(grouped.loss - all.loss) <= 1e-11);
    }
}

BOOST_AUTO_TEST_CASE(known_best_subsets_of_diabetes_which_are_not_nested) {
    const std::vector<double> rss{2621009.124434, 1719581.811, 1416694.014, 1362708.694, 1331431.404, 1287881.155,
                                  1271493.997,    1267807.812, 1264714.580, 1264068.096, 1263985.786};
    const auto rows = data::csv<>{.path = "examples/data/diabetes.csv"}.load(fits::any_communicator{}, {.blocks = 8});
    const auto path = solver::path{}.minimize(problem_of<model::linear>(rows, {}));  // largest: no more than there are
    BOOST_REQUIRE(path.size() == rss.size());
    for (std::size_t k = 0; k < rss.size(); ++k) {
        BOOST_TEST(std::abs(2 * 442 * path[k].loss - rss[k]) <= 1e-3);
        BOOST_TEST(path[k].degrees_of_freedom == static_cast<double>(k + 1));
        BOOST_TEST(path[k].result.passes == 1u);
    }
    const auto& five = path[5].result.weights;
    const std::vector<bool> members{false, true, true, true, false, false, true, false, true, false};
    for (std::size_t j = 0; j < 10; ++j) BOOST_TEST((five[j] != 0) == members[j]);
}

BOOST_AUTO_TEST_CASE(known_best_subsets_of_breast_cancer) {
    const auto rows =
        data::csv<>{.path = "examples/data/breast_cancer.csv"}.load(fits::any_communicator{}, {.classification = true});
    const auto path = solver::path{.largest = 3}.minimize(problem_of<model::logistic>(rows, {.l2 = 1e-3}));
    const std::vector<double> log_loss{.1989283709, .1360714785, .1059198929};
    for (std::size_t k = 1; k <= 3; ++k) BOOST_TEST(std::abs(path[k].result.objective - log_loss[k - 1]) <= 1e-10);
}

BOOST_AUTO_TEST_CASE(larger_kappa_never_has_a_larger_objective) {
    const auto numbers = random_rows(21, 300, 60, 0, false);
    const auto problem = problem_of<model::linear>(numbers, {});
    const auto path = solver::path{.largest = 60, .l2 = {1e-2, 0}}.minimize(problem);
    BOOST_TEST(path.size() == 122u);
    for (std::size_t i = 1; i < path.size(); ++i)
        if (path[i].kappa > 0) BOOST_TEST(path[i].result.objective <= path[i - 1].result.objective * (1 + 1e-12));
}

BOOST_AUTO_TEST_CASE(degrees_of_freedom_are_the_trace_of_the_hat_matrix) {
    const auto numbers = random_rows(4, 60, 5, 0, false);
    const double l2 = 0.7;
    const auto problem = problem_of<model::linear>(numbers, {.l2 = l2});
    const solver::path options{.largest = 5};
    for (const auto& how : {options, over_rows(options)}) {
        const auto found = how.minimize(problem).back();
        // the fitted labels' slopes in the labels, summed: 1 (intercept) + sum of s / (s + l2) by finite differences of the
        // quadratic's own solution: trace of G (G + l2)^-1 as 5 - l2 trace((G + l2)^-1), columns by conjugate gradients
        const auto moments = problem.moments();
        double trace = 0;
        for (std::size_t j = 0; j < 5; ++j) {
            std::vector<double> v(5), r(5), d(5);
            r[j] = d[j] = 1;
            for (int step = 0; step < 40; ++step) {
                double rr = 0, dd = 0;
                std::vector<double> q(5);
                for (std::size_t a = 0; a < 5; ++a) {
                    q[a] = l2 * d[a];
                    for (std::size_t b = 0; b < 5; ++b) q[a] += moments.gram(a, b) * d[b];
                }
                for (std::size_t a = 0; a < 5; ++a) rr += r[a] * r[a], dd += d[a] * q[a];
                if (rr < 1e-28) break;
                double next = 0;
                for (std::size_t a = 0; a < 5; ++a) v[a] += rr / dd * d[a], r[a] -= rr / dd * q[a], next += r[a] * r[a];
                for (std::size_t a = 0; a < 5; ++a) d[a] = r[a] + next / rr * d[a];
            }
            trace += 1 - l2 * v[j];
        }
        BOOST_TEST(std::abs(found.degrees_of_freedom - 1 - trace) <= 1e-9);
    }
}

BOOST_AUTO_TEST_CASE(second_moments_of_groups_add_up_and_are_those_of_their_rows) {
    for (const std::size_t rows : {70, 300}) {  // few rows travel, of more the sums do
        const auto numbers = random_rows(8, rows, 4, 0, true);
        const auto problem = problem_of<model::linear>(numbers, {});
        std::vector<std::uint32_t> group(rows);
        for (std::size_t i = 0; i < rows; ++i) group[i] = static_cast<std::uint32_t>(i * i % 3);  // group 2 stays empty
        const auto parts = problem.moments_by(group, 3), whole = problem.moments_by();
        for (std::size_t a = 0; a < 6; ++a)
            for (std::size_t b = 0; b < 6; ++b) {
                double sum = 0, direct = 0;
                for (const auto& part : parts.of_group) sum += part(a, b);
                BOOST_TEST(std::abs(sum - whole.of_group[0](a, b)) <= 1e-12 * double(rows));
                BOOST_TEST(parts.of_group[2](a, b) == 0);
                for (std::size_t i = 0; i < rows; ++i) {
                    const auto entry = [&](std::size_t k) {
                        return k < 4    ? (numbers.x(i, k) - problem.scaling().means[k]) / problem.scaling().scales[k]
                               : k == 4 ? 1
                                        : numbers.y[i] - whole.label;
                    };
                    if (group[i] == 1) direct += numbers.weights[i] * entry(a) * entry(b);
                }
                BOOST_TEST(std::abs(direct - parts.of_group[1](a, b)) <= 1e-12 * double(rows));
            }
        for (const int size : {2, 3, 5})
            communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
                const auto mine = random_rows(8, rows, 4, 0, true, ranks);
                const auto together = problem_of<model::linear>(mine, {}, true, true, ranks);
                const std::vector<std::uint32_t> my_group(
                    group.begin() + static_cast<std::ptrdiff_t>(mine.first_row),
                    group.begin() + static_cast<std::ptrdiff_t>(mine.first_row + mine.y.size()));
                const auto same = together.moments_by(my_group, 3);
                for (std::size_t g = 0; g < 3; ++g)
                    if (same.of_group[g].values != parts.of_group[g].values) throw core::error("other moments");
            });
    }
}

BOOST_AUTO_TEST_CASE(ranks_and_threads_change_no_bit) {
    const auto check = [](auto model, std::size_t classes, std::size_t memory) {
        using M = decltype(model);
        const solver::path options{.largest = 4, .l2 = {1e-2, 1e-3}, .memory = memory, .swapping = {.restarts = 3}};
        const auto alone = options.minimize(problem_of<M>(random_rows(11, 90, 12, classes, true), {}));
        for (const int size : {2, 3})
            communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
                const auto rows = random_rows(11, 90, 12, classes, true, ranks);
                const auto together = options.minimize(problem_of<M>(rows, {}, true, true, ranks));
                if (together.size() != alone.size()) throw core::error("another path");
                for (std::size_t i = 0; i < alone.size(); ++i)
                    if (together[i].result.objective != alone[i].result.objective ||
                        together[i].degrees_of_freedom != alone[i].degrees_of_freedom ||
                        together[i].result.lower_bound != alone[i].result.lower_bound ||
                        together[i].result.weights.download() != alone[i].result.weights.download())
                        throw core::error(core::text("other bits at ", i));
            });
    };
    for (const std::size_t memory : {1 << 20, 1, 0}) check(model::linear{}, 0, memory);
    check(model::logistic{}, 2, 1 << 20);
}

BOOST_AUTO_TEST_CASE(in_memory_a_longer_path_reads_and_sends_no_more) {
    const communicator::counting<communicator::single<>> counted;
    const auto rows = random_rows(13, 80, 8, 0, false, counted);
    const auto problem = problem_of<model::linear>(rows, {}, true, true, counted);
    counted.reset();
    (void)solver::path{.largest = 1}.minimize(problem);
    const auto messages = counted.messages(), bytes = counted.bytes();
    counted.reset();
    const std::size_t passes = problem.passes();
    const auto path = solver::path{.largest = 8, .l2 = {1, 1e-1, 1e-2}}.minimize(problem);
    BOOST_TEST(path.size() == 27u);
    BOOST_TEST(counted.messages() == messages);
    BOOST_TEST(counted.bytes() == bytes);
    BOOST_TEST(problem.passes() == passes + 1);
}

BOOST_AUTO_TEST_CASE(observers_see_every_solution_and_may_stop) {
    const auto numbers = random_rows(2, 40, 5, 0, false);
    std::vector<double> seen;
    const auto path = solver::path{.largest = 5}.minimize(problem_of<model::linear>(numbers, {}),
                                                          [&](const core::record& r) { seen.push_back(r.objective); });
    BOOST_REQUIRE(seen.size() == 6u);
    for (std::size_t k = 0; k < 6; ++k) BOOST_TEST(seen[k] == path[k].result.objective);
    std::size_t calls = 0;
    const auto stop_at_two = [&](const core::record&) { return ++calls == 2; };
    const auto shorter = solver::path{.largest = 5}.minimize(problem_of<model::linear>(numbers, {}), stop_at_two);
    BOOST_TEST(shorter.size() == 2u);
    BOOST_TEST((shorter.back().result.status == core::status::stopped));
    calls = 0;
    const auto over = over_rows({.largest = 5}).minimize(problem_of<model::linear>(numbers, {}), stop_at_two);
    BOOST_TEST(over.size() < 6u);
    BOOST_TEST(!over.empty());
}

BOOST_AUTO_TEST_CASE(wrong_options_are_refused) {
    const auto numbers = random_rows(1, 20, 3, 0, false);
    const auto problem = problem_of<model::linear>(numbers, {});
    BOOST_CHECK_THROW(solver::path{.blocks = 0}.minimize(problem), core::option_error);
    BOOST_CHECK_THROW((solver::path{.l2 = {-1}}.minimize(problem)), core::option_error);
    BOOST_CHECK_THROW((solver::path{.l2 = {0, std::nan("")}}.minimize(problem)), core::option_error);
    BOOST_CHECK_THROW((solver::path{.swapping = {.disturb = 2}}.minimize(problem)), core::option_error);
}

BOOST_AUTO_TEST_SUITE_END()
