// SPDX-License-Identifier: BSL-1.0
#include <gamut/learn/sparse_coding.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "../real_data/files.hpp"

#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>

using namespace gamut;

namespace {

constexpr core::random draws{.seed = 51};

backend::dense_matrix<double> mixtures(std::size_t n, std::size_t p) {
    backend::dense_matrix<double> x(n, p);
    for (std::size_t i = 0; i < n; ++i)
        for (int part = 0; part < 2; ++part) {
            const auto atom = draws.below(2 * i + static_cast<std::size_t>(part), 10);
            for (std::size_t j = 0; j < p; ++j)
                x(i, j) += draws.normal(100000 + atom * p + j) * (1 + draws.uniform(50000 + i));
        }
    return x;
}

double slope(const backend::dense_matrix<double>& x, const auto& codes, const std::vector<double>& d, std::size_t i,
             std::size_t a) {
    double sum = 0;
    for (std::size_t j = 0; j < x.columns; ++j) {
        double rest = x(i, j);
        for (std::size_t b = 0; b < codes.width; ++b) rest -= codes(i, b) * d[b * x.columns + j];
        sum += rest * d[a * x.columns + j];
    }
    return sum;
}

std::vector<std::vector<double>> digits(std::size_t begin, std::size_t end) {
    std::string text = real_data::text_of(real_data::unpacked("digits/digits.csv.gz").name());
    std::replace(text.begin(), text.end(), ',', ' ');
    const auto all = real_data::table(text);
    std::vector<std::vector<double>> rows;
    for (std::size_t i = begin; i < end; ++i) {
        rows.emplace_back(all[i].begin(), all[i].begin() + 64);
        for (double& v : rows.back()) v /= 16;
    }
    return rows;
}
data::arrays<backend::dense_matrix<double>> source_of(const std::vector<std::vector<double>>& rows) {
    std::vector<double> values;
    for (const auto& row : rows) values.insert(values.end(), row.begin(), row.end());
    return data::arrays(values, rows.size(), rows[0].size(), std::vector<double>(rows.size()));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sparse_coding)

BOOST_AUTO_TEST_CASE(codes_satisfy_the_conditions_of_a_minimum) {
    const auto x = mixtures(50, 12);
    const auto fit = learn::sparse_coding{.atoms = 15, .lambda = 0.7, .stop = {.iterations = 5}}.fit(data::arrays(x));
    const auto codes = fit.transform(data::arrays(x));
    std::size_t zeros = 0;
    for (std::size_t i = 0; i < x.rows; ++i)
        for (std::size_t a = 0; a < 15; ++a) {
            const double s = slope(x, codes, fit.dictionary, i, a);
            if (codes(i, a) == 0) {
                ++zeros;
                BOOST_TEST(std::abs(s) <= 0.7 + 1e-4);
            } else {
                BOOST_TEST(std::abs(s - (codes(i, a) > 0 ? 0.7 : -0.7)) < 1e-4);
            }
        }
    BOOST_TEST(zeros > 300u);
}

BOOST_AUTO_TEST_CASE(the_objective_never_rises_and_atoms_are_no_longer_than_1) {
    const auto x = mixtures(150, 12);
    const auto fit = learn::sparse_coding{.atoms = 10, .lambda = 0.4, .stop = {.iterations = 40}}.fit(data::arrays(x));
    for (std::size_t i = 1; i < fit.history.size(); ++i)
        BOOST_TEST(fit.history[i].objective <= fit.history[i - 1].objective * (1 + 1e-6));
    BOOST_TEST(fit.history.back().objective < 0.8 * fit.history.front().objective);
    for (std::size_t a = 0; a < 10; ++a) {
        double square = 0;
        for (std::size_t j = 0; j < 12; ++j) square += fit.dictionary[a * 12 + j] * fit.dictionary[a * 12 + j];
        BOOST_TEST(square <= 1 + 1e-12);
    }
    BOOST_TEST(fit.score(data::arrays(x)).loss * 150 == fit.objective, boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(batches_come_near_the_objective_of_all_rows) {
    const auto x = mixtures(300, 12);
    const auto all = learn::sparse_coding{.atoms = 10, .lambda = 0.4}.fit(data::arrays(x));
    const auto some =
        learn::sparse_coding{.atoms = 10, .lambda = 0.4, .batch = 30, .stop = {.iterations = 40, .tolerance = 0}}.fit(
            data::arrays(x));
    BOOST_TEST(some.objective <= 1.1 * all.objective, some.objective << " and " << all.objective);  // minima are many
    BOOST_TEST(some.objective < some.history.front().objective);
    for (std::size_t a = 0; a < 10; ++a) {
        double square = 0;
        for (std::size_t j = 0; j < 12; ++j) square += some.dictionary[a * 12 + j] * some.dictionary[a * 12 + j];
        BOOST_TEST(square <= 1 + 1e-12);
    }
    BOOST_TEST(some.score(data::arrays(x)).loss * 300 == some.objective, boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(one_batch_of_all_rows_that_forgets_is_a_step_of_all_rows) {
    // forget is large: of two batches in all nothing but the last counts, so atoms are the best for its codes
    const auto x = mixtures(60, 8);
    const learn::sparse_coding once{
        .atoms = 1, .lambda = 0.01, .batch = 60, .forget = 1e6, .stop = {.iterations = 3, .tolerance = 0}};
    const auto before = [&] {
        auto shorter = once;
        shorter.stop.iterations = 2;
        return shorter.fit(data::arrays(x));
    }();
    const auto codes = before.transform(data::arrays(x));
    std::vector<double> atom(8);
    double length = 0;
    for (std::size_t j = 0; j < 8; ++j) {
        double products = 0, squares = 0;
        for (std::size_t i = 0; i < 60; ++i) {
            products += x(i, j) * codes(i, 0);
            squares += codes(i, 0) * codes(i, 0);
        }
        atom[j] = products / squares;
        length += atom[j] * atom[j];
    }
    length = std::max(1.0, std::sqrt(length));
    const auto after = once.fit(data::arrays(x));
    for (std::size_t j = 0; j < 8; ++j)
        BOOST_TEST(std::abs(after.dictionary[j] - atom[j] / length) < 1e-4);  // codes have a gap
}

BOOST_AUTO_TEST_CASE(a_penalty_that_is_too_large_leaves_nothing) {
    const auto x = mixtures(20, 6);
    const auto fit = learn::sparse_coding{.atoms = 3, .lambda = 1e6}.fit(data::arrays(x));
    const auto codes = fit.transform(data::arrays(x));
    for (const double c : codes.values) BOOST_TEST(c == 0);
    double half = 0;
    for (const double v : x.values) half += v * v / 2;
    BOOST_TEST(fit.objective == half, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_refused) {
    const data::arrays source(mixtures(20, 6));
    BOOST_CHECK_THROW(learn::sparse_coding{.atoms = 0}.fit(source), core::option_error);
    BOOST_CHECK_THROW(learn::sparse_coding{.lambda = -1}.fit(source), core::option_error);
    BOOST_CHECK_THROW(learn::sparse_coding{.atoms = 21}.fit(source), core::data_error);
    BOOST_CHECK_THROW((learn::sparse_coding{.batch = 5, .forget = -1}.fit(source)), core::option_error);
}

BOOST_AUTO_TEST_CASE(codes_of_digits_are_exact, *boost::unit_test::precondition(real_data::is_there)) {
    const real_data::answer answer("sparse_coding_digits");
    learn::fitted_sparse_coding<> fit;
    fit.atoms = 128;
    std::vector<std::string> names;
    for (std::size_t j = 0; j < 64; ++j) names.push_back("x" + std::to_string(j));
    fit.features = names;
    for (const auto& row : digits(0, 128)) {
        double square = 0;
        for (const double v : row) square += v * v;
        for (const double v : row) fit.dictionary.push_back(v / std::sqrt(square));
    }
    const auto rows = source_of(digits(1000, 1100));
    for (const auto& known : answer["fixed_dictionary_exact"]) {
        fit.lambda = known["lambda_"];
        fit.validate();
        real_data::check_close("objective", fit.score(rows).loss * 100, known["total_objective"], 1e-8);
    }
}

BOOST_AUTO_TEST_CASE(dictionaries_of_digits_come_near_the_best_known,
                     *boost::unit_test::precondition(real_data::is_there)) {
    const real_data::answer answer("sparse_coding_digits");
    const auto rows = source_of(digits(0, 500));
    const auto& known = answer["learning_best_known"][0];
    const auto fit = learn::sparse_coding{.atoms = known["atoms"], .lambda = known["lambda_"]}.fit(rows);
    BOOST_TEST(fit.objective <= 1.01 * known["objective"].get<double>(), fit.objective << " after " << fit.iterations);
    const auto online = learn::sparse_coding{.atoms = known["atoms"],
                                             .lambda = known["lambda_"],
                                             .batch = 50,
                                             .stop = {.iterations = 60, .tolerance = 0}}
                            .fit(rows);
    BOOST_TEST_MESSAGE("by batches: " << online.objective / fit.objective << " of the objective of all rows");
    BOOST_TEST(online.objective <= 1.02 * fit.objective, online.objective);
}

BOOST_AUTO_TEST_SUITE_END()
