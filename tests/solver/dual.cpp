// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include <gamut/backend/gram.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/model/hinge.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/poisson.hpp>
#include <gamut/model/squared_hinge.hpp>
#include <gamut/penalty/elastic_net.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/admm.hpp>
#include <gamut/solver/dual.hpp>
#include <gamut/solver/dual_block.hpp>
#include <gamut/solver/newton_cg.hpp>
#include <gamut/solver/problem.hpp>

#include "quadratic.hpp"

using namespace gamut;

namespace {

using dense = backend::dense_matrix<double>;
using sparse = backend::sparse_matrix<double>;
using enet = penalty::elastic_net;

/// Rows as a problem has them.
template <class Matrix = dense> struct sample {
    Matrix x;
    std::vector<double> y, weights;
};

struct setting {
    bool intercept = false, standardized = false;
    std::size_t blocks = 1;
    int threads = 1;
};

sample<> random_sample(std::size_t rows, std::size_t columns, bool classes, std::uint64_t seed = 1,
                       bool weighted = false) {
    const auto t = toy::random_table(rows, columns, .3, classes, false, seed, 2);
    sample<> s{dense(rows, columns), t.y, {}};
    const core::random numbers{.seed = seed, .stream = 7};
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < columns; ++j)  // columns of their own sizes, some far from 0, half of the entries 0
            s.x(i, j) =
                numbers.bits(i * columns + j) % 2 == 0 ? 0 : t.x[i * columns + j] * (1 + double(j)) + double(j % 3);
    if (weighted)
        for (std::size_t i = 0; i < rows; ++i) s.weights.push_back(i % 7 == 3 ? 0 : 1 + double(i % 3));
    return s;
}
/// Counts in place of numbers.
sample<> counts(sample<> s) {
    for (double& y : s.y) y = std::floor(std::min(std::abs(y), 9.0));
    return s;
}
sample<sparse> stored(const sample<>& s) {
    sample<sparse> out{{}, s.y, s.weights};
    out.x.rows = s.x.rows;
    out.x.columns = s.x.columns;
    for (std::size_t i = 0; i < s.x.rows; ++i) {
        for (std::size_t j = 0; j < s.x.columns; ++j)
            if (s.x(i, j) != 0) {
                out.x.indices.push_back(static_cast<std::int32_t>(j));
                out.x.values.push_back(s.x(i, j));
            }
        out.x.offsets.push_back(static_cast<std::int64_t>(out.x.indices.size()));
    }
    return out;
}

/// f(problem) for a sample on a communicator.
template <class Model, class T = double, class Matrix, class Penalty, class C, class F>
auto on_problem(const sample<Matrix>& s, const Penalty& penalty, const setting& how, const C& c, F&& f) {
    data::request wanted;
    wanted.classification = model::is_classification<Model>;
    wanted.blocks = how.blocks;
    const auto rows =
        s.weights.empty() ? data::arrays(s.x, s.y).load(c, wanted) : data::arrays(s.x, s.y, s.weights).load(c, wanted);
    data::standardization scaling;
    if (how.standardized) scaling = data::standardize(c, rows);
    const solver::problem<Model, std::remove_cvref_t<decltype(rows)>, Penalty, backend::host<T>, C> p(
        Model{}, rows, penalty, backend::host<T>{.threads = how.threads}, c, how.intercept, scaling);
    return f(p);
}

using result = core::result<toy::array>;

template <class Model, class Matrix, class Penalty>
result by_dual(const sample<Matrix>& s, const Penalty& penalty, const setting& how = {}, double tolerance = 1e-10) {
    return on_problem<Model>(s, penalty, how, communicator::single<>{}, [&](const auto& p) {
        return solver::dual{.blocks = how.blocks, .stop = {.iterations = 3000, .tolerance = tolerance}}.minimize(p);
    });
}
template <class Model> result by_newton(const sample<>& s, const penalty::l2& penalty, const setting& how = {}) {
    return on_problem<Model>(s, penalty, how, communicator::single<>{}, [](const auto& p) {
        return solver::newton_cg<>{.stop = {.tolerance = 1e-12}}.minimize(p);
    });
}

/// Every record bounds the optimum from both sides, and the last one closely.
void check_bounds(const result& found, double optimum, double tolerance, const std::string& what) {
    BOOST_TEST((found.status == core::status::converged), what << ": " << found.message);
    const double rounding = 1e-11 * (1 + std::abs(optimum));
    for (const core::record& now : found.history) {
        BOOST_TEST(now.objective >= optimum - rounding, what);
        BOOST_TEST(now.objective - now.residual * std::abs(now.objective) <= optimum + rounding, what);
    }
    BOOST_TEST(found.lower_bound <= optimum + rounding, what);
    BOOST_TEST(found.lower_bound >= optimum - tolerance * std::abs(optimum) - rounding, what);
    BOOST_TEST(std::abs(found.objective - optimum) <= tolerance * std::abs(optimum) + rounding,
               what << ": " << found.objective << ", not " << optimum);
}

template <class Model> void agrees_with_newton(const sample<>& s, double l2) {
    for (const bool intercept : {false, true})
        for (const bool standardized : {false, true}) {
            const setting how{intercept, standardized};
            const std::string what = std::string(Model::name) + (intercept ? ", intercept" : "") +
                                     (standardized ? ", standardised" : "") + (s.weights.empty() ? "" : ", weighted");
            const result reference = by_newton<Model>(s, {l2}, how);
            const result found = by_dual<Model>(s, enet{0, l2}, how);
            check_bounds(found, reference.objective, 1e-8, what);
            for (std::size_t j = 0; j < found.weights.size(); ++j)
                BOOST_TEST(std::abs(found.weights[j] - reference.weights[j]) <=
                               1e-3 * (1 + std::abs(reference.weights[j])),
                           what);
        }
}

/// The support vector machine's dual by trying for every row whether its beta is 0, 1 or between: max over beta of
/// mean(beta) - |v|^2 / (2 l2), v = mean(beta_i s_i x_i), 0 <= beta <= 1 and, with an intercept, sum beta_i s_i = 0.
double brute_force(const sample<>& s, double l2, bool intercept) {
    const std::size_t n = s.x.rows, p = s.x.columns;
    const double N = double(n);
    double best = -std::numeric_limits<double>::infinity();
    std::size_t all = 1;
    for (std::size_t i = 0; i < n; ++i) all *= 3;
    const auto sign = [&](std::size_t i) { return 2 * s.y[i] - 1; };
    const auto product = [&](std::size_t i, std::size_t k) {
        double sum = 0;
        for (std::size_t j = 0; j < p; ++j) sum += s.x(i, j) * s.x(k, j);
        return sum * sign(i) * sign(k) / (l2 * N);
    };
    for (std::size_t code = 0; code < all; ++code) {
        std::vector<double> beta(n);
        std::vector<std::size_t> between;
        std::size_t rest = code;
        for (std::size_t i = 0; i < n; ++i, rest /= 3) {
            if (rest % 3 == 2)
                between.push_back(i);
            else
                beta[i] = double(rest % 3);
        }
        // sum_k Q_ik beta_k + b s_i = 1 for those between, and sum s_i beta_i = 0: elimination with pivots
        const std::size_t m = between.size() + (intercept ? 1 : 0);
        std::vector<std::vector<double>> a(m, std::vector<double>(m + 1));
        for (std::size_t r = 0; r < between.size(); ++r) {
            a[r][m] = 1;
            for (std::size_t c = 0; c < between.size(); ++c) a[r][c] = product(between[r], between[c]);
            for (std::size_t k = 0; k < n; ++k) a[r][m] -= product(between[r], k) * beta[k];
            if (intercept) a[r][m - 1] = a[m - 1][r] = sign(between[r]);
        }
        if (intercept)
            for (std::size_t k = 0; k < n; ++k) a[m - 1][m] -= sign(k) * beta[k];
        bool singular = false;
        for (std::size_t c = 0; c < m && !singular; ++c) {
            std::size_t pivot = c;
            for (std::size_t r = c; r < m; ++r)
                if (std::abs(a[r][c]) > std::abs(a[pivot][c])) pivot = r;
            std::swap(a[c], a[pivot]);
            singular = !(std::abs(a[c][c]) > 1e-9);
            for (std::size_t r = 0; r < m && !singular; ++r)
                if (r != c)
                    for (std::size_t k = m + 1; k-- > c;) a[r][k] -= a[r][c] / a[c][c] * a[c][k];
        }
        if (singular) continue;
        bool allowed = true;
        for (std::size_t r = 0; r < between.size(); ++r) {
            beta[between[r]] = a[r][m] / a[r][r];
            allowed = allowed && beta[between[r]] >= -1e-12 && beta[between[r]] <= 1 + 1e-12;
        }
        double balance = 0, value = 0;
        for (std::size_t i = 0; i < n; ++i) {
            balance += sign(i) * beta[i];
            value += beta[i] / N;
            for (std::size_t k = 0; k < n; ++k) value -= 0.5 * beta[i] * beta[k] * product(i, k) / N;
        }
        if (allowed && (!intercept || std::abs(balance) <= 1e-9)) best = std::max(best, value);
    }
    return best;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(solver_dual)

BOOST_AUTO_TEST_CASE(smooth_losses_agree_with_newton) {
    for (const bool weighted : {false, true}) {
        agrees_with_newton<model::linear>(random_sample(60, 7, false, 1, weighted), .1);
        agrees_with_newton<model::logistic>(random_sample(60, 7, true, 2, weighted), .05);
        agrees_with_newton<model::squared_hinge>(random_sample(60, 7, true, 3, weighted), .1);
        agrees_with_newton<model::poisson>(counts(random_sample(60, 7, false, 4, weighted)), .2);
    }
    agrees_with_newton<model::logistic>(random_sample(12, 30, true, 5), .01);  // more columns than rows
}

BOOST_AUTO_TEST_CASE(few_columns_take_few_rounds) {
    // so little l2 that one alpha after another needs hundreds of passes: Newton's method is not slowed down by that
    const auto few_rounds = [](const result& found, double optimum, const char* what, std::size_t most = 4) {
        check_bounds(found, optimum, 1e-8, what);
        BOOST_TEST(found.iterations <= most, what << ": " << found.iterations << " rounds");
    };
    const penalty::l2 little{1e-5};
    for (const bool weighted : {false, true})
        for (const bool standardized : {false, true}) {
            const setting how{.standardized = standardized};
            const auto classes = random_sample(1000, 10, true, 21, weighted);
            const auto numbers = counts(random_sample(1000, 10, false, 22, weighted));
            few_rounds(by_dual<model::logistic>(classes, little, how, 1e-8),
                       by_newton<model::logistic>(classes, little, how).objective, "logistic");
            few_rounds(by_dual<model::squared_hinge>(classes, little, how, 1e-8),
                       by_newton<model::squared_hinge>(classes, little, how).objective, "squared hinge");
            few_rounds(by_dual<model::linear>(numbers, little, how, 1e-8),
                       by_newton<model::linear>(numbers, little, how).objective, "linear");
            const result hinge = by_dual<model::hinge>(classes, little, how, 1e-8);
            few_rounds(hinge, hinge.objective, "hinge");  // its own lower bound says that this is the optimum
            const result of_stored = by_dual<model::hinge>(stored(classes), little, how, 1e-8);
            few_rounds(of_stored, of_stored.objective, "hinge, stored");
            BOOST_TEST(of_stored.lower_bound <= hinge.objective);
            BOOST_TEST(hinge.lower_bound <= of_stored.objective);
            // an intercept is followed, from round to round
            setting free = how;
            free.intercept = true;
            few_rounds(by_dual<model::logistic>(classes, little, free, 1e-8),
                       by_newton<model::logistic>(classes, little, free).objective, "logistic, intercept", 12);
            const result shifted = by_dual<model::hinge>(classes, little, free, 1e-8);
            few_rounds(shifted, shifted.objective, "hinge, intercept", 12);
            BOOST_TEST(shifted.objective <= hinge.objective * (1 + 1e-8));
        }
}

BOOST_AUTO_TEST_CASE(the_hinge_agrees_with_a_quadratic_program_solved_by_trying_everything) {
    for (std::uint64_t seed = 1; seed <= 6; ++seed)
        for (const double l2 : {.02, .3, 3.0})
            for (const bool intercept : {false, true}) {
                auto s = random_sample(7, 4, true, seed);
                s.y[0] = 0;
                s.y[1] = 1;
                const result found = by_dual<model::hinge>(s, enet{0, l2}, {.intercept = intercept});
                check_bounds(found, brute_force(s, l2, intercept), 1e-9,
                             core::text("seed ", seed, ", l2 ", l2, intercept ? ", intercept" : ""));
            }
}

BOOST_AUTO_TEST_CASE(closed_forms) {
    // one column, x = 1 and -1 for classes 1 and 0: the margins are all w, so w = min(1, 1 / l2)
    sample<> two{dense(2, 1), {1, 0}, {}};
    two.x(0, 0) = 1;
    two.x(1, 0) = -1;
    for (const double l2 : {.25, .5, 2.0, 8.0}) {
        const double w = std::min(1.0, 1 / l2);
        const result found = by_dual<model::hinge>(two, penalty::l2{l2});
        BOOST_TEST(std::abs(found.weights[0] - w) <= 1e-9);
        BOOST_TEST(std::abs(found.objective - (1 - w + l2 / 2 * w * w)) <= 1e-12);
        // squared: 2 (1 - w) = l2 w
        BOOST_TEST(std::abs(by_dual<model::squared_hinge>(two, enet{0, l2}, {}, 1e-13).weights[0] - 2 / (2 + l2)) <=
                   1e-6);
        // ridge and soft threshold: x'y / n = 1/2
        BOOST_TEST(std::abs(by_dual<model::linear>(two, enet{.1, l2}).weights[0] - (.5 - .1) / (1 + l2)) <= 1e-6);
        BOOST_TEST(by_dual<model::linear>(two, enet{.6, l2}).weights[0] == 0);
    }
    // columns of zeros: all rows have the same prediction, the intercept; a Poisson mean is the mean of the counts
    sample<> nothing{dense(4, 2), {0, 1, 3, 4}, {}};
    const result mean = by_dual<model::poisson>(nothing, enet{0, 1}, {.intercept = true}, 1e-12);
    BOOST_TEST(std::abs(mean.weights[2] - std::log(2.0)) <= 1e-5);
    const result average = by_dual<model::linear>(nothing, enet{0, 1}, {.intercept = true}, 1e-12);
    BOOST_TEST(std::abs(average.weights[2] - 2) <= 1e-5);
}

BOOST_AUTO_TEST_CASE(elastic_net_agrees_with_admm) {
    const auto s = random_sample(50, 12, true, 6);
    for (const bool intercept : {false, true}) {
        const setting how{.intercept = intercept, .standardized = true, .blocks = 2};
        const enet penalty{.03, .02};
        const result reference =
            on_problem<model::logistic>(s, penalty, how, communicator::single<>{}, [](const auto& p) {
                return solver::admm<>{.stop = {.iterations = 5000, .tolerance = 1e-11}}.minimize(p);
            });
        const result found = by_dual<model::logistic>(s, penalty, how);
        check_bounds(found, reference.objective, 1e-8, "elastic net");
        for (std::size_t j = 0; j < 12; ++j) BOOST_TEST((found.weights[j] == 0) == (reference.weights[j] == 0));
        BOOST_TEST(std::count(found.weights.data(), found.weights.data() + 12, 0.0) > 0);
    }
}

BOOST_AUTO_TEST_CASE(blocks_change_the_way_and_not_the_end) {
    const auto s = random_sample(90, 10, true, 8, true);
    for (const bool intercept : {false, true}) {
        const result one = by_dual<model::hinge>(s, enet{0, .1}, {.intercept = intercept, .standardized = true});
        for (const std::size_t blocks : {2, 5, 40, 120}) {
            const result many = by_dual<model::hinge>(s, enet{0, .1}, {intercept, true, blocks, 2}, 1e-8);
            check_bounds(many, one.objective, 1e-7, core::text(blocks, " blocks"));
        }
    }
}

BOOST_AUTO_TEST_CASE(sparse_rows_are_dense_rows) {
    const auto s = random_sample(80, 9, true, 9);
    for (const bool intercept : {false, true})
        for (const bool standardized : {false, true}) {
            const setting how{intercept, standardized};
            const result d = by_dual<model::hinge>(s, enet{0, .05}, how, 1e-11),
                         c = by_dual<model::hinge>(stored(s), enet{0, .05}, how, 1e-11);
            BOOST_TEST((c.status == core::status::converged));
            BOOST_TEST(std::abs(c.objective - d.objective) <= 1e-10 * d.objective);
            for (std::size_t j = 0; j < d.weights.size(); ++j)
                BOOST_TEST(std::abs(c.weights[j] - d.weights[j]) <= 1e-4);
        }
}

BOOST_AUTO_TEST_CASE(a_weight_of_2_is_the_row_twice_and_of_0_no_row) {
    auto s = random_sample(40, 5, true, 10), twice = s;
    s.weights.assign(40, 1);
    std::vector<double> entries;
    twice.y.clear();
    for (std::size_t i = 0; i < 40; ++i) {
        s.weights[i] = double(i % 3);
        for (std::size_t k = 0; k < i % 3; ++k) {
            entries.insert(entries.end(), s.x.row(i), s.x.row(i) + 5);
            twice.y.push_back(s.y[i]);
        }
    }
    twice.x = dense(twice.y.size(), 5);
    std::copy(entries.begin(), entries.end(), twice.x.values.begin());
    for (const bool intercept : {false, true}) {
        const setting how{.intercept = intercept, .standardized = true};
        const result weighted = by_dual<model::hinge>(s, enet{0, .05}, how),
                     repeated = by_dual<model::hinge>(twice, enet{0, .05}, how);
        BOOST_TEST(std::abs(weighted.objective - repeated.objective) <= 2e-10 * weighted.objective);
    }
}

BOOST_AUTO_TEST_CASE(the_number_of_ranks_and_threads_changes_no_bit) {
    const auto s = stored(random_sample(90, 12, true, 11, true));
    const auto fit_on = [&](const auto& c, int threads) {
        return on_problem<model::hinge>(s, enet{.001, .02}, {true, true, 5, threads}, c, [&](const auto& p) {
            return solver::dual{.blocks = 5, .stop = {.iterations = 40, .tolerance = 1e-9}}.minimize(p);
        });
    };
    const auto reference = fit_on(communicator::single<>{}, 1);
    const auto same_as_reference = [&](const result& fit) {
        bool same = fit.objective == reference.objective && fit.history.size() == reference.history.size() &&
                    fit.passes == reference.passes;
        for (std::size_t k = 0; same && k < fit.history.size(); ++k)
            same = fit.history[k].objective == reference.history[k].objective &&
                   fit.history[k].residual == reference.history[k].residual;
        for (std::size_t j = 0; j < fit.weights.size(); ++j) same = same && fit.weights[j] == reference.weights[j];
        return same;
    };
    BOOST_TEST(same_as_reference(fit_on(communicator::single<>{}, 3)));
    for (const int ranks : {2, 3, 7})
        communicator::threads<>::run(ranks, [&](const auto& c) {
            if (!same_as_reference(fit_on(c, 1))) throw std::runtime_error("other bits");
        });
}

BOOST_AUTO_TEST_CASE(single_precision_comes_as_close_as_it_can) {
    const auto s = random_sample(70, 6, true, 12);
    const result exact = by_dual<model::logistic>(s, enet{0, .05}, {.intercept = true, .standardized = true});
    sample<backend::dense_matrix<float>> single{backend::dense_matrix<float>(70, 6), s.y, {}};
    std::copy(s.x.values.begin(), s.x.values.end(), single.x.values.begin());
    on_problem<model::logistic, float>(
        single, enet{0, .05}, {.intercept = true, .standardized = true}, communicator::single<>{}, [&](const auto& p) {
            const auto fit = solver::dual{.stop = {.tolerance = 1e-5}}.minimize(p);
            BOOST_TEST((fit.status == core::status::converged));
            BOOST_TEST(std::abs(fit.objective - exact.objective) <= 2e-5 * exact.objective);
            return 0;
        });
}

BOOST_AUTO_TEST_CASE(ends_as_it_says) {
    const auto s = random_sample(200, 20, true, 13);
    on_problem<model::hinge>(s, enet{0, 1e-4}, {}, communicator::single<>{}, [](const auto& p) {
        const auto limited = solver::dual{.local_epochs = 1, .stop = {.iterations = 2, .tolerance = 1e-12}}.minimize(p);
        BOOST_TEST((limited.status == core::status::iteration_limit));
        BOOST_TEST(limited.iterations == 2);
        BOOST_TEST(limited.history.size() == 2);
        const auto stopped = solver::dual{.stop = {.tolerance = 0}}.minimize(
            p, [](const core::record& now) { return now.iteration == 3; });
        BOOST_TEST((stopped.status == core::status::stopped));
        const auto late = solver::dual{.stop = {.tolerance = 0, .seconds = 1e-9}}.minimize(p);
        BOOST_TEST((late.status == core::status::time_limit));
        // what is reported is what is returned
        BOOST_TEST(std::abs(p.value(stopped.weights) + p.penalty(stopped.weights) - stopped.objective) <= 1e-12);
        BOOST_TEST(late.passes >= 3);
        BOOST_TEST(late.passes <= 120);  // Newton's method does not stop at once
        return 0;
    });
}

BOOST_AUTO_TEST_CASE(bad_options_are_errors) {
    const auto s = random_sample(20, 3, true);
    const auto refuses = [&](const enet& penalty, const solver::dual& how) {
        on_problem<model::hinge>(s, penalty, {}, communicator::single<>{}, [&](const auto& p) {
            BOOST_CHECK_THROW(how.minimize(p), core::option_error);
            return 0;
        });
    };
    refuses({0, 1}, {.blocks = 0});
    refuses({0, 1}, {.blocks = 5000});
    refuses({0, 1}, {.local_epochs = 0});
    refuses({0, 1}, {.stop = {.tolerance = -1}});
    refuses({1, 0}, {});
    on_problem<model::hinge>(s, enet{1, 0}, {}, communicator::single<>{}, [&](const auto& p) {
        try {
            solver::dual{}.minimize(p);
        } catch (const core::option_error& e) {
            BOOST_TEST(std::string(e.what()).find("l2 > 0") != std::string::npos);
        }
        return 0;
    });
}

BOOST_AUTO_TEST_CASE(a_primal_that_overflows_on_the_way_comes_back) {
    // counts of rows far apart: early weights predict exp of thousands
    auto s = counts(random_sample(60, 7, false, 14));
    for (double& entry : s.x.values) entry *= 100;
    const result reference = by_newton<model::poisson>(s, {1e4});
    check_bounds(by_dual<model::poisson>(s, enet{0, 1e4}), reference.objective, 1e-8, "poisson");
    const result weak = by_dual<model::poisson>(s, enet{0, 1});
    BOOST_TEST(std::isfinite(weak.objective));
    BOOST_TEST((weak.status == core::status::converged || weak.status == core::status::iteration_limit));
}

BOOST_AUTO_TEST_CASE(what_is_not_finite_is_never_called_converged) {
    sample<> s{dense(4, 1), {1, 2, 3, 1e308}, {}};
    for (std::size_t i = 0; i < 4; ++i) s.x(i, 0) = 1e160;  // whose square overflows
    const result found = by_dual<model::poisson>(s, enet{0, 1e-300});
    BOOST_TEST((found.status == core::status::diverged || std::isfinite(found.history.back().residual)));
    BOOST_TEST(std::isfinite(found.objective));
}

BOOST_AUTO_TEST_SUITE_END()
