// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "../fits/any_communicator.hpp"
#include "../without_zeros.hpp"
#include "correlated_rows.hpp"
#include "quadratic.hpp"

#include <gamut/communicator/threads.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/penalty/elastic_net.hpp>
#include <gamut/penalty/group.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/penalty/mcp.hpp>
#include <gamut/penalty/scad.hpp>
#include <gamut/solver/coordinate.hpp>
#include <gamut/solver/problem.hpp>
#include <gamut/solver/strengths.hpp>

using namespace gamut;
using solver::coordinate;
using test::make_rows;
using test::rows;

namespace {

using dense = backend::dense_matrix<double>;
using sparse = backend::sparse_matrix<double>;

struct how {
    bool intercept = true, standardized = true;
    coordinate solver{.working_set = 10, .stop = {.tolerance = 1e-11}};
};

struct fit {
    std::vector<double> weights;
    double objective = 0;
    core::status status{};
    std::string message;
    std::vector<core::record> history;
    std::vector<double> slopes;  // of the loss, at the weights
    double lower_bound = 0;
};

template <class Model, class Matrix, class Penalty, class F>
auto with_problem(Model model, const data::arrays<Matrix>& source, const Penalty& penalty, const how& h,
                  const fits::any_communicator& ranks, F&& f) {
    return test::with_problem(model, source, penalty, {h.intercept, h.standardized, h.solver.blocks}, ranks, f);
}

template <class Model, class Matrix, class Penalty>
fit fit_of(Model model, const data::arrays<Matrix>& source, const Penalty& penalty, const how& h = {},
           const fits::any_communicator& ranks = {}) {
    return with_problem(model, source, penalty, h, ranks, [&](const auto& problem) {
        auto found = h.solver.minimize(problem);
        typename std::remove_cvref_t<decltype(problem)>::array g(problem.dimension());
        problem.value_and_gradient(found.weights, g);
        const auto w = found.weights.download(), slopes = g.download();
        return fit{{w.begin(), w.end()},           found.objective,  found.status, found.message, found.history,
                   {slopes.begin(), slopes.end()}, found.lower_bound};
    });
}
template <class Model, class Penalty>
fit fit_of(Model model, const rows& r, const Penalty& penalty, const how& h = {},
           const fits::any_communicator& ranks = {}) {
    return fit_of(model, r.weights.empty() ? data::arrays(r.x, r.y) : data::arrays(r.x, r.y, r.weights), penalty, h,
                  ranks);
}

/// Conditions of optimality of l1 |w| + l2/2 w^2 for p weights, and of free intercepts behind them.
void check_elastic_net(const fit& found, std::size_t p, double l1, double l2, double accuracy) {
    for (std::size_t j = 0; j < found.weights.size(); ++j) {
        const double w = found.weights[j], slope = found.slopes[j] + (j < p ? l2 * w : 0);
        if (j >= p)
            BOOST_TEST(std::abs(slope) <= accuracy);
        else if (w == 0)
            BOOST_TEST(std::abs(slope) <= l1 + accuracy);
        else
            BOOST_TEST(std::abs(slope + std::copysign(l1, w)) <= accuracy);
    }
}

/// At every record the objective less the gap is below the least objective; the first record is of zero weights.
void check_gaps(const fit& found) {
    const double least = found.objective, null = found.history.front().objective;
    for (const auto& record : found.history) {
        BOOST_TEST(record.objective - record.residual * null <= least + 1e-12 * null);
        BOOST_TEST(record.residual >= -1e-13);
    }
    BOOST_TEST((found.status == core::status::converged));
    BOOST_TEST(found.history.back().residual <= 1e-11);
    BOOST_TEST(found.history.back().objective == found.objective);
    BOOST_TEST(std::abs(found.objective - found.lower_bound - found.history.back().residual * null) <= 1e-12 * null);
}

/// A model of one's own: squares near 0, absolute values beyond. Nothing says that it is not negative, so there is no gap.
struct huber {
    constexpr auto loss(auto w, auto X, auto y) const {
        auto r = X * w - y;
        return mean(choose(abs(r) < 1.0, 0.5 * square(r), abs(r) - 0.5));
    }
    constexpr auto predict(auto w, auto X) const { return X * w; }
};

static_assert(!solver::Coordinatewise<toy::problem<toy::squared, penalty::l1>>, "its columns can't be looked at");

bool same_bits(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }

}  // namespace

BOOST_AUTO_TEST_SUITE(solver_coordinate)

BOOST_AUTO_TEST_CASE(least_squares_meets_the_conditions_of_optimality_and_every_gap_is_a_bound) {
    for (const auto& [n, p] : {std::pair{200u, 30u}, std::pair{40u, 150u}})
        for (const double correlation : {0.0, 0.7})
            for (const bool intercept : {true, false})
                for (const bool standardized : {true, false})
                    for (const auto& [l1, l2] : {std::pair{0.3, 0.0}, std::pair{0.03, 0.0}, std::pair{0.05, 0.2}}) {
                        const auto r = make_rows(n, p, correlation);
                        const auto found = fit_of(model::linear{}, r, penalty::elastic_net{l1, l2},
                                                  {.intercept = intercept, .standardized = standardized});
                        check_elastic_net(found, p, l1, l2, 1e-6);
                        check_gaps(found);
                        if (standardized) continue;
                        double objective = 0;  // in plain loops
                        for (std::size_t i = 0; i < n; ++i) {
                            double z = intercept ? found.weights[p] : 0;
                            for (std::size_t j = 0; j < p; ++j) z += r.x(i, j) * found.weights[j];
                            objective += (z - r.y[i]) * (z - r.y[i]) / 2 / n;
                        }
                        for (std::size_t j = 0; j < p; ++j)
                            objective += l1 * std::abs(found.weights[j]) + l2 / 2 * found.weights[j] * found.weights[j];
                        BOOST_TEST(std::abs(found.objective - objective) <= 1e-12 * objective);
                    }
}

BOOST_AUTO_TEST_CASE(logistic_regression_meets_the_conditions_of_optimality_and_every_gap_is_a_bound) {
    for (const auto& [n, p] : {std::pair{200u, 30u}, std::pair{60u, 150u}})
        for (const bool intercept : {true, false})
            for (const auto& [l1, l2] : {std::pair{0.05, 0.0}, std::pair{0.01, 0.0}, std::pair{0.01, 0.05}}) {
                const auto r = make_rows(n, p, 0.5, 2);
                const auto found = fit_of(model::logistic{}, r, penalty::elastic_net{l1, l2}, {.intercept = intercept});
                check_elastic_net(found, p, l1, l2, 1e-6);
                check_gaps(found);
            }
}

BOOST_AUTO_TEST_CASE(a_ridge_alone_is_an_elastic_net_too) {
    const auto r = make_rows(100, 20, 0.5);
    const auto found = fit_of(model::linear{}, r, penalty::elastic_net{0, 0.1});
    check_elastic_net(found, 20, 0, 0.1, 1e-6);
    check_gaps(found);
}

BOOST_AUTO_TEST_CASE(rows_of_a_multinomial_model_are_groups) {
    const auto r = make_rows(150, 40, 0.3, 3);
    for (const double strength : {0.1, 0.02}) {
        const auto found = fit_of(model::softmax{}, r, penalty::group{.strength = strength});
        check_gaps(found);
        std::size_t zero = 0;
        for (std::size_t j = 0; j < 40; ++j) {
            double length = 0, slope = 0, apart = 0;
            for (std::size_t k = 0; k < 3; ++k) length += found.weights[3 * j + k] * found.weights[3 * j + k];
            length = std::sqrt(length);
            for (std::size_t k = 0; k < 3; ++k) {
                const double g = found.slopes[3 * j + k];
                slope += g * g;
                if (length > 0) apart += std::pow(g + strength * found.weights[3 * j + k] / length, 2);
            }
            if (length == 0) {
                BOOST_TEST(std::sqrt(slope) <= strength + 1e-6);
                ++zero;
            } else {
                BOOST_TEST(std::sqrt(apart) <= 1e-6);
            }
        }
        BOOST_TEST(zero > 0u);
        BOOST_TEST(zero < 40u);
    }
}

BOOST_AUTO_TEST_CASE(groups_of_columns_and_sparse_groups_beat_every_neighbour) {
    const auto r = make_rows(80, 12, 0.4);
    for (const double l1 : {0.0, 0.05}) {
        const penalty::group penalty{.strength = 0.2, .sizes = {3, 2, 4, 3}, .weights = {}, .l1 = l1};
        const how h{};
        with_problem(model::linear{}, data::arrays(r.x, r.y), penalty, h, {}, [&](const auto& problem) {
            const auto found = h.solver.minimize(problem);
            BOOST_TEST((found.status == core::status::converged));
            const core::random draw{.seed = 9};
            for (std::size_t trial = 0; trial < 200; ++trial) {
                auto other = found.weights;
                for (std::size_t j = 0; j < other.size(); ++j)
                    other[j] += std::pow(10.0, -static_cast<double>(trial % 5)) * draw.normal(trial * 100 + j) *
                                (draw.uniform(trial * 100 + j + 50) < 0.5 ? 0 : 1);
                BOOST_TEST(solver::objective(problem, other) >= found.objective - 1e-12);
            }
            return 0;
        });
    }
}

/// Columns 2..8 of the Hadamard matrix of order 8: X'X / n is the identity, and weights are proxes of single numbers.
BOOST_AUTO_TEST_CASE(orthogonal_columns_have_closed_forms) {
    rows r{dense(8, 7), {3, -1, 4, 1, -5, 9, 2, -6}, {}};
    for (std::size_t i = 0; i < 8; ++i)
        for (std::size_t j = 1; j < 8; ++j) r.x(i, j - 1) = std::popcount(i & j) % 2 == 0 ? 1 : -1;
    const std::vector<double> free{.125, .625, -2.625, .875, 1.625, -1.375, 2.875};
    const auto check = [&](const auto& penalty) {
        const auto found = fit_of(model::linear{}, r, penalty);
        std::vector<double> wanted(7);
        penalty::prox(penalty, std::span<const double>(free), 1.0, std::span<double>(wanted), {7, 1});
        for (std::size_t j = 0; j < 7; ++j) BOOST_TEST(std::abs(found.weights[j] - wanted[j]) <= 1e-12);
        BOOST_TEST(std::abs(found.weights[7] - 0.875) <= 1e-12);
        BOOST_TEST((found.status == core::status::converged));
        return found;
    };
    check(penalty::l1{.strength = 0.7});
    check(penalty::elastic_net{.l1 = 0.7, .l2 = 0.5});
    BOOST_TEST(check(penalty::mcp{.strength = 0.7}).message.find("violation") != std::string::npos);
    check(penalty::mcp{.strength = 1, .gamma = 1.2});
    check(penalty::scad{.strength = 0.7});
    check(penalty::group{.strength = 0.5, .sizes = {3, 4}});
    check(penalty::group{.strength = 0.5, .sizes = {2, 2, 3}, .weights = {}, .l1 = 0.4});
}

BOOST_AUTO_TEST_CASE(concave_penalties_end_where_no_weight_alone_can_be_improved) {
    const auto r = make_rows(100, 60, 0.3);
    const auto check = [&](const auto& penalty) {
        const how h{};
        with_problem(model::linear{}, data::arrays(r.x, r.y), penalty, h, {}, [&](const auto& problem) {
            const auto found = h.solver.minimize(problem);
            BOOST_TEST((found.status == core::status::converged));
            for (std::size_t j = 0; j < 60; ++j)
                for (const double step : {-1.0, -0.1, -1e-3, 1e-3, 0.1, 1.0}) {
                    auto other = found.weights;
                    other[j] += step;
                    BOOST_TEST(solver::objective(problem, other) >= found.objective - 1e-12);
                }
            return 0;
        });
    };
    check(penalty::mcp{.strength = 0.2});
    check(penalty::scad{.strength = 0.2});
}

BOOST_AUTO_TEST_CASE(sparse_rows_are_dense_rows) {
    for (const double zeros : {0.5, 0.97}) {
        const auto r = make_rows(120, 50, 0.2, 0, zeros), c = make_rows(120, 50, 0.2, 2, zeros);
        const penalty::elastic_net lasso{0.1, 0}, less{0.02, 0};
        const auto a = fit_of(model::linear{}, r, lasso),
                   b = fit_of(model::linear{}, data::arrays(without_zeros(r.x), r.y), lasso),
                   d = fit_of(model::logistic{}, c, less),
                   e = fit_of(model::logistic{}, data::arrays(without_zeros(c.x), c.y), less);
        for (std::size_t j = 0; j < a.weights.size(); ++j) {
            BOOST_TEST(std::abs(a.weights[j] - b.weights[j]) <= 1e-8);
            BOOST_TEST(std::abs(d.weights[j] - e.weights[j]) <= 1e-8);
        }
        check_gaps(b);
        check_gaps(e);
    }
}

BOOST_AUTO_TEST_CASE(a_weight_of_two_is_the_row_twice) {
    for (const bool classes : {false, true}) {
        auto r = make_rows(60, 15, 0.2, classes ? 2 : 0);
        rows twice{dense(80, 15), r.y, {}};
        r.weights.assign(60, 1.0);
        std::copy(r.x.values.begin(), r.x.values.end(), twice.x.values.begin());
        for (std::size_t i = 0; i < 20; ++i) {
            r.weights[3 * i] = 2;
            std::copy(r.x.row(3 * i), r.x.row(3 * i) + 15, twice.x.row(60 + i));
            twice.y.push_back(r.y[3 * i]);
        }
        const penalty::elastic_net penalty{0.05, 0.01};
        const auto a = classes ? fit_of(model::logistic{}, r, penalty) : fit_of(model::linear{}, r, penalty),
                   b = classes ? fit_of(model::logistic{}, twice, penalty) : fit_of(model::linear{}, twice, penalty);
        for (std::size_t j = 0; j < a.weights.size(); ++j) BOOST_TEST(std::abs(a.weights[j] - b.weights[j]) <= 1e-8);
        check_gaps(a);
    }
}

BOOST_AUTO_TEST_CASE(any_number_of_ranks_gives_the_same_bits) {
    const auto r = make_rows(150, 60, 0.5), c = make_rows(150, 60, 0.5, 2);
    const auto check = [&](const auto& fit_on) {
        const fit alone = fit_on(fits::any_communicator{});
        for (const int ranks : {2, 3})
            communicator::threads<>::run(ranks, [&](const auto& t) {
                const fit here = fit_on(fits::any_communicator(t));
                bool same = here.weights.size() == alone.weights.size() &&
                            here.history.size() == alone.history.size() && same_bits(here.objective, alone.objective);
                for (std::size_t j = 0; same && j < here.weights.size(); ++j)
                    same = same_bits(here.weights[j], alone.weights[j]);
                for (std::size_t k = 0; same && k < here.history.size(); ++k)
                    same = same_bits(here.history[k].objective, alone.history[k].objective) &&
                           same_bits(here.history[k].residual, alone.history[k].residual) &&
                           here.history[k].passes == alone.history[k].passes;
                BOOST_TEST(same);
            });
    };
    check([&](const fits::any_communicator& ranks) {
        return fit_of(model::linear{}, r, penalty::elastic_net{0.05, 0}, {}, ranks);
    });
    check([&](const fits::any_communicator& ranks) {
        return fit_of(model::logistic{}, c, penalty::elastic_net{0.01, 0}, {}, ranks);
    });
    // many columns: fewer partial sums than shards
    sparse wide;
    wide.rows = 700, wide.columns = 20000;
    std::vector<double> y;
    const core::random draw{.seed = 5};
    for (std::size_t i = 0; i < wide.rows; ++i) {
        std::size_t j = draw.below(i, 40);
        y.push_back(j < 20 ? 1 : draw.normal(i));
        for (; j < wide.columns; j += 1 + draw.below(i * wide.columns + j, 4000)) {
            wide.indices.push_back(static_cast<std::int32_t>(j));
            wide.values.push_back(1 + draw.uniform(i * wide.columns + j));
        }
        wide.offsets.push_back(static_cast<std::int64_t>(wide.indices.size()));
    }
    how few;
    few.solver.blocks = 5;
    check([&](const fits::any_communicator& ranks) {
        return fit_of(model::linear{}, data::arrays(wide, y), penalty::elastic_net{0.05, 0}, few, ranks);
    });
}

BOOST_AUTO_TEST_CASE(equal_columns_share_and_constant_columns_stay_out) {
    auto r = make_rows(100, 20, 0.2);
    for (std::size_t i = 0; i < 100; ++i) {
        r.x(i, 1) = r.x(i, 2) = r.x(i, 0);
        r.x(i, 5) = 7;
        r.x(i, 6) = 0;
    }
    for (const bool standardized : {true, false}) {
        const auto found = fit_of(model::linear{}, r, penalty::elastic_net{0.05, 0}, {.standardized = standardized});
        check_gaps(found);
        check_elastic_net(found, 20, 0.05, 0, 1e-6);
        if (standardized) BOOST_TEST(found.weights[5] == 0);
        BOOST_TEST(found.weights[6] == 0);
    }
}

BOOST_AUTO_TEST_CASE(the_largest_strength_is_the_least_that_leaves_nothing) {
    const auto r = make_rows(100, 40, 0.3), c = make_rows(100, 40, 0.3, 3);
    const auto check = [&](auto model, const rows& data, auto penalty, const how& h) {
        const double largest = with_problem(model, data::arrays(data.x, data.y), penalty, h, {},
                                            [](const auto& p) { return solver::strengths::largest(p); });
        const std::size_t c = model::is_classification<decltype(model)> ? 3 : 1;
        const auto nonzeros = [&](double strength) {
            const auto found = fit_of(model, data, solver::of_strength(penalty, strength), h);
            return 40 * c -
                   static_cast<std::size_t>(std::count(
                       found.weights.begin(), found.weights.begin() + static_cast<std::ptrdiff_t>(40 * c), 0.0));
        };
        BOOST_TEST(nonzeros(largest) == 0u);
        BOOST_TEST(nonzeros(0.999 * largest) > 0u);
    };
    check(model::linear{}, r, penalty::elastic_net{1, 0.5}, {});
    check(model::linear{}, r, penalty::group{.strength = 1, .sizes = {10, 5, 5, 20}, .weights = {}, .l1 = 0.3}, {});
    check(model::softmax{}, c, penalty::group{}, {});
    // without an intercept and without standardisation it is max |x_j'y| / n
    const how plain{.intercept = false, .standardized = false};
    const double largest = with_problem(model::linear{}, data::arrays(r.x, r.y), penalty::elastic_net{1, 0}, plain, {},
                                        [](const auto& p) { return solver::strengths::largest(p); });
    double wanted = 0;
    for (std::size_t j = 0; j < 40; ++j) {
        double product = 0;
        for (std::size_t i = 0; i < 100; ++i) product += r.x(i, j) * r.y[i] / 100;
        wanted = std::max(wanted, std::abs(product));
    }
    BOOST_TEST(std::abs(largest - wanted) <= 1e-12 * wanted);
}

BOOST_AUTO_TEST_CASE(a_path_gives_what_single_fits_give) {
    const auto check = [](auto model, const rows& r, auto penalty) {
        const how h{};
        const solver::strengths path{.count = 8, .least = 0.05, .solver = h.solver};
        const auto found = with_problem(model, data::arrays(r.x, r.y), penalty, h, {},
                                        [&](const auto& p) { return path.minimize(p); });
        BOOST_TEST(found.size() == 8u);
        BOOST_TEST(found.front().result.history.back().nonzeros == 0u);
        std::size_t passes = 0, passes_alone = 0;
        for (const auto& point : found) {
            BOOST_TEST((point.result.status == core::status::converged));
            const auto alone = fit_of(model, r, solver::of_strength(penalty, point.strength), h);
            for (std::size_t j = 0; j < alone.weights.size(); ++j)
                BOOST_TEST(std::abs(point.result.weights[j] - alone.weights[j]) <= 1e-5);
            BOOST_TEST(std::abs(point.result.objective - alone.objective) <= 1e-10 * alone.objective);
            passes += point.result.passes;
            passes_alone += alone.history.back().passes;
        }
        BOOST_TEST(passes < passes_alone);
        BOOST_TEST(std::abs(found.back().strength / found.front().strength - 0.05) < 1e-12);
    };
    check(model::linear{}, make_rows(80, 120, 0.3), penalty::elastic_net{1, 0.1});
    check(model::logistic{}, make_rows(80, 120, 0.3, 2), penalty::elastic_net{1, 0});
}

BOOST_AUTO_TEST_CASE(a_fit_may_begin_anywhere_and_extrapolation_only_saves_time) {
    const auto r = make_rows(100, 40, 0.9);
    const penalty::elastic_net penalty{0.02, 0};
    const auto with = fit_of(model::linear{}, r, penalty);
    how without;
    without.solver.anderson = 0;
    const auto other = fit_of(model::linear{}, r, penalty, without);
    BOOST_TEST(std::abs(with.objective - other.objective) <= 1e-11 * with.objective);
    how all;
    all.solver.working_set = 1000;
    BOOST_TEST(std::abs(with.objective - fit_of(model::linear{}, r, penalty, all).objective) <= 1e-11 * with.objective);
}

BOOST_AUTO_TEST_CASE(a_model_of_ones_own_ends_on_the_conditions_of_optimality) {
    const auto r = make_rows(120, 60, 0.3);
    const auto found = fit_of(huber{}, r, penalty::elastic_net{0.05, 0.01});
    BOOST_TEST((found.status == core::status::converged));
    BOOST_TEST(found.message.find("violation") != std::string::npos);
    check_elastic_net(found, 60, 0.05, 0.01, 1e-8);
    BOOST_TEST(found.history.back().nonzeros < 60u);
}

BOOST_AUTO_TEST_CASE(float_ends_where_its_rounding_begins) {
    const auto r = make_rows(200, 50, 0.5);
    backend::dense_matrix<float> x(200, 50);
    std::copy(r.x.values.begin(), r.x.values.end(), x.values.begin());
    const how h{.solver = {.stop = {.tolerance = 1e-12}}};
    const auto exact = fit_of(model::linear{}, r, penalty::elastic_net{0.05, 0}, h),
               found = fit_of(model::linear{}, data::arrays(x, std::vector<float>(r.y.begin(), r.y.end())),
                              penalty::elastic_net{0.05, 0}, h);
    BOOST_TEST((found.status == core::status::converged));
    BOOST_TEST(found.history.size() < 30u);
    for (std::size_t j = 0; j < exact.weights.size(); ++j)
        BOOST_TEST(std::abs(found.weights[j] - exact.weights[j]) <= 1e-4);
}

BOOST_AUTO_TEST_CASE(options_and_limits) {
    const auto r = make_rows(50, 30, 0.5);
    const auto refused = [&](const coordinate& solver) {
        BOOST_CHECK_THROW(fit_of(model::linear{}, r, penalty::elastic_net{0.1, 0}, {.solver = solver}),
                          core::option_error);
    };
    refused({.working_set = 0});
    refused({.anderson = 51});
    refused({.stop = {.tolerance = std::numeric_limits<double>::quiet_NaN()}});
    const auto one = fit_of(model::linear{}, r, penalty::elastic_net{0.01, 0},
                            {.solver = {.working_set = 1, .stop = {.iterations = 2, .tolerance = 1e-12}}});
    BOOST_TEST((one.status == core::status::iteration_limit));
    BOOST_TEST(one.history.size() == 2u);
    // a tolerance below what doubles can reach ends all the same
    const auto never =
        fit_of(model::linear{}, r, penalty::elastic_net{0.01, 0}, {.solver = {.stop = {.tolerance = 0}}});
    BOOST_TEST((never.status == core::status::converged || never.status == core::status::iteration_limit));
    BOOST_TEST(never.history.size() < 100u);
    auto bad = r;
    bad.y[7] = 1e200;  // its square is infinite
    const auto diverged = fit_of(model::linear{}, bad, penalty::elastic_net{0.01, 0}, {.standardized = false});
    BOOST_TEST((diverged.status == core::status::diverged));
}

BOOST_AUTO_TEST_SUITE_END()
