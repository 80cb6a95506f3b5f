// SPDX-License-Identifier: BSL-1.0
#include <gamut/learn/metric.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "../real_data/files.hpp"

#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/every.hpp>

using namespace gamut;

namespace {

constexpr core::random draws{.seed = 71};

/// Two classes that differ in column 1 only; the other columns are wider.
data::arrays<backend::dense_matrix<double>> hidden(std::size_t n, std::size_t p) {
    backend::dense_matrix<double> x(n, p);
    std::vector<double> y;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < p; ++j) x(i, j) = 5 * draws.normal(i * p + j);
        x(i, 1) = (i % 2 == 0 ? -1 : 1) + 0.2 * draws.normal(100000 + i);
        y.push_back(static_cast<double>(i % 2));
    }
    return data::arrays(x, y);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(metric)

BOOST_AUTO_TEST_CASE(the_column_that_tells_classes_apart_is_found) {
    const auto source = hidden(150, 5);
    for (const std::size_t rank : {0, 2}) {
        const auto fit = learn::metric{.rank = rank, .stop = {.iterations = 800}}.fit(source);
        BOOST_TEST(fit.score(source).accuracy > 0.98);
        double of_one = 0, all = 0;
        for (std::size_t k = 0; k < fit.map.size(); ++k) {
            all += fit.map[k] * fit.map[k];
            if (k % 5 == 1) of_one += fit.map[k] * fit.map[k];
        }
        BOOST_TEST(of_one > 0.9 * all);
    }
}

BOOST_AUTO_TEST_CASE(distances_are_those_of_the_transformed_rows) {
    const auto source = hidden(40, 4);
    const auto fit = learn::metric{.lambda = 2, .offsets = {1, 2}, .stop = {.iterations = 300}}.fit(source);
    const auto z = fit.transform(source);
    double objective = 0;
    for (const std::size_t t : {1, 2})
        for (std::size_t i = 0; i < 40; ++i) {
            double d2 = 0;
            for (std::size_t k = 0; k < z.width; ++k) d2 += std::pow(z(i, k) - z((i + t) % 40, k), 2);
            objective += t % 2 == 0 ? d2 : 2 * std::max(0.0, 1 - d2);
        }
    BOOST_TEST(std::abs(fit.objective - objective) < 1e-6 * objective);
    BOOST_TEST(std::abs(fit.score(source).loss * 80 - objective) < 1e-9 * objective);
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_refused) {
    const auto source = hidden(30, 30);
    BOOST_CHECK_THROW(learn::metric<>{}.fit(source), core::option_error);  // 30 columns
    BOOST_CHECK_THROW(learn::metric<>{.rank = 31}.fit(source), core::data_error);
    BOOST_CHECK_THROW((learn::metric<>{.rank = 2, .lambda = 0}.fit(source)), core::option_error);
    BOOST_CHECK_THROW((learn::metric<>{.rank = 2, .pairs = 0}.fit(source)), core::option_error);
    BOOST_CHECK_THROW((learn::metric<>{.rank = 2, .batch = 0}.fit(source)), core::option_error);
    BOOST_CHECK_THROW((learn::metric<>{.rank = 2, .rate = 0}.fit(source)), core::option_error);
}

BOOST_AUTO_TEST_CASE(iris_reaches_the_least_objective, *boost::unit_test::precondition(real_data::is_there)) {
    const real_data::answer answer("dml_iris");
    std::string text = real_data::text_of(real_data::path("iris/iris.csv"));
    std::replace(text.begin(), text.end(), ',', ' ');
    std::vector<double> x, y;
    for (const auto& row : real_data::table(text.substr(text.find('\n')))) {
        x.insert(x.end(), row.begin(), row.begin() + 4);
        y.push_back(row[4]);
    }
    const data::arrays source(x, 150, 4, y);
    for (const auto& known : answer.solutions()) {
        const auto fit = learn::metric{.lambda = known["lambda_"],
                                       .offsets = {1, 37, 60},
                                       .stop = {.iterations = 5000, .tolerance = 1e-6}}
                             .fit(source);
        BOOST_TEST_MESSAGE(fit.message << " after " << fit.iterations << ": " << fit.objective);
        real_data::check_close("objective", fit.objective, known["objective"], 1e-4);
        for (std::size_t i = 0; i < 4; ++i)
            for (std::size_t j = 0; j < 4; ++j) {
                double m = 0;
                for (std::size_t k = 0; k < fit.rank(); ++k) m += fit.map[k * 4 + i] * fit.map[k * 4 + j];
                BOOST_TEST(std::abs(m - known["M"][i][j].get<double>()) < 0.01);
            }
    }
}

BOOST_AUTO_TEST_CASE(pairs_of_digits_are_told_apart, *boost::unit_test::precondition(real_data::is_there)) {
    const auto digits = real_data::digits();
    const auto train = data::all_but_every(digits, 5), test = data::every(digits, 5);
    const auto fit = learn::metric{.rank = 24, .pairs = 4, .batch = 1000, .stop = {.iterations = 1000}}.fit(train);
    auto plain = fit;
    plain.map.assign(64 * 64, 0.0);
    for (std::size_t j = 0; j < 64; ++j) plain.map[j * 65] = 1;
    const double found = fit.score(test).accuracy, euclid = plain.score(test).accuracy;
    BOOST_TEST_MESSAGE("pairs: " << fit.score(train).accuracy << " training, " << found << " held out, Euclid "
                                 << euclid);
    BOOST_TEST(fit.score(train).accuracy >= 0.97);
    BOOST_TEST(found >= euclid + 0.05);
}

BOOST_AUTO_TEST_SUITE_END()
