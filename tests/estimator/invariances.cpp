// SPDX-License-Identifier: BSL-1.0
// Changes of a problem that must not change its solution, or must change it in a known way.
#include "shipped.hpp"

#include <boost/test/unit_test.hpp>

using namespace gamut;
using shipped::distance;
using indices = std::vector<std::size_t>;

namespace {

constexpr core::stop tight{.iterations = 5000, .tolerance = 1e-11};

fits::sparse compressed(const fits::dense& x) {
    fits::sparse s;
    s.rows = x.rows;
    s.columns = x.columns;
    for (std::size_t i = 0; i < x.rows; ++i) {
        for (std::size_t j = 0; j < x.columns; ++j)
            if (x(i, j) != 0) {
                s.indices.push_back(static_cast<std::int32_t>(j));
                s.values.push_back(x(i, j));
            }
        s.offsets.push_back(static_cast<std::int64_t>(s.indices.size()));
    }
    return s;
}

/// The same rows in another order, each as often as `times` says.
template <class Times>
data::dataset<fits::dense> taken(const data::dataset<fits::dense>& from, const indices& order, Times times) {
    data::dataset<fits::dense> to = from;
    to.x = fits::dense(0, from.columns());
    to.y.clear();
    for (const std::size_t i : order)
        for (std::size_t t = 0; t < times(i); ++t) {
            to.x.values.insert(to.x.values.end(), from.x.row(i), from.x.row(i) + from.columns());
            to.y.push_back(from.y[i]);
            ++to.x.rows;
        }
    return to;
}

indices in_order(std::size_t n) {
    indices order(n);
    for (std::size_t i = 0; i < n; ++i) order[i] = i;
    return order;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(invariances)

BOOST_AUTO_TEST_CASE(sparse_and_dense_rows_give_the_same_fit) {
    const auto rows = shipped::rows_of(data::csv<>{.path = "examples/data/digits.csv"}, false);
    const auto some = taken(rows, in_order(400), [](std::size_t) { return std::size_t(1); });
    const auto check = [&](auto model, auto penalty, auto solver, std::vector<double> y, data::preparation prepare,
                           double tolerance) {
        const auto a = fits::fit(model, penalty, solver, data::arrays(some.x, y), {.prepare = prepare});
        const auto b = fits::fit(model, penalty, solver, data::arrays(compressed(some.x), y), {.prepare = prepare});
        BOOST_TEST(std::abs(a.objective - b.objective) <= 1e-9 * std::abs(a.objective),
                   a.objective << " and " << b.objective);
        BOOST_TEST(distance(a.solver_weights, b.solver_weights) <= tolerance);
        BOOST_TEST(a.support == b.support, boost::test_tools::per_element());
    };
    std::vector<double> parity;
    for (const double digit : some.y) parity.push_back(std::fmod(digit, 2));
    for (const data::preparation prepare : {data::preparation{}, shipped::no_intercept}) {
        check(model::linear{}, penalty::l2{.1}, solver::newton_cg<>{.stop = tight}, some.y, prepare, 1e-6);
        check(model::logistic{}, penalty::elastic_net{.01, .01},
              solver::admm<>{.stop = {.iterations = 5000, .tolerance = 1e-9}}, parity, prepare, 1e-5);
        check(model::logistic{}, penalty::l0{.kappa = 4, .l2 = .01}, solver::disadmm<>{}, parity, prepare, 1e-5);
        check(model::softmax{}, penalty::l2{.1}, solver::lbfgs<>{.stop = tight}, some.y, prepare, 1e-5);
    }
}

BOOST_AUTO_TEST_CASE(a_weight_of_two_is_the_row_twice) {
    const auto rows = shipped::rows_of(shipped::diabetes, false);
    std::vector<double> weights(442);
    for (std::size_t i = 0; i < 442; ++i) weights[i] = static_cast<double>(i % 3);  // some rows count nothing
    const data::arrays weighted(rows.x, rows.y, weights);
    const auto copies = taken(rows, in_order(442), [](std::size_t i) { return i % 3; });
    const data::arrays repeated(copies.x, copies.y);
    const auto check = [&](auto penalty, auto solver, double tolerance) {
        const auto a = fits::fit(model::linear{}, penalty, solver, weighted),
                   b = fits::fit(model::linear{}, penalty, solver, repeated);
        BOOST_TEST(std::abs(a.objective - b.objective) <= 1e-10 * a.objective, a.objective << " and " << b.objective);
        BOOST_TEST(distance(a.solver_weights, b.solver_weights) <= tolerance);
        BOOST_TEST(distance(a.scaling.means, b.scaling.means) <= 1e-15);
        BOOST_TEST(distance(a.scaling.scales, b.scaling.scales) <= 1e-15);
    };
    check(penalty::l2{.1}, solver::newton_cg<>{.stop = tight}, 1e-6);
    check(penalty::elastic_net{5, .1}, solver::admm<>{.stop = tight}, 1e-6);
    check(penalty::l0{.kappa = 4, .l2 = .1}, solver::disadmm<>{.blocks = 1}, 1e-6);
}

BOOST_AUTO_TEST_CASE(admm_finds_one_optimum_whatever_the_number_of_blocks) {
    const penalty::elastic_net lasso{.l1 = 5, .l2 = 0};
    const auto one = fits::fit(model::linear{}, lasso, solver::admm<>{.blocks = 1, .stop = tight}, shipped::diabetes);
    for (const std::size_t blocks : {2, 4, 9}) {
        const auto found =
            fits::fit(model::linear{}, lasso, solver::admm<>{.blocks = blocks, .stop = tight}, shipped::diabetes);
        BOOST_TEST(std::abs(found.objective - one.objective) <= 1e-10 * one.objective,
                   blocks << " blocks: " << found.message);
        BOOST_TEST(distance(found.solver_weights, one.solver_weights) <= 1e-6, blocks << " blocks");
    }
}

BOOST_AUTO_TEST_CASE(the_order_of_the_rows_does_not_matter_to_convex_problems) {
    const auto rows = shipped::rows_of(shipped::breast_cancer, true);
    const auto shuffled = taken(rows, core::permutation({.seed = 3}, 569), [](std::size_t) { return std::size_t(1); });
    const auto a = fits::fit(model::logistic{}, penalty::elastic_net{.01, .001}, solver::admm<>{.stop = tight},
                             data::arrays(rows.x, rows.y));
    const auto b = fits::fit(model::logistic{}, penalty::elastic_net{.01, .001}, solver::admm<>{.stop = tight},
                             data::arrays(shuffled.x, shuffled.y));
    BOOST_TEST(std::abs(a.objective - b.objective) <= 1e-10 * a.objective);
    BOOST_TEST(distance(a.solver_weights, b.solver_weights) <= 1e-6);
}

BOOST_AUTO_TEST_CASE(a_column_in_other_units_has_a_weight_in_those_units) {
    auto rows = shipped::rows_of(shipped::diabetes, false);
    const data::arrays before(rows.x, rows.y);
    for (std::size_t i = 0; i < 442; ++i) rows.x(i, 2) = 1000 * rows.x(i, 2) + 37;
    const data::arrays after(rows.x, rows.y);
    const auto check = [&](auto penalty, auto solver) {
        const auto a = fits::fit(model::linear{}, penalty, solver, before),
                   b = fits::fit(model::linear{}, penalty, solver, after);
        BOOST_TEST(std::abs(a.objective - b.objective) <= 1e-10 * a.objective);
        BOOST_TEST(a.support == b.support, boost::test_tools::per_element());
        for (std::size_t j = 0; j < 10; ++j) {
            const double scaled = j == 2 ? 1000 * b.weights[j] : b.weights[j];
            BOOST_TEST(std::abs(scaled - a.weights[j]) <= 1e-6 * 1000,
                       "weight " << j << ": " << a.weights[j] << " and " << scaled);
        }
        BOOST_TEST(std::abs(a.intercept[0] - 37 * b.weights[2] - b.intercept[0]) <= 1e-6 * 1000);
    };
    check(penalty::l2{.1}, solver::lbfgs<>{.stop = tight});
    check(penalty::elastic_net{1, 0}, solver::admm<>{.stop = tight});
    check(penalty::l0{.kappa = 4, .l2 = .01}, solver::disadmm<>{});
}

BOOST_AUTO_TEST_CASE(of_equal_columns_the_first_is_chosen) {
    const auto rows = shipped::rows_of(shipped::diabetes, false);
    fits::dense twice(442, 20);
    for (std::size_t i = 0; i < 442; ++i)
        for (std::size_t j = 0; j < 20; ++j) twice(i, j) = rows.x(i, j % 10);
    const auto found =
        fits::fit(model::linear{}, penalty::l0{.kappa = 3}, solver::disadmm<>{}, data::arrays(twice, rows.y));
    BOOST_TEST(found.support.size() <= 3u);
    for (const std::size_t j : found.support) BOOST_TEST(j < 10u);
}

BOOST_AUTO_TEST_CASE(constant_columns_and_extreme_scales_are_ordinary) {
    auto rows = shipped::rows_of(shipped::diabetes, false);
    const auto plain =
        fits::fit(model::linear{}, penalty::l2{.1}, solver::newton_cg<>{.stop = tight}, data::arrays(rows.x, rows.y));
    fits::dense x(442, 12);
    for (std::size_t i = 0; i < 442; ++i)
        for (std::size_t j = 0; j < 12; ++j)
            x(i, j) = j == 10 ? 4.25 : j == 11 ? 0 : rows.x(i, j) * (j == 0 ? 1e150 : j == 1 ? 1e-150 : 1);
    const auto found =
        fits::fit(model::linear{}, penalty::l2{.1}, solver::newton_cg<>{.stop = tight}, data::arrays(x, rows.y));
    BOOST_TEST(std::abs(found.objective - plain.objective) <= 1e-10 * plain.objective, found.message);
    BOOST_TEST(found.solver_weights[10] == 0);
    BOOST_TEST(found.solver_weights[11] == 0);
    BOOST_TEST(std::abs(found.weights[0] * 1e150 - plain.weights[0]) <= 1e-6 * std::abs(plain.weights[0]));
}

BOOST_AUTO_TEST_SUITE_END()
