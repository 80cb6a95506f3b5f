// SPDX-License-Identifier: BSL-1.0
// The parts a problem is made of, each against plain loops over its rows.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "enumerate.hpp"

#include <gamut/core/random.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/penalty/none.hpp>
#include <gamut/solver/block.hpp>
#include <gamut/solver/moments.hpp>
#include <gamut/solver/problem.hpp>
#include <gamut/solver/problem_rows.hpp>
#include <gamut/solver/scaled_weights.hpp>
#include <gamut/solver/some_columns.hpp>

using namespace gamut;
using enumerate::problem_of;
using enumerate::random_rows;

namespace {

std::vector<double> random_weights(std::size_t n, std::uint64_t seed) {
    const core::random draw{.seed = seed, .stream = 5};
    std::vector<double> w(n);
    for (std::size_t j = 0; j < n; ++j) w[j] = draw.normal(j);
    return w;
}

double dot(std::span<const double> a, std::span<const double> b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

}  // namespace

BOOST_AUTO_TEST_CASE(scaled_weights_give_raw_rows_the_predictions_of_standardised_ones) {
    using backend_type = backend::host<double>;
    const std::size_t n = 12, p = 4, c = 3;
    const auto numbers = random_rows(3, n, p, 0, false);
    const auto scaling = data::standardize(communicator::single<>{}, numbers);
    for (const bool intercept : {false, true}) {
        const solver::scaled_weights<backend_type> scaled({p, c}, intercept, scaling);
        BOOST_TEST(scaled.dimension() == (p + (intercept ? 1 : 0)) * c);
        const std::vector<double> w = random_weights(scaled.dimension(), 4);
        const backend::array<backend_type> weights{std::span<const double>(w)};
        const auto e = scaled.effective_weights(weights);
        std::vector<double> sums((p + 1) * c), gradient(scaled.dimension());
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t k = 0; k < c; ++k) {
                double raw = e.b()[k], standardised = intercept ? w[p * c + k] : 0;
                const double slope = std::sin(double(i + 5 * k));  // of any loss of the predictions
                for (std::size_t j = 0; j < p; ++j) {
                    const double x = (numbers.x(i, j) - scaling.means[j]) / scaling.scales[j];
                    raw += numbers.x(i, j) * e.w()[j * c + k];
                    standardised += x * w[j * c + k];
                    sums[j * c + k] += slope * numbers.x(i, j);
                    gradient[j * c + k] += slope * x;
                }
                BOOST_TEST(std::abs(raw - standardised) <= 1e-12);
                sums[p * c + k] += slope;
                if (intercept) gradient[p * c + k] += slope;
            }
        backend::array<backend_type> back(scaled.dimension());
        scaled.to_gradient(sums, back);
        for (std::size_t j = 0; j < gradient.size(); ++j)
            BOOST_TEST(std::abs(back.download()[j] - gradient[j]) <= 1e-12);
    }
}

BOOST_AUTO_TEST_CASE(blocks_add_up_to_the_loss) {
    const auto numbers = random_rows(5, 40, 4, 3, true);
    const auto problem = problem_of<model::softmax>(numbers, {});
    using array = decltype(problem)::array;
    const std::size_t d = problem.dimension();
    const array at{std::span<const double>(random_weights(d, 1))}, along{std::span<const double>(random_weights(d, 2))};
    array gradient(d), product(d), part(d);
    const double value = problem.value_and_gradient(at, gradient);
    problem.hessian(at).times(along, product);
    double sum = 0;
    std::vector<double> slopes(d), products(d);
    BOOST_TEST(problem.blocks() == 4);
    const std::size_t before = problem.passes();
    for (std::size_t b = problem.first_block(); b < problem.last_block(); ++b) {
        const auto block = problem.block(b);
        const double here = block.value_and_gradient(at, part);
        BOOST_TEST(std::abs(here - block.value(at)) <= 1e-13);
        sum += here;
        for (std::size_t j = 0; j < d; ++j) slopes[j] += part.download()[j];
        block.hessian(at).times(along, part);
        for (std::size_t j = 0; j < d; ++j) products[j] += part.download()[j];
    }
    BOOST_TEST(problem.passes() == before);  // solvers count what blocks do
    BOOST_TEST(std::abs(sum - value) <= 1e-13);
    for (std::size_t j = 0; j < d; ++j) {
        BOOST_TEST(std::abs(slopes[j] - gradient.download()[j]) <= 1e-12);
        BOOST_TEST(std::abs(products[j] - product.download()[j]) <= 1e-12);
    }
}

BOOST_AUTO_TEST_CASE(what_the_nodes_minimise_has_the_objective_for_its_mean) {
    const auto numbers = random_rows(7, 50, 4, 2, true);
    const auto sparse = problem_of<model::logistic>(numbers, {});
    const auto problem = sparse.with_penalty(penalty::l2{.strength = 0.3});
    using array = decltype(problem)::array;
    const std::size_t d = problem.dimension();
    const array at{std::span<const double>(random_weights(d, 3))};
    array whole(d), part(d);
    for (std::size_t index = 0; index < problem.batches(10); ++index) {
        const solver::batch rows{.size = 10, .seed = 4, .epoch = 2, .index = index};
        const double expected = problem.batch_gradient(at, rows, whole);
        double value = 0;
        std::vector<double> slopes(d);
        for (std::size_t b = problem.first_block(); b < problem.last_block(); ++b) {
            value += problem.local_gradient(b, at, rows, part) / static_cast<double>(problem.blocks());
            for (std::size_t j = 0; j < d; ++j) slopes[j] += part.download()[j] / static_cast<double>(problem.blocks());
        }
        BOOST_TEST(std::abs(value - expected) <= 1e-12);
        for (std::size_t j = 0; j < d; ++j) BOOST_TEST(std::abs(slopes[j] - whole.download()[j]) <= 1e-12);
    }
}

BOOST_AUTO_TEST_CASE(moments_are_the_loss) {
    for (const std::size_t rows : {9, 700}) {
        const auto numbers = random_rows(6, rows, 5, 0, true);
        const auto problem = problem_of<model::linear>(numbers, {});
        using array = decltype(problem)::array;
        const std::size_t d = problem.dimension();
        const std::vector<double> w = random_weights(d, 3);
        const array at{std::span<const double>(w)};
        const auto moments = problem.moments();
        double value = moments.constant - dot(moments.slope, w);
        for (std::size_t i = 0; i < d; ++i) value += 0.5 * w[i] * dot({moments.gram.row(i), d}, w);
        BOOST_TEST(std::abs(value - problem.value(at)) <= 1e-11 * (1 + value));

        std::vector<std::size_t> all(d);
        std::iota(all.begin(), all.end(), std::size_t(0));
        const auto h = problem.second_derivatives(at, all);
        const std::vector<std::size_t> known{1, 5}, fresh{0, 3};
        const auto strip = problem.gram_rows(known, fresh);
        const std::vector<std::size_t> columns{1, 5, 0, 3};
        const std::vector<double> squares = problem.column_squares();
        for (std::size_t i = 0; i < d; ++i) {
            for (std::size_t j = 0; j < d; ++j) BOOST_TEST(std::abs(h(i, j) - moments.gram(i, j)) <= 1e-12);
            if (i + 1 < d) BOOST_TEST(std::abs(squares[i] - h(i, i)) <= 1e-12);
        }
        for (std::size_t i = 0; i < 2; ++i)
            for (std::size_t j = 0; j < 4; ++j) BOOST_TEST(std::abs(strip(i, j) - h(fresh[i], columns[j])) <= 1e-12);

        backend::dense_matrix<double> sum(d, d);
        problem.visit_rows(all, 1, [&](std::size_t, const double* row, double root) {
            for (std::size_t i = 0; i < d; ++i)
                for (std::size_t j = 0; j < d; ++j) sum(i, j) += root * row[i] * root * row[j];
        });
        for (std::size_t k = 0; k < d * d; ++k) BOOST_TEST(std::abs(sum.values[k] - h.values[k]) <= 1e-12);
    }
}

BOOST_AUTO_TEST_CASE(some_columns_are_the_problem_where_all_others_are_0) {
    const auto numbers = random_rows(7, 50, 6, 0, true);
    const auto problem = problem_of<model::linear>(numbers, {});
    using array = decltype(problem)::array;
    const std::vector<std::size_t> columns{1, 2, 5};
    const std::vector<double> w = random_weights(4, 8);
    std::vector<double> whole(7);
    for (std::size_t k = 0; k < 3; ++k) whole[columns[k]] = w[k];
    whole[6] = w[3];
    const auto part = problem.on_columns(columns, penalty::none{}, array{std::span<const double>(w)});
    BOOST_TEST(part->dimension() == 4u);
    BOOST_TEST(part->start().download() == w, boost::test_tools::per_element());
    array gradient(4), of_all(7);
    const double value = part->value_and_gradient(part->start(), gradient);
    BOOST_TEST(std::abs(value - problem.value_and_gradient(array{std::span<const double>(whole)}, of_all)) <= 1e-12);
    for (std::size_t k = 0; k < 4; ++k)
        BOOST_TEST(std::abs(gradient.download()[k] - of_all.download()[k < 3 ? columns[k] : 6]) <= 1e-12);
    BOOST_TEST(problem.on_columns(columns, penalty::none{})->start().download() == std::vector<double>(4),
               boost::test_tools::per_element());
}
