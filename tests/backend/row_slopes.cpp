// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <gamut/backend/row_slopes.hpp>
#include <gamut/core/random.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>

using namespace gamut;

BOOST_AUTO_TEST_SUITE(backend_row_slopes)

BOOST_AUTO_TEST_CASE(losses_and_slopes_are_those_of_the_formula_on_any_number_of_threads) {
    const core::random draw{.seed = 4};
    for (const std::size_t n : {0u, 1u, 13u, 1024u, 3001u}) {  // pieces of 1024
        std::vector<double> y, omega, z;
        double total = 0;
        for (std::size_t i = 0; i < n; ++i) {
            y.push_back(draw.uniform(3 * i) < 0.5 ? 1 : 0);
            omega.push_back(i % 7 == 3 ? 0 : 0.5 + draw.uniform(3 * i + 1));
            z.push_back(3 * draw.normal(3 * i + 2));
            total += omega.back();
        }
        const double offset = 0.3;
        const auto check = [&](auto model, auto loss_of, auto slope_of) {
            const auto formula = model::loss_formula(model);
            std::vector<double> first;
            for (const int threads : {1, 3}) {
                backend::row_slopes<double, decltype(formula)> rows(formula, {y.data(), omega.data(), total}, n,
                                                                    threads);
                std::vector<double> slopes(n);
                const auto sums = rows.evaluate(z, offset, slopes);
                double loss = 0, sum = 0;
                for (std::size_t i = 0; i < n; ++i) {
                    const double slope = omega[i] * slope_of(z[i] + offset, y[i]) / total;
                    BOOST_TEST(std::abs(slopes[i] - slope) <= 1e-15);
                    loss += omega[i] * loss_of(z[i] + offset, y[i]) / total;
                    sum += slope;
                }
                BOOST_TEST(std::abs(sums.loss - loss) <= 1e-13 * (1 + loss));
                BOOST_TEST(std::abs(sums.slope - sum) <= 1e-14);
                slopes.push_back(sums.loss);
                if (threads == 1) first = slopes;
                BOOST_TEST(first == slopes);
            }
        };
        check(
            model::linear{}, [](double u, double l) { return 0.5 * (u - l) * (u - l); },
            [](double u, double l) { return u - l; });
        check(
            model::logistic{}, [](double u, double l) { return std::log1p(std::exp(u)) - l * u; },
            [](double u, double l) { return 1 / (1 + std::exp(-u)) - l; });
    }
}

BOOST_AUTO_TEST_SUITE_END()
