// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <gamut/backend/host.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/solver/problem.hpp>
#include <gamut/solver/swap.hpp>

#include "../fits/any_communicator.hpp"

using namespace gamut;

namespace {

using matrix = backend::dense_matrix<double>;
using rows = data::dataset<matrix>;
template <class Model>
using problem = solver::problem<Model, rows, penalty::l0, backend::host<>, fits::any_communicator>;

std::vector<std::vector<std::size_t>> subsets(std::size_t p, std::size_t k) {
    std::vector<std::vector<std::size_t>> all;
    std::vector<bool> chosen(p);
    std::fill(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(k), true);
    do {
        all.emplace_back();
        for (std::size_t j = 0; j < p; ++j)
            if (chosen[j]) all.back().push_back(j);
    } while (std::prev_permutation(chosen.begin(), chosen.end()));
    return all;
}

template <class Model> struct loaded {
    rows data;
    data::standardization scaling;
    problem<Model> fit;

    template <class Source>
    loaded(const Source& source, const penalty::l0& penalty, std::size_t blocks,
           const fits::any_communicator& ranks = {})
        : data(source.load(ranks, request(blocks))),
          scaling(data::standardize(ranks, data)),
          fit({}, data, penalty, {.threads = 1}, ranks, true, scaling) {}

    static data::request request(std::size_t blocks) {
        data::request wanted;
        wanted.classification = model::is_classification<Model>;
        wanted.blocks = blocks;
        return wanted;
    }
};

/// Correlated columns; the label is a number, or 0 / 1.
data::arrays<matrix> random_rows(std::size_t n, std::size_t p, bool classes, std::uint64_t seed,
                                 const std::vector<double>& weights = {}) {
    const core::random draw{.seed = seed, .stream = 3};
    matrix x(n, p);
    std::vector<double> y(n);
    for (std::size_t i = 0; i < n; ++i) {
        const double shared = draw.normal(1000000 + i);
        double z = 0;
        for (std::size_t j = 0; j < p; ++j) {
            x(i, j) = 0.7 * shared + draw.normal(i * p + j);
            z += (j % 3 == 0 ? 1.0 : 0.0) * x(i, j) * (j % 2 ? 1 : -1);
        }
        y[i] = classes ? (draw.uniform(3000000 + i) < 1 / (1 + std::exp(-z)) ? 1 : 0) : z + draw.normal(2000000 + i);
    }
    return weights.empty() ? data::arrays(x, y) : data::arrays(x, y, weights);
}

std::vector<double> weights_on(const std::vector<std::size_t>& support, std::size_t size) {
    std::vector<double> w(size);
    for (const std::size_t j : support) w[j] = 1;
    return w;
}

/// The smallest objective of all supports.
template <class P> double enumerated(const P& p, std::size_t kappa) {
    double best = std::numeric_limits<double>::infinity();
    for (const auto& support : subsets(p.layout().features, kappa)) {
        const auto start = weights_on(support, p.dimension());
        best = std::min(best, solver::polish{}.improve(p, typename P::array(std::span<const double>(start))).objective);
    }
    return best;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(swap)

BOOST_AUTO_TEST_CASE(few_rows_with_free_columns_weights_and_a_penalty_are_searched_row_by_row) {
    // more columns than rows: the answer of a search over all candidates has no better single exchange
    std::vector<double> weights;
    for (std::size_t i = 0; i < 30; ++i) weights.push_back(i % 7 == 3 ? 0 : 0.5 + 0.1 * static_cast<double>(i % 4));
    const loaded<model::linear> problem(random_rows(30, 45, false, 12, weights),
                                        {.kappa = 3, .l2 = 0.05, .free = {4, 9}}, 4);
    const auto found = solver::swap{}.minimize(problem.fit);
    BOOST_TEST(found.message.find("45 candidates, row by row") == std::string::npos);  // the free ones are none
    BOOST_TEST(found.message.find("43 candidates, row by row") != std::string::npos);
    std::vector<std::size_t> support;
    for (std::size_t j = 0; j < 45; ++j)
        if (found.weights[j] != 0 && j != 4 && j != 9) support.push_back(j);
    BOOST_TEST(support.size() == 3u);
    const auto value_on = [&](std::vector<std::size_t> s) {
        s.push_back(4);
        s.push_back(9);
        const auto start = weights_on(s, problem.fit.dimension());
        using array = std::remove_cvref_t<decltype(found.weights)>;
        return solver::polish{}.improve(problem.fit, array(std::span<const double>(start))).objective;
    };
    BOOST_TEST(std::abs(value_on(support) - found.objective) <= 1e-10 * found.objective);
    for (std::size_t place = 0; place < 3; ++place)
        for (std::size_t j = 0; j < 45; ++j) {
            auto other = support;
            other[place] = j;
            if (j == 4 || j == 9 || std::count(support.begin(), support.end(), j) > 0) continue;
            BOOST_TEST(value_on(other) >= found.objective - 1e-10);
        }
}

BOOST_AUTO_TEST_CASE(the_best_subset_of_small_problems_is_found) {
    std::size_t linear_found = 0, logistic_found = 0;
    constexpr std::size_t problems = 10;
    for (std::uint64_t seed = 0; seed < problems; ++seed) {
        const loaded<model::linear> squares(random_rows(40, 10, false, seed), {.kappa = 3, .l2 = 1e-3}, 4);
        const double best = enumerated(squares.fit, 3), found = solver::swap{}.minimize(squares.fit).objective;
        BOOST_TEST(found >= best - 1e-10 * best);
        linear_found += found <= best + 1e-9 * best ? 1 : 0;
        const loaded<model::logistic> classes(random_rows(60, 9, true, seed), {.kappa = 3, .l2 = 1e-2}, 4);
        const double least = enumerated(classes.fit, 3), reached = solver::swap{}.minimize(classes.fit).objective;
        BOOST_TEST(reached >= least - 1e-9 * least);
        logistic_found += reached <= least + 1e-8 * least ? 1 : 0;
    }
    BOOST_TEST(linear_found == problems);
    BOOST_TEST(logistic_found == problems);
}

BOOST_AUTO_TEST_CASE(the_best_subset_within_bounds_and_with_l1_is_found) {
    const penalty::l0 terms[] = {{.kappa = 3, .lower = 0},
                                 {.kappa = 3, .l2 = 1e-2, .l1 = 0.2},
                                 {.kappa = 3, .l2 = 1e-3, .lower = -0.3, .upper = 0.4},
                                 {.kappa = 3, .l1 = 0.05, .lower = -1, .upper = 0}};
    for (const penalty::l0& term : terms)
        for (std::uint64_t seed = 0; seed < 5; ++seed) {
            const loaded<model::linear> squares(random_rows(40, 10, false, seed), term, 4);
            const double best = enumerated(squares.fit, 3);
            const auto found = solver::swap{}.minimize(squares.fit);
            BOOST_TEST(std::abs(found.objective - best) <= 1e-7 * best);
            penalty::l0 smooth = term;
            smooth.l2 = 1e-2;
            smooth.l1 /= 10;
            const loaded<model::logistic> classes(random_rows(60, 9, true, seed), smooth, 4);
            const double least = enumerated(classes.fit, 3);
            const auto reached = solver::swap{}.minimize(classes.fit);
            BOOST_TEST(std::abs(reached.objective - least) <= 1e-6 * least);
            for (const auto& fit : {found, reached}) {
                const std::vector<double> w = fit.weights.download();
                for (std::size_t j = 0; j + 1 < w.size(); ++j) BOOST_TEST((w[j] >= term.lower && w[j] <= term.upper));
            }
        }
}

BOOST_AUTO_TEST_CASE(orthogonal_columns_keep_the_largest_coefficients) {
    // columns 2..8 of the Sylvester Hadamard matrix; the residual sum of squares for kappa = 0..7
    matrix x(8, 7);
    for (std::size_t i = 0; i < 8; ++i)
        for (std::size_t j = 1; j < 8; ++j) x(i, j - 1) = __builtin_parity(static_cast<unsigned>(i & j)) ? -1 : 1;
    const std::vector<double> y{3, -1, 4, 1, -5, 9, 2, -6}, known{166.875, 100.75, 45.625, 24.5, 9.375, 3.25, .125, 0};
    for (std::size_t kappa = 0; kappa <= 7; ++kappa) {
        const loaded<model::linear> problem(data::arrays(x, y), {.kappa = kappa}, 1);
        const auto found = solver::swap{}.minimize(problem.fit);
        BOOST_TEST(std::abs(16 * found.objective - known[kappa]) <= 1e-10);
    }
}

BOOST_AUTO_TEST_CASE(known_best_subsets_of_diabetes_and_breast_cancer) {
    const std::vector<double> rss{2621009.124434, 1719581.811, 1416694.014, 1362708.694, 1331431.404, 1287881.155,
                                  1271493.997,    1267807.812, 1264714.580, 1264068.096, 1263985.786};
    for (std::size_t kappa = 0; kappa <= 10; ++kappa) {
        const loaded<model::linear> problem(data::csv<>{.path = "examples/data/diabetes.csv"}, {.kappa = kappa}, 4);
        const auto found = solver::swap{}.minimize(problem.fit);
        BOOST_TEST(std::abs(2 * 442 * found.objective - rss[kappa]) <= 1e-3);
        BOOST_TEST((found.status == core::status::converged));
    }
    const std::vector<double> log_loss{.1989283709, .1360714785, .1059198929};
    for (std::size_t kappa = 1; kappa <= 3; ++kappa) {
        const loaded<model::logistic> problem(data::csv<>{.path = "examples/data/breast_cancer.csv"},
                                              {.kappa = kappa, .l2 = 1e-3}, 4);
        BOOST_TEST(std::abs(solver::swap{}.minimize(problem.fit).objective - log_loss[kappa - 1]) <= 1e-10);
    }
}

BOOST_AUTO_TEST_CASE(a_small_pool_is_filled_anew_until_it_holds_the_best) {
    const auto source = random_rows(200, 60, false, 7);
    const loaded<model::linear> problem(source, {.kappa = 4, .l2 = 1e-3}, 4);
    const double all = solver::swap{}.minimize(problem.fit).objective;
    const auto few = solver::swap{.pool = 8}.minimize(problem.fit);
    BOOST_TEST(std::abs(few.objective - all) <= 1e-10 * all);
    BOOST_TEST(problem.fit.nonzeros(few.weights) == 4u);
}

BOOST_AUTO_TEST_CASE(classes_have_a_support_each) {
    const loaded<model::softmax> problem(data::csv<>{.path = "examples/data/iris.csv"},
                                         {.kappa = 2, .l2 = 1e-2, .over = penalty::support::per_output}, 4);
    const auto found = solver::swap{}.minimize(problem.fit);
    const std::size_t c = 3, p = 4;
    for (std::size_t k = 0; k < c; ++k) {
        std::size_t used = 0;
        for (std::size_t j = 0; j < p; ++j) used += found.weights[j * c + k] != 0 ? 1 : 0;
        BOOST_TEST(used == 2u);
    }
    double best = std::numeric_limits<double>::infinity();  // of 6^3 supports
    const auto pairs = subsets(p, 2);
    for (const auto& a : pairs)
        for (const auto& b : pairs)
            for (const auto& d : pairs) {
                std::vector<double> w(problem.fit.dimension());
                for (const std::size_t j : a) w[j * c] = 1;
                for (const std::size_t j : b) w[j * c + 1] = 1;
                for (const std::size_t j : d) w[j * c + 2] = 1;
                const auto start = typename decltype(problem.fit)::array(std::span<const double>(w));
                best = std::min(best, solver::polish{}.improve(problem.fit, start).objective);
            }
    BOOST_TEST(found.objective >= best - 1e-9);
    BOOST_TEST(found.objective <= best + 1e-8);
}

BOOST_AUTO_TEST_CASE(ranks_and_threads_change_no_bit) {
    const auto source = random_rows(150, 40, true, 11);
    const solver::swap options{.restarts = 5, .pool = 12};
    const penalty::l0 penalty{.kappa = 3, .l2 = 1e-2};
    const auto alone = options.minimize(loaded<model::logistic>(source, penalty, options.blocks).fit);
    for (const int size : {2, 3})
        communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
            const auto together = options.minimize(loaded<model::logistic>(source, penalty, options.blocks, ranks).fit);
            if (together.objective != alone.objective || together.iterations != alone.iterations ||
                together.weights.download() != alone.weights.download())
                throw core::error(core::text("other bits: ", together.objective, " instead of ", alone.objective));
        });
}

BOOST_AUTO_TEST_CASE(wrong_options_are_refused) {
    const loaded<model::linear> problem(random_rows(20, 3, false, 1), {.kappa = 1}, 1);
    BOOST_CHECK_THROW(solver::swap{.blocks = 0}.minimize(problem.fit), core::option_error);
    BOOST_CHECK_THROW(solver::swap{.disturb = 0}.minimize(problem.fit), core::option_error);
    BOOST_CHECK_THROW((solver::swap{.disturb = std::nan("")}.minimize(problem.fit)), core::option_error);
}

BOOST_AUTO_TEST_SUITE_END()
