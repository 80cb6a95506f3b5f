// SPDX-License-Identifier: BSL-1.0
#include <gamut/backend/row_moments.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <gamut/backend/matrix.hpp>
#include <gamut/core/random.hpp>

using namespace gamut;

namespace {

template <class T> struct sample {
    backend::dense_matrix<T> x;
    std::vector<double> weights;

    sample(std::size_t rows, std::size_t columns, double mean) : x(rows, columns), weights(rows) {
        const core::random draw{.seed = 11};
        for (std::size_t i = 0; i < x.values.size(); ++i) x.values[i] = static_cast<T>(mean + draw.normal(i));
        for (std::size_t i = 0; i < rows; ++i) weights[i] = 0.1 + draw.uniform(1'000'000 + i);
    }

    /// f(few rows) for all rows, as many at a time as fit.
    template <class F> void in_groups(F&& f) const {
        backend::few_rows<T> few{.columns = x.columns};
        for (std::size_t i = 0; i < x.rows; ++i) {
            few.add(x.row(i), weights[i]);
            if (!few.is_full() && i + 1 < x.rows) continue;
            f(few);
            few.count = 0;
        }
    }
};

template <class T> void check_moments(std::size_t rows, std::size_t columns, double mean) {
    const sample<T> s(rows, columns, mean);
    std::vector<double> sums(columns + 1, 0), squares(columns + 1, 0),
        largest(columns + 1, -std::numeric_limits<double>::infinity()), smallest = largest;
    backend::row_moments moments{0, sums.data(), squares.data(), largest.data(), smallest.data()};
    s.in_groups([&](const auto& few) { backend::add_rows(few, moments); });

    long double weight = 0;
    for (const double w : s.weights) weight += w;
    BOOST_TEST(std::abs(moments.weight - static_cast<double>(weight)) <= 1e-14 * moments.weight);
    for (std::size_t j = 0; j < columns; ++j) {
        long double sum = 0, spread = 0, most = s.x(0, j), least = most;
        for (std::size_t i = 0; i < rows; ++i) {
            const long double value = s.x(i, j);
            sum += s.weights[i] * value;
            most = std::max(most, value);
            least = std::min(least, value);
        }
        for (std::size_t i = 0; i < rows; ++i)
            spread += s.weights[i] * (s.x(i, j) - sum / weight) * (s.x(i, j) - sum / weight);
        const double rounding = 1e-15 * (1 + std::abs(mean));
        BOOST_TEST(std::abs(sums[j] - static_cast<double>(sum)) <= 16 * rounding * static_cast<double>(weight));
        BOOST_TEST(std::abs(squares[j] - static_cast<double>(spread)) <=
                   (1e-14 + 16 * rounding) * (static_cast<double>(spread) + rounding * static_cast<double>(weight)));
        BOOST_TEST(largest[j] == static_cast<double>(most));
        BOOST_TEST(smallest[j] == -static_cast<double>(least));
    }
    BOOST_TEST(sums[columns] == 0);  // nothing is written behind the last column
    BOOST_TEST(squares[columns] == 0);
}

template <class T> void check_squares(std::size_t rows, std::size_t columns) {
    const sample<T> s(rows, columns, 3);
    const std::vector<double> means(columns, 2.5);
    std::vector<double> squares(columns + 1, 1);
    s.in_groups([&](const auto& few) { backend::add_squares(few, means.data(), squares.data()); });
    for (std::size_t j = 0; j < columns; ++j) {
        double expected = 1;
        for (std::size_t i = 0; i < rows; ++i)
            expected += s.weights[i] * std::pow(static_cast<double>(s.x(i, j)) - means[j], 2);
        BOOST_TEST(std::abs(squares[j] - expected) <= 1e-13 * expected);
    }
    BOOST_TEST(squares[columns] == 1);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(row_moments)

BOOST_AUTO_TEST_CASE(sums_squares_about_the_mean_and_extremes) {
    for (const std::size_t rows : {1, 3, 16, 17, 100})
        for (const std::size_t columns : {1, 7, 8, 13, 40}) {
            check_moments<double>(rows, columns, 1);
            check_moments<float>(rows, columns, 1);
        }
}

BOOST_AUTO_TEST_CASE(squares_keep_their_digits_far_from_zero) { check_moments<double>(1000, 9, 1e6); }

BOOST_AUTO_TEST_CASE(no_rows_add_nothing) {
    double sum = 4, squares = 5, largest = 6, smallest = 7;
    backend::row_moments moments{2, &sum, &squares, &largest, &smallest};
    backend::add_rows(backend::few_rows<double>{.columns = 1}, moments);
    BOOST_TEST(moments.weight == 2);
    BOOST_TEST((sum == 4 && squares == 5 && largest == 6 && smallest == 7));
}

BOOST_AUTO_TEST_CASE(squares_about_given_means) {
    for (const std::size_t rows : {1, 16, 50})
        for (const std::size_t columns : {1, 8, 21}) {
            check_squares<double>(rows, columns);
            check_squares<float>(rows, columns);
        }
}

BOOST_AUTO_TEST_SUITE_END()
