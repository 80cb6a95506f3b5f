// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "../fits/any_communicator.hpp"
#include "../without_zeros.hpp"
#include "correlated_rows.hpp"
#include "quadratic.hpp"

#include <gamut/communicator/counting.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/poisson.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/penalty/elastic_net.hpp>
#include <gamut/penalty/mcp.hpp>
#include <gamut/solver/column_view.hpp>
#include <gamut/solver/coordinate.hpp>
#include <gamut/solver/parallel_coordinate.hpp>
#include <gamut/solver/problem.hpp>
#include <gamut/solver/selection.hpp>

using namespace gamut;
namespace selection = solver::selection;
using solver::parallel_coordinate;
using test::make_rows;
using test::rows;

namespace {

using dense = backend::dense_matrix<double>;
using sparse = backend::sparse_matrix<double>;
using scheduled = parallel_coordinate<selection::scheduled>;
using at_random = parallel_coordinate<selection::random>;

static_assert(solver::BoundedCurvature<model::linear> && solver::BoundedCurvature<model::logistic>);
static_assert(!solver::BoundedCurvature<model::poisson>, "exp bends without bound");
static_assert(!solver::BoundedCurvature<model::softmax>, "several outputs");
static_assert(!solver::ColumnOwner<toy::problem<toy::squared, penalty::l1>>, "its columns can't be dealt to ranks");

rows weighted(rows r) {
    for (std::size_t i = 0; i < r.x.rows; ++i) r.weights.push_back(i % 5 == 2 ? 0 : 0.5 + static_cast<double>(i % 3));
    return r;
}

struct how {
    bool intercept = true, standardized = true;
    int threads = 1;
};

template <class Model, class Matrix, class Penalty, class F>
auto with_problem(Model model, const data::arrays<Matrix>& source, const Penalty& penalty, const how& h,
                  const fits::any_communicator& ranks, F&& f) {
    return test::with_problem(model, source, penalty, {h.intercept, h.standardized, 16, h.threads}, ranks, f);
}

template <class Matrix> data::arrays<Matrix> source_of(const Matrix& x, const rows& r) {
    return r.weights.empty() ? data::arrays(x, r.y) : data::arrays(x, r.y, r.weights);
}

struct fit {
    std::vector<double> weights;
    double objective = 0;
    core::status status{};
    std::string message;
    std::vector<core::record> history;
};

template <class Solver, class Model, class Matrix, class Penalty>
fit fit_of(const Solver& solver, Model model, const data::arrays<Matrix>& source, const Penalty& penalty,
           const how& h = {}, const fits::any_communicator& ranks = {}) {
    return with_problem(model, source, penalty, h, ranks, [&](const auto& problem) {
        const auto found = solver.minimize(problem);
        const auto w = found.weights.download();
        return fit{{w.begin(), w.end()}, found.objective, found.status, found.message, found.history};
    });
}

constexpr core::stop tight{.tolerance = 1e-12};

void check_same(const fit& a, const fit& b, double accuracy) {
    BOOST_TEST((a.status == core::status::converged), a.message);
    BOOST_TEST((b.status == core::status::converged), b.message);
    BOOST_TEST(std::abs(a.objective - b.objective) <= 1e-11 * std::abs(b.objective));
    double apart = 0;
    for (std::size_t j = 0; j < b.weights.size(); ++j) apart = std::max(apart, std::abs(a.weights[j] - b.weights[j]));
    BOOST_TEST(apart <= accuracy);
}

bool same_bits(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }

}  // namespace

BOOST_AUTO_TEST_SUITE(solver_parallel_coordinate)

BOOST_AUTO_TEST_CASE(the_optimum_is_that_of_coordinate_descent) {
    for (const std::uint64_t seed : {1u, 2u})
        for (const bool wide : {false, true})
            for (const how& h : {how{}, how{.intercept = false, .standardized = false}, how{.standardized = false}}) {
                const std::size_t n = wide ? 60 : 150, p = wide ? 90 : 40;
                const auto r = weighted(make_rows(n, p, 0.4, 0, 0, seed)),
                           c = weighted(make_rows(n, p, 0.4, 2, 0, seed)), holes = make_rows(n, p, 0.2, 0, 0.8, seed),
                           holes_c = weighted(make_rows(n, p, 0.2, 2, 0.8, seed));
                for (const penalty::elastic_net penalty :
                     {penalty::elastic_net{0.1, 0}, penalty::elastic_net{0.04, 0.1}}) {
                    const auto check = [&](auto model, const auto& source) {
                        const fit a = fit_of(scheduled{.selection = {.together = 8}, .seed = seed, .stop = tight},
                                             model, source, penalty, h),
                                  b = fit_of(solver::coordinate{.stop = tight}, model, source, penalty, h);
                        check_same(a, b, 1e-5);  // the gap allows for about that
                        // every record's gap is a bound
                        for (const auto& record : a.history)
                            BOOST_TEST(record.objective - record.residual * a.history.front().objective <=
                                       b.objective + 1e-12 * a.history.front().objective);
                    };
                    check(model::linear{}, source_of(r.x, r));
                    check(model::logistic{}, source_of(c.x, c));
                    check(model::linear{}, source_of(without_zeros(holes.x), holes));
                    check(model::logistic{}, source_of(without_zeros(holes_c.x), holes_c));
                }
            }
}

BOOST_AUTO_TEST_CASE(random_selection_finds_it_too_where_columns_are_independent) {
    const auto r = make_rows(300, 60, 0), c = make_rows(300, 60, 0, 2);
    const penalty::elastic_net penalty{0.05, 0};
    const auto check = [&](auto model, const auto& source) {
        check_same(fit_of(at_random{.selection = {.together = 4}, .stop = tight}, model, source, penalty),
                   fit_of(solver::coordinate{.stop = tight}, model, source, penalty), 1e-6);
    };
    check(model::linear{}, source_of(r.x, r));
    check(model::logistic{}, source_of(c.x, c));
}

BOOST_AUTO_TEST_CASE(a_penalty_that_is_not_convex_ends_where_no_weight_alone_can_be_improved) {
    const auto r = make_rows(100, 60, 0.3);
    with_problem(model::linear{}, source_of(r.x, r), penalty::mcp{.strength = 0.2}, {}, {}, [&](const auto& problem) {
        const auto found = scheduled{.selection = {.together = 8}, .stop = {.tolerance = 1e-10}}.minimize(problem);
        BOOST_TEST((found.status == core::status::converged));
        BOOST_TEST(found.message.find("violation") != std::string::npos);
        for (std::size_t j = 0; j < 60; ++j)
            for (const double step : {-1.0, -0.1, -1e-3, 1e-3, 0.1, 1.0}) {
                auto other = found.weights;
                other[j] += step;
                BOOST_TEST(solver::objective(problem, other) >= found.objective - 1e-12);
            }
        return 0;
    });
}

/// The selection itself, with correlations of the columns in plain loops.
BOOST_AUTO_TEST_CASE(columns_that_move_together_are_correlated_less_than_the_threshold) {
    for (const bool holes : {false, true})
        for (const double threshold : {0.1, 0.3})
            for (const bool standardized : {true, false}) {
                const std::size_t n = 200, p = 80;
                const auto r = weighted(make_rows(n, p, threshold, 0, holes ? 0.7 : 0));
                std::vector<double> correlations(p * p);
                const bool centred = true;  // by the intercept, if not by standardisation
                for (std::size_t j = 0; j < p; ++j)
                    for (std::size_t k = 0; k < p; ++k) {
                        double s = 0, sj = 0, sk = 0, jj = 0, kk = 0, jk = 0;
                        for (std::size_t i = 0; i < n; ++i) {
                            const double w = r.weights[i], a = r.x(i, j), b = r.x(i, k);
                            s += w, sj += w * a, sk += w * b, jj += w * a * a, kk += w * b * b, jk += w * a * b;
                        }
                        correlations[j * p + k] =
                            centred ? (jk - sj * sk / s) / std::sqrt((jj - sj * sj / s) * (kk - sk * sk / s))
                                    : jk / std::sqrt(jj * kk);
                    }
                const selection::scheduled keep_apart{.together = 12, .candidates = 30, .correlation = threshold};
                std::size_t largest = 0, pairs = 0;
                const auto drive = [&](const auto& problem) {
                    solver::detail::column_rounds<std::remove_cvref_t<decltype(problem)>, selection::scheduled> state(
                        problem, keep_apart, 16, 3, 40);  // fewer than there are columns: some are forgotten
                    state.measure();
                    double before = std::numeric_limits<double>::infinity();
                    for (int round = 0; round < 120; ++round) {
                        BOOST_REQUIRE(state.round());
                        const auto moved = state.moved();
                        largest = std::max(largest, moved.size());
                        BOOST_TEST(moved.size() <= 12u);
                        for (std::size_t a = 0; a < moved.size(); ++a)
                            for (std::size_t b = 0; b < a; ++b, ++pairs)
                                BOOST_TEST(std::abs(correlations[moved[a] * p + moved[b]]) < threshold + 1e-12);
                        if (round % 10 == 9) {  // the objective never rises
                            state.measure();
                            const double now = solver::objective(problem, state.result());
                            BOOST_TEST(now <= before * (1 + 1e-14));
                            before = now;
                        }
                    }
                    return 0;
                };
                const how h{.standardized = standardized};
                if (holes)
                    with_problem(model::linear{}, source_of(without_zeros(r.x), r), penalty::l1{0.01}, h, {}, drive);
                else
                    with_problem(model::linear{}, source_of(r.x, r), penalty::l1{0.01}, h, {}, drive);
                BOOST_TEST(largest >= 2u);  // or there would be nothing to see
                BOOST_TEST(pairs > 100u);
            }
}

/// Equally correlated columns, .9: the largest eigenvalue is 1 + .9 (p - 1), so random selections of more than about p / (1 + .9 (p - 1))
/// columns, which is 1.1, must not be trusted; of 16 they diverge.   Bradley et al. 2011, section 3.1.
BOOST_AUTO_TEST_CASE(random_diverges_on_correlated_columns_and_says_so_where_scheduled_converges) {
    for (const bool classes : {false, true}) {
        const auto r = make_rows(200, 100, 0.9, classes ? 2 : 0);
        const penalty::l1 lasso{0.02};
        const auto check = [&](auto model) {
            const auto source = source_of(r.x, r);
            const fit wild = fit_of(at_random{.selection = {.together = 16}}, model, source, lasso),
                      one = fit_of(at_random{.selection = {.together = 1}, .stop = {.tolerance = 1e-4}}, model, source,
                                   lasso),
                      tame = fit_of(scheduled{.selection = {.together = 16}, .stop = {.tolerance = 1e-6}}, model,
                                    source, lasso),
                      best = fit_of(solver::coordinate{.stop = tight}, model, source, lasso);
            BOOST_TEST((wild.status == core::status::diverged), wild.message);
            BOOST_TEST(wild.history.size() < 200u);
            BOOST_TEST(wild.message.find("selection::scheduled") != std::string::npos);
            BOOST_TEST((one.status == core::status::converged), one.message);
            BOOST_TEST((tame.status == core::status::converged), tame.message);
            BOOST_TEST(tame.objective - best.objective <= 1e-6 * best.history.front().objective);
            for (std::size_t k = 1; k < tame.history.size(); ++k)
                BOOST_TEST(tame.history[k].objective <= tame.history[k - 1].objective * (1 + 1e-14));
        };
        if (classes)
            check(model::logistic{});
        else
            check(model::linear{});
    }
}

BOOST_AUTO_TEST_CASE(without_a_threshold_the_common_share_alone_keeps_it_from_diverging) {
    const auto r = make_rows(200, 100, 0.9);
    const penalty::l1 lasso{0.02};
    const fit found = fit_of(scheduled{.selection = {.together = 16, .correlation = 2}, .stop = {.tolerance = 1e-6}},
                             model::linear{}, source_of(r.x, r), lasso);
    BOOST_TEST((found.status == core::status::converged), found.message);
    double smallest = 1;
    for (std::size_t k = 1; k < found.history.size(); ++k) {
        smallest = std::min(smallest, found.history[k].step);
        BOOST_TEST(found.history[k].objective <= found.history[k - 1].objective * (1 + 1e-14));
    }
    BOOST_TEST(smallest < 0.5);
}

BOOST_AUTO_TEST_CASE(any_number_of_ranks_and_threads_gives_the_same_bits) {
    const auto check = [](const auto& solver, auto model, const auto& source, const how& h = {}) {
        const auto run = [&](const fits::any_communicator& ranks, int threads) {
            how here = h;
            here.threads = threads;
            return fit_of(solver, model, source, penalty::elastic_net{0.02, 0.01}, here, ranks);
        };
        const fit alone = run({}, 1);
        BOOST_TEST(alone.history.size() > 2u);
        const auto same = [&](const fit& here) {
            bool equal = here.weights.size() == alone.weights.size() && here.message == alone.message &&
                         here.history.size() == alone.history.size() && same_bits(here.objective, alone.objective);
            for (std::size_t j = 0; equal && j < here.weights.size(); ++j)
                equal = same_bits(here.weights[j], alone.weights[j]);
            for (std::size_t k = 0; equal && k < here.history.size(); ++k)
                equal = same_bits(here.history[k].objective, alone.history[k].objective) &&
                        same_bits(here.history[k].residual, alone.history[k].residual) &&
                        same_bits(here.history[k].step, alone.history[k].step) &&
                        here.history[k].passes == alone.history[k].passes;
            return equal;
        };
        BOOST_TEST(same(run({}, 3)));
        for (const int ranks : {2, 3, 4})
            communicator::threads<>::run(ranks, [&](const auto& t) {
                if (!same(run(fits::any_communicator(t), 1))) throw core::error("other bits");
            });
    };
    const auto r = weighted(make_rows(150, 60, 0.5)), c = make_rows(150, 60, 0.5, 2),
               holes = make_rows(150, 60, 0.2, 0, 0.8), holes_c = weighted(make_rows(150, 60, 0.2, 2, 0.8)),
               few = make_rows(3, 60, 0, 0), narrow = make_rows(60, 2, 0.5);
    const scheduled plan{.selection = {.together = 8}, .stop = {.iterations = 12}};
    const at_random chance{.selection = {.together = 3}, .stop = {.iterations = 12}};
    check(plan, model::linear{}, source_of(r.x, r));
    check(plan, model::logistic{}, source_of(c.x, c), {.standardized = false});
    check(plan, model::linear{}, source_of(without_zeros(holes.x), holes), {.standardized = false});
    check(plan, model::logistic{}, source_of(without_zeros(holes_c.x), holes_c));
    check(chance, model::linear{}, source_of(r.x, r));
    check(chance, model::logistic{}, source_of(without_zeros(holes_c.x), holes_c));
    check(plan, model::linear{}, source_of(few.x, few));        // ranks without rows
    check(plan, model::linear{}, source_of(narrow.x, narrow));  // ranks without columns
}

BOOST_AUTO_TEST_CASE(a_round_sends_what_its_comment_says) {
    const std::size_t n = 400, p = 64;
    const auto r = make_rows(n, p, 0);
    const communicator::counting<communicator::single<>> counted{communicator::single<>{}};
    const auto loaded = source_of(r.x, r).load(counted, {.blocks = 16});
    const solver::problem<model::linear, data::dataset<dense>, penalty::l1, backend::host<double>,
                          communicator::counting<communicator::single<>>>
        problem({}, loaded, {0.05}, {.threads = 1}, counted, true, data::standardize(counted, loaded));
    const selection::random chance{.together = 8};
    solver::detail::column_rounds<std::remove_cvref_t<decltype(problem)>, selection::random> state(problem, chance, 16,
                                                                                                   1, 10);
    state.measure();
    counted.reset();
    for (int round = 0; round < 20; ++round) BOOST_REQUIRE(state.round());
    // to agree; ways and slopes; exponents and multiples of the exact sum
    BOOST_TEST(counted.messages() <= 20u * 4);
    BOOST_TEST(counted.bytes() <= 20u * (4 + (2 * 8 + 1) * 8 + (n + 1) * 12));
    BOOST_TEST(counted.bytes() >= 20u * (2 * 8 + 1) * 8);
}

BOOST_AUTO_TEST_CASE(float_ends_near_where_its_rounding_begins) {
    const auto r = make_rows(200, 50, 0.5);
    backend::dense_matrix<float> x(200, 50);
    std::copy(r.x.values.begin(), r.x.values.end(), x.values.begin());
    const penalty::elastic_net lasso{0.05, 0};
    const auto exact = fit_of(solver::coordinate{.stop = tight}, model::linear{}, source_of(r.x, r), lasso);
    const auto found = fit_of(scheduled{.selection = {.together = 8}, .stop = {.tolerance = 1e-12}}, model::linear{},
                              data::arrays(x, std::vector<float>(r.y.begin(), r.y.end())), lasso);
    BOOST_TEST((found.status == core::status::converged || found.status == core::status::iteration_limit));
    BOOST_TEST(found.history.size() < 500u);
    for (std::size_t j = 0; j < exact.weights.size(); ++j)
        BOOST_TEST(std::abs(found.weights[j] - exact.weights[j]) <= 1e-4);
}

BOOST_AUTO_TEST_CASE(equal_and_constant_columns_and_starts) {
    auto r = make_rows(100, 20, 0.2);
    for (std::size_t i = 0; i < 100; ++i) {
        r.x(i, 1) = r.x(i, 2) = r.x(i, 0);
        r.x(i, 5) = 7;
        r.x(i, 6) = 0;
    }
    for (const bool standardized : {true, false}) {
        const how h{.standardized = standardized};
        const penalty::elastic_net lasso{0.05, 0};
        const auto found = fit_of(scheduled{.stop = tight}, model::linear{}, source_of(r.x, r), lasso, h),
                   best = fit_of(solver::coordinate{.stop = tight}, model::linear{}, source_of(r.x, r), lasso, h);
        BOOST_TEST((found.status == core::status::converged), found.message);
        BOOST_TEST(std::abs(found.objective - best.objective) <= 1e-11 * best.objective);
        BOOST_TEST(found.weights[5] == 0);
        BOOST_TEST(found.weights[6] == 0);
    }
}

BOOST_AUTO_TEST_CASE(options_and_limits) {
    const auto r = make_rows(50, 30, 0.5);
    const auto refused = [&](const auto& solver, const char* sentence) {
        BOOST_CHECK_EXCEPTION(
            fit_of(solver, model::linear{}, source_of(r.x, r), penalty::elastic_net{0.1, 0}), core::option_error,
            [&](const core::option_error& e) { return std::string(e.what()).find(sentence) != std::string::npos; });
    };
    auto shifted = source_of(r.x, r);
    shifted.offsets.assign(50, 1.0);
    BOOST_CHECK_THROW(fit_of(solver::parallel_coordinate<>{}, model::linear{}, shifted, penalty::elastic_net{0.1, 0}),
                      core::option_error);
    refused(scheduled{.blocks = 0}, "parallel_coordinate: blocks is 0");
    refused(scheduled{.blocks = 4096}, "blocks is 4096");
    refused(scheduled{.selection = {.together = 0}}, "selection::scheduled: together is 0");
    refused(at_random{.selection = {.together = 0}}, "selection::random: together is 0");
    refused(scheduled{.stop = {.tolerance = std::numeric_limits<double>::quiet_NaN()}},
            "parallel_coordinate: stop.tolerance");
    const penalty::elastic_net lasso{0.01, 0};
    const auto two =
        fit_of(scheduled{.stop = {.iterations = 2, .tolerance = 1e-12}}, model::linear{}, source_of(r.x, r), lasso);
    BOOST_TEST((two.status == core::status::iteration_limit));
    BOOST_TEST(two.history.size() == 2u);
    // a tolerance below what doubles can reach ends all the same
    const auto never = fit_of(scheduled{.stop = {.tolerance = 0}}, model::linear{}, source_of(r.x, r), lasso);
    BOOST_TEST((never.status == core::status::converged || never.status == core::status::iteration_limit));
    BOOST_TEST(never.history.size() < 1000u);
    auto bad = r;
    bad.y[7] = 1e200;  // its square is infinite
    const auto diverged = fit_of(scheduled{}, model::linear{}, source_of(bad.x, bad), lasso, {.standardized = false});
    BOOST_TEST((diverged.status == core::status::diverged));
}

BOOST_AUTO_TEST_SUITE_END()
