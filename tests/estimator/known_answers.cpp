// SPDX-License-Identifier: BSL-1.0
// Problems whose solutions are known: by hand, by a table that others published, or by another algorithm.
#include "shipped.hpp"

#include <boost/test/unit_test.hpp>

using namespace gamut;
using shipped::distance;
using indices = std::vector<std::size_t>;

namespace {

/// min (1/2n) |y - b - X w|^2 + l1 |w|_1 + l2/2 |w|^2 over standardised columns, by coordinate descent on their Gram matrix:
/// another algorithm than any of the library's.
struct coordinate_descent {
    std::vector<double> weights;  // of the standardised columns
    double intercept = 0, objective = 0;

    coordinate_descent(const fits::dense& x, const std::vector<double>& y, double l1, double l2) {
        const std::size_t n = x.rows, p = x.columns;
        std::vector<double> z(n * p), residual = y;
        for (std::size_t j = 0; j < p; ++j) {
            double mean = 0, square = 0;
            for (std::size_t i = 0; i < n; ++i) mean += x(i, j) / static_cast<double>(n);
            for (std::size_t i = 0; i < n; ++i) square += (x(i, j) - mean) * (x(i, j) - mean) / static_cast<double>(n);
            for (std::size_t i = 0; i < n; ++i) z[j * n + i] = (x(i, j) - mean) / std::sqrt(square);
        }
        for (const double value : y) intercept += value / static_cast<double>(n);
        for (double& value : residual) value -= intercept;
        weights.assign(p, 0.0);
        for (double moved = 1; moved > 1e-13;) {
            moved = 0;
            for (std::size_t j = 0; j < p; ++j) {
                double gradient = 0;
                for (std::size_t i = 0; i < n; ++i) gradient += z[j * n + i] * residual[i] / static_cast<double>(n);
                const double v = weights[j] + gradient;
                const double w = (v > l1 ? v - l1 : v < -l1 ? v + l1 : 0) / (1 + l2);
                for (std::size_t i = 0; i < n; ++i) residual[i] -= (w - weights[j]) * z[j * n + i];
                moved = std::max(moved, std::abs(w - weights[j]));
                weights[j] = w;
            }
        }
        for (const double r : residual) objective += 0.5 * r * r / static_cast<double>(n);
        for (const double w : weights) objective += l1 * std::abs(w) + 0.5 * l2 * w * w;
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(known_answers)

BOOST_AUTO_TEST_CASE(disadmm_finds_every_best_subset_of_an_orthogonal_design) {
    const auto source = shipped::hadamard();
    const std::vector<double> weights{.125, .625, -2.625, .875, 1.625, -1.375, 2.875};
    const std::vector<double> rss{166.875, 100.75, 45.625, 24.5, 9.375, 3.25, .125, 0};
    const indices by_size{6, 2, 4, 5, 3, 1, 0};
    for (const std::size_t blocks : {1, 2, 4, 8})
        for (std::size_t kappa = 0; kappa <= 7; ++kappa) {
            const auto found =
                fits::fit(model::linear{}, penalty::l0{.kappa = kappa}, solver::disadmm<>{.blocks = blocks}, source);
            indices support(by_size.begin(), by_size.begin() + static_cast<std::ptrdiff_t>(kappa));
            std::sort(support.begin(), support.end());
            BOOST_TEST_CONTEXT("kappa = " << kappa << ", " << blocks << " blocks") {
                BOOST_TEST(found.support == support, boost::test_tools::per_element());
                BOOST_TEST(std::abs(16 * found.objective - rss[kappa]) < 1e-9);
                BOOST_TEST(std::abs(found.intercept[0] - .875) < 1e-9);
                for (const std::size_t j : found.support) BOOST_TEST(std::abs(found.weights[j] - weights[j]) < 1e-9);
            }
        }
}

BOOST_AUTO_TEST_CASE(with_as_many_weights_as_columns_disadmm_solves_the_plain_problem) {
    const auto check = [](auto model, const auto& source, std::size_t all) {
        const auto plain =
            fits::fit(model, penalty::l2{.01}, solver::newton_cg<>{.stop = {.tolerance = 1e-12}}, source);
        const auto found = fits::fit(model, penalty::l0{.kappa = all, .l2 = .01}, solver::disadmm<>{}, source);
        BOOST_TEST(std::abs(found.objective - plain.objective) <= 1e-10 * std::abs(plain.objective));
        double largest = 0;
        for (const double w : plain.solver_weights) largest = std::max(largest, std::abs(w));
        BOOST_TEST(distance(found.solver_weights, plain.solver_weights) <= 1e-5 * largest);
    };
    check(model::linear{}, shipped::diabetes, 10);
    check(model::logistic{}, shipped::breast_cancer, 30);
    check(model::softmax{}, shipped::iris, 12);
}

BOOST_AUTO_TEST_CASE(without_weights_the_intercept_is_left) {
    const auto check = [](auto model, const auto& source, const std::vector<double>& intercept, double objective) {
        const auto found = fits::fit(model, penalty::l0{.kappa = 0, .l2 = .01}, solver::disadmm<>{}, source);
        BOOST_TEST(found.support.empty());
        BOOST_TEST(static_cast<int>(found.status) == static_cast<int>(core::status::converged), found.message);
        BOOST_TEST(std::abs(found.objective - objective) < 1e-9 * std::abs(objective));
        for (std::size_t k = 0; k < intercept.size(); ++k)  // those of softmax up to a shift
            BOOST_TEST(std::abs(found.intercept[k] - found.intercept[0] - intercept[k] + intercept[0]) < 1e-7);
        if (intercept.size() == 1) BOOST_TEST(std::abs(found.intercept[0] - intercept[0]) < 1e-7);
    };
    // malignant 212, benign 357; in the order of their names benign is class 0
    const double q = 212. / 569;
    check(model::logistic{}, shipped::breast_cancer, {std::log(q / (1 - q))},
          -q * std::log(q) - (1 - q) * std::log(1 - q));
    check(model::softmax{}, shipped::iris, {0, 0, 0}, std::log(3.));
    const auto rows = shipped::rows_of(shipped::diabetes, false);
    double mean = 0, variance = 0;
    for (const double y : rows.y) mean += y / 442;
    for (const double y : rows.y) variance += (y - mean) * (y - mean) / 442;
    check(model::linear{}, shipped::diabetes, {mean}, variance / 2);
}

BOOST_AUTO_TEST_CASE(lasso_and_elastic_net_agree_with_coordinate_descent) {
    const auto rows = shipped::rows_of(shipped::diabetes, false);
    for (const double l1 : {40., 10., 1., .1, .0})
        for (const double l2 : {0., .05, 1.}) {
            const coordinate_descent expected(rows.x, rows.y, l1, l2);
            const auto found =
                fits::fit(model::linear{}, penalty::elastic_net{l1, l2},
                          solver::admm<>{.stop = {.iterations = 5000, .tolerance = 1e-11}}, shipped::diabetes);
            BOOST_TEST_CONTEXT("l1 = " << l1 << ", l2 = " << l2 << ", " << found.message) {
                BOOST_TEST(std::abs(found.objective - expected.objective) <= 1e-10 * expected.objective);
                auto weights = expected.weights;
                weights.push_back(expected.intercept);
                BOOST_TEST(distance(found.solver_weights, weights) <= 1e-8 * 152);
                for (std::size_t j = 0; j < 10; ++j)
                    BOOST_TEST((found.solver_weights[j] == 0) == (expected.weights[j] == 0), "weight " << j);
            }
        }
}

// scikit-learn 1.2.1, lbfgs and then Newton-CG, to a gradient below 1e-11
BOOST_AUTO_TEST_CASE(softmax_with_ridge_reaches_the_known_optimum_of_the_digits) {
    const auto train = data::all_but_every(shipped::digits(), 5), test = data::every(shipped::digits(), 5);
    struct {
        double l2, objective, accuracy;
    } const known[] = {{10, 900.1613387565967, 337. / 360}, {1, 311.96525588668953, 347. / 360}};
    for (const auto& expected : known) {
        const auto found =
            fits::fit(model::softmax{}, penalty::l2{expected.l2 / 1437},
                      solver::newton_cg<>{.stop = {.tolerance = 1e-9}}, train, {.prepare = shipped::as_given});
        BOOST_TEST(std::abs(found.objective * 1437 - expected.objective) <= 1e-9 * expected.objective);
        BOOST_TEST(std::abs(found.score(test).accuracy - expected.accuracy) <= 1.0001 / 360);
    }
}

// What consensus methods with a fixed rho reach here is .471, .243 and .162; ten times the passes do not help them.
BOOST_AUTO_TEST_CASE(disadmm_classifies_digits_with_few_weights_per_class) {
    const auto train = data::all_but_every(shipped::digits(), 5), test = data::every(shipped::digits(), 5);
    struct {
        std::size_t kappa;
        double loss, accuracy;
    } const known[] = {{5, .239, .89}, {10, .116, .92}, {20, .065, .95}};
    for (const auto& expected : known) {
        const auto found = fits::fit(
            model::softmax{}, penalty::l0{.kappa = expected.kappa, .l2 = 1e-4, .over = penalty::support::per_output},
            solver::disadmm<>{}, train, {.prepare = shipped::no_intercept});
        const double loss = found.score(train).loss, accuracy = found.score(test).accuracy;
        BOOST_TEST_MESSAGE("kappa " << expected.kappa << ": log-loss " << loss << ", accuracy on the test rows "
                                    << accuracy << ", " << found.passes << " passes, " << found.seconds << " s");
        BOOST_TEST(loss <= expected.loss);
        BOOST_TEST(accuracy >= expected.accuracy);
        for (std::size_t k = 0; k < 10; ++k) {
            std::size_t used = 0;
            for (std::size_t j = 0; j < 64; ++j) used += found.weights[j * 10 + k] != 0;
            BOOST_TEST(used <= expected.kappa);
        }
    }
}

// The optimum is .1059198929, with worst radius, worst texture and worst concave points.
BOOST_AUTO_TEST_CASE(disadmm_classifies_breast_cancer_with_three_features) {
    const auto found =
        fits::fit(model::logistic{}, penalty::l0{.kappa = 3, .l2 = 1e-3}, solver::disadmm<>{}, shipped::breast_cancer);
    BOOST_TEST_MESSAGE("objective " << found.objective << ", " << found.passes << " passes, " << found.seconds << " s");
    BOOST_TEST(found.objective <= .1064);
    BOOST_TEST(found.objective >= .1059198928);
    BOOST_TEST(found.support.size() == 3u);
}

BOOST_AUTO_TEST_SUITE_END()
