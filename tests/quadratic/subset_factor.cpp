// SPDX-License-Identifier: BSL-1.0
#include <cmath>
#include <cstddef>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <gamut/backend/orthogonal_factor.hpp>
#include <gamut/core/random.hpp>
#include <gamut/quadratic/subset_factor.hpp>

using namespace gamut;

namespace {

constexpr std::size_t rows = 30, columns = 5;

struct made {
    std::vector<double> numbers;  // rows of [ columns | ones | labels ]
    double at(std::size_t i, std::size_t j) const { return numbers[i * (columns + 2) + j]; }
    quadratic::subset_factor factor() const {
        backend::orthogonal_factor r(columns + 2);
        std::vector<double> spent = numbers;
        r.add(spent.data(), rows);
        return {r, true, static_cast<double>(rows)};
    }
};

/// Column 4 is column 0 and `apart` of something else.
made random_rows(std::uint64_t seed, double apart) {
    const core::random draw{.seed = seed};
    made m;
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < columns; ++j)
            m.numbers.push_back(j < 4 ? draw.normal(i * 8 + j)
                                      : m.numbers[i * (columns + 2)] + apart * draw.normal(i * 8 + j));
        m.numbers.push_back(1);
        m.numbers.push_back(3 + draw.normal(i * 8 + 7) + m.at(i, 1));
    }
    return m;
}

/// |A w - b|^2 / (2 rows) at the weights, the best intercept among them.
long double objective(const made& of, const std::vector<std::size_t>& live, const std::vector<double>& w) {
    std::vector<long double> left(rows);
    long double mean = 0, sum = 0;
    for (std::size_t i = 0; i < rows; ++i) {
        left[i] = of.at(i, columns + 1);
        for (std::size_t k = 0; k < live.size(); ++k) left[i] -= static_cast<long double>(w[k]) * of.at(i, live[k]);
        mean += left[i] / rows;
    }
    for (const long double e : left) sum += (e - mean) * (e - mean);
    return sum / 2 / rows;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(subset_factor)

BOOST_AUTO_TEST_CASE(weights_are_a_minimum_and_costs_what_leaving_out_costs) {
    for (const std::uint64_t seed : {1u, 2u, 3u}) {
        const made m = random_rows(seed, 1);
        const auto factor = m.factor();
        for (std::size_t set = 0; set < 32; ++set) {
            std::vector<std::size_t> live;
            for (std::size_t j = 0; j < columns; ++j)
                if (set >> j & 1) live.push_back(j);
            const auto found = factor.on(live);
            const auto at = static_cast<double>(objective(m, live, found.weights));
            BOOST_TEST(std::abs(found.objective - at) <= 1e-13 * at);
            for (std::size_t k = 0; k < live.size(); ++k) {
                for (const double step : {1e-4, -1e-4}) {
                    auto moved = found.weights;
                    moved[k] += step;
                    BOOST_TEST(static_cast<double>(objective(m, live, moved)) > at);
                }
                std::vector<std::size_t> fewer = live;
                fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(k));
                BOOST_TEST(std::abs(factor.on(fewer).objective - at - found.cost[k]) <= 1e-12 * at);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(nearly_collinear_columns_cost_digits_once_and_the_error_says_how_many) {
    const std::vector<std::size_t> all{0, 1, 2, 3, 4};
    for (const double apart : {1e-3, 1e-6, 1e-8, 0.0}) {
        const made m = random_rows(7, apart);
        const auto factor = m.factor();
        const auto found = factor.on(all);
        // the column's own part, without the shared one: the same span
        made turned = m;
        for (std::size_t i = 0; i < rows && apart > 0; ++i)
            turned.numbers[i * (columns + 2) + 4] = (m.at(i, 4) - m.at(i, 0)) / apart;
        const double right = turned.factor().on(apart > 0 ? all : std::vector<std::size_t>{0, 1, 2, 3}).objective;
        const auto error = factor.rounding(rows);
        BOOST_TEST(error.below(found.objective) <= right * (1 + 1e-14));
        BOOST_TEST(error.below(found.objective) >= 0.0);
        if (apart >= 1e-6) BOOST_TEST(found.objective - error.below(found.objective) <= 1e-6 * right);
        if (apart > 0) BOOST_TEST(std::abs(found.objective - right) <= 1e-14 / apart * right);
        if (apart == 0) {
            BOOST_TEST(error.below(found.objective) == 0);
            for (const double cost : found.cost) BOOST_TEST(cost == 0);  // none is known to be needed
        }
    }
}

BOOST_AUTO_TEST_CASE(zero_columns_and_no_rows) {
    made m = random_rows(3, 1);
    for (std::size_t i = 0; i < rows; ++i) m.numbers[i * (columns + 2) + 2] = 0;
    const auto factor = m.factor();
    BOOST_TEST(factor.is_zero(2));
    BOOST_TEST(!factor.is_zero(1));
    BOOST_TEST(std::isfinite(factor.rounding(rows).distance));
    const quadratic::subset_factor empty(backend::orthogonal_factor(columns + 2), true, 1);
    BOOST_TEST(empty.on(std::vector<std::size_t>{0, 1}).objective == 0);
}

BOOST_AUTO_TEST_SUITE_END()
