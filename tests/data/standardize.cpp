// SPDX-License-Identifier: BSL-1.0
#include <gamut/data/standardize.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../without_zeros.hpp"

#include <gamut/communicator/threads.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>

using namespace gamut;

namespace {

struct problem {
    backend::dense_matrix<double> x;
    std::vector<double> weights;
};

problem random_problem(std::size_t rows, std::size_t columns, double zeros = 0) {
    const core::random draw{.seed = 5};
    problem made{{rows, columns}, std::vector<double>(rows)};
    for (std::size_t i = 0; i < rows; ++i) {
        made.weights[i] = static_cast<double>(draw.below(1'000'000 + i, 4));
        for (std::size_t j = 0; j < columns; ++j) {
            const bool zero = draw.uniform(2'000'000 + i * columns + j) < zeros;
            made.x(i, j) = zero ? 0 : 1000 + draw.normal(i * columns + j);
        }
    }
    return made;
}

template <class Source> data::standardization moments(const Source& source, int ranks = 1) {
    std::vector<data::standardization> all(static_cast<std::size_t>(ranks));
    communicator::threads<>::run(
        ranks, [&](const auto& c) { all[static_cast<std::size_t>(c.rank())] = data::standardize(c, source.load(c)); });
    for (const auto& one : all) {
        if (one.means != all[0].means || one.scales != all[0].scales) throw core::error("ranks differ");
    }
    return all[0];
}

data::standardization in_long_double(const problem& p) {
    data::standardization result;
    for (std::size_t j = 0; j < p.x.columns; ++j) {
        long double weight = 0, sum = 0, squares = 0;
        for (std::size_t i = 0; i < p.x.rows; ++i)
            weight += p.weights[i], sum += static_cast<long double>(p.weights[i]) * p.x(i, j);
        for (std::size_t i = 0; i < p.x.rows; ++i)
            squares += p.weights[i] * (p.x(i, j) - sum / weight) * (p.x(i, j) - sum / weight);
        result.means.push_back(static_cast<double>(sum / weight));
        result.scales.push_back(static_cast<double>(std::sqrt(squares / weight)));
    }
    return result;
}

void check_close(const data::standardization& a, const data::standardization& b, double tolerance = 1e-13) {
    BOOST_REQUIRE(a.means.size() == b.means.size());
    for (std::size_t j = 0; j < a.means.size(); ++j) {
        BOOST_TEST(std::abs(a.means[j] - b.means[j]) <= tolerance * std::abs(b.means[j]));
        BOOST_TEST(std::abs(a.scales[j] - b.scales[j]) <= tolerance * std::abs(b.scales[j]));
    }
}

auto column(std::vector<double> values) {
    const std::size_t rows = values.size();
    return data::arrays(values, rows, 1, std::vector<double>(rows));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(standardize)

BOOST_AUTO_TEST_CASE(means_and_deviations_are_the_weighted_population_ones) {
    for (const double zeros : {0.0, 0.3, 0.95}) {
        const auto p = random_problem(777, 6, zeros);
        const std::vector<double> y(777);
        const auto expected = in_long_double(p);
        check_close(moments(data::arrays(p.x, y, p.weights)), expected);
        check_close(moments(data::arrays(without_zeros(p.x), y, p.weights)), expected, 1e-12);
    }
}

BOOST_AUTO_TEST_CASE(the_same_bits_on_any_number_of_ranks) {
    const auto p = random_problem(300, 5, 0.5);
    const std::vector<double> y(300);
    const data::arrays dense(p.x, y, p.weights);
    const data::arrays compressed(without_zeros(p.x), y);
    const auto dense_one = moments(dense), compressed_one = moments(compressed);
    for (const int ranks : {2, 3, 4, 5, 8, 100}) {
        BOOST_TEST((moments(dense, ranks).means == dense_one.means));
        BOOST_TEST((moments(dense, ranks).scales == dense_one.scales));
        BOOST_TEST((moments(compressed, ranks).means == compressed_one.means));
        BOOST_TEST((moments(compressed, ranks).scales == compressed_one.scales));
    }
}

BOOST_AUTO_TEST_CASE(a_constant_column_has_exactly_its_mean_and_scale_1) {
    for (const double value : {0.0, 0.1, -1e150, 1e-150, 1.0 / 3}) {
        const auto result = moments(column(std::vector<double>(1000, value)), 3);
        BOOST_TEST(result.means[0] == value);
        BOOST_TEST(result.scales[0] == 1);
        BOOST_TEST(result.constant == (std::vector<std::size_t>{0}), boost::test_tools::per_element());
        BOOST_TEST((value - result.means[0]) / result.divisors()[0] == 0);
    }
    BOOST_TEST(moments(column({1, 2})).constant.empty());
}

BOOST_AUTO_TEST_CASE(columns_of_extreme_size) {
    for (const double size : {1e150, 1e-150, 1e200, 1e-200, 1e-300}) {
        const auto result = moments(column({size, 3 * size, size, 3 * size}));
        BOOST_TEST(std::abs(result.means[0] / size - 2) < 1e-14);
        BOOST_TEST(std::abs(result.scales[0] / size - 1) < 1e-14);
    }
}

BOOST_AUTO_TEST_CASE(a_column_of_extreme_size_changes_no_other) {
    const auto p = random_problem(777, 2);
    problem other = p;
    for (std::size_t i = 0; i < 777; ++i) other.x(i, 1) *= 1e200;
    const std::vector<double> y(777);
    const auto usual = moments(data::arrays(p.x, y, p.weights), 3),
               extreme = moments(data::arrays(other.x, y, p.weights), 3);
    BOOST_TEST(extreme.means[0] == usual.means[0]);
    BOOST_TEST(std::abs(extreme.scales[0] / usual.scales[0] - 1) < 1e-14);
    BOOST_TEST(std::abs(extreme.scales[1] / usual.scales[1] / 1e200 - 1) < 1e-13);
}

BOOST_AUTO_TEST_CASE(a_sum_that_overflows_is_a_data_error) {
    BOOST_CHECK_THROW(moments(column({1.7e308, 1.7e308, -1})), core::data_error);
}

BOOST_AUTO_TEST_CASE(a_small_spread_around_a_large_mean_keeps_its_digits) {
    const auto result = moments(column({1e9 - 1, 1e9 + 1, 1e9 - 1, 1e9 + 1}));
    BOOST_TEST(result.means[0] == 1e9);
    BOOST_TEST(result.scales[0] == 1);
}

BOOST_AUTO_TEST_CASE(weight_2_is_the_row_twice_and_weight_0_no_row) {
    const std::vector<double> y(3);
    const auto weighted = moments(data::arrays(std::vector<double>{1, 5, 100}, 3, 1, y, std::vector<double>{2, 1, 0}));
    check_close(weighted, moments(column({1, 1, 5})));
}

BOOST_AUTO_TEST_SUITE_END()
