// SPDX-License-Identifier: BSL-1.0
#include <gamut/fitted.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <data/helpers.hpp>
#include <gamut/communicator/threads.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/softmax.hpp>

using namespace gamut;

namespace {

using dense = backend::dense_matrix<double>;

dense rows() {
    dense x(3, 2);
    x.values.assign({1, 2, -1, 0.5, 0, 3});
    return x;
}

template <class Model, class C = communicator::single<>>
fitted<Model, double, C> model_of(std::vector<double> weights, std::vector<double> intercept) {
    fitted<Model, double, C> fit;
    fit.outputs = intercept.size();
    fit.weights = std::move(weights);
    fit.intercept = std::move(intercept);
    fit.features = {"x0", "x1"};
    return fit;
}

double soft(double z) { return 1 / (1 + std::exp(-z)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(fitted_models)

BOOST_AUTO_TEST_CASE(a_linear_model_predicts_and_is_scored_as_by_hand) {
    const auto fit = model_of<model::linear>({2, -1}, {0.5});
    const auto guess = fit.predict(data::arrays(rows()));  // no labels
    BOOST_TEST(guess.rows == 3u);
    BOOST_TEST(guess.values == (std::vector<double>{0.5, -2, -2.5}), boost::test_tools::per_element());

    const auto score = fit.score(data::arrays(rows(), std::vector<double>{1, -2, 0}, std::vector<double>{1, 2, 3}));
    // residuals .5, 0, 2.5; the weighted mean of y is -.5
    const double residual = 1 * .25 + 3 * 6.25, total = 1 * 2.25 + 2 * 2.25 + 3 * .25;
    BOOST_TEST(score.rows == 3u);
    BOOST_TEST(std::abs(score.loss - 0.5 * residual / 6) < 1e-15);
    BOOST_TEST(std::abs(score.r_squared - (1 - residual / total)) < 1e-15);
    BOOST_TEST(std::isnan(score.accuracy));
}

BOOST_AUTO_TEST_CASE(a_logistic_model_predicts_probabilities_of_its_second_class) {
    auto fit = model_of<model::logistic>({2, -1}, {0.5});
    fit.classes = {"no", "yes"};
    const std::vector<std::string> labels{"yes", "no", "yes"};
    const data::arrays source(rows(), labels);
    const auto guess = fit.predict(source);
    for (const auto& [row, z] : {std::pair{0, .5}, std::pair{1, -2.}, std::pair{2, -2.5}})
        BOOST_TEST(std::abs(guess.value(static_cast<std::size_t>(row)) - soft(z)) < 1e-15);
    BOOST_TEST(guess.class_name(0) == "yes");
    BOOST_TEST(guess.class_name(1) == "no");
    BOOST_TEST(guess.class_name(2) == "no");

    const auto score = fit.score(source);
    BOOST_TEST(std::abs(score.loss + (std::log(soft(.5)) + std::log(soft(2)) + std::log(soft(-2.5))) / 3) < 1e-15);
    BOOST_TEST(std::abs(score.accuracy - 2. / 3) < 1e-15);
    BOOST_TEST(std::isnan(score.r_squared));
}

BOOST_AUTO_TEST_CASE(a_softmax_model_predicts_a_probability_for_each_class) {
    auto fit = model_of<model::softmax>({1, 0, -1, 0, 2, 0}, {0, 0, 1});
    fit.classes = {"a", "b", "c"};
    const data::arrays source(rows(), std::vector<std::string>{"b", "c", "a"});
    const auto guess = fit.predict(source);
    const double z[3][3] = {{1, 4, 0}, {-1, 1, 2}, {0, 6, 1}};
    double loss = 0;
    const int label[] = {1, 2, 0};
    for (std::size_t i = 0; i < 3; ++i) {
        double sum = 0;
        for (const double value : z[i]) sum += std::exp(value);
        for (std::size_t k = 0; k < 3; ++k) BOOST_TEST(std::abs(guess.value(i, k) - std::exp(z[i][k]) / sum) < 1e-15);
        loss -= std::log(std::exp(z[i][label[i]]) / sum) / 3;
    }
    BOOST_TEST(guess.class_name(0) == "b");
    BOOST_TEST(guess.class_name(1) == "c");
    BOOST_TEST(guess.class_name(2) == "b");
    const auto score = fit.score(source);
    BOOST_TEST(std::abs(score.loss - loss) < 1e-14);
    BOOST_TEST(std::abs(score.accuracy - 2. / 3) < 1e-15);
}

BOOST_AUTO_TEST_CASE(large_scores_neither_overflow_nor_lose_the_class) {
    auto fit = model_of<model::softmax>({1000, 0, 0, 0, 1000, 0}, {0, 0, 0});
    fit.classes = {"a", "b", "c"};
    const auto guess = fit.predict(data::arrays(rows()));
    BOOST_TEST(guess.value(0, 0) == 0);
    BOOST_TEST(guess.value(0, 1) == 1);
    BOOST_TEST(guess.class_name(0) == "b");
    auto sure = model_of<model::logistic>({1000, 0}, {0});
    sure.classes = {"no", "yes"};
    const auto score = sure.score(data::arrays(rows(), std::vector<std::string>{"no", "no", "yes"}));
    BOOST_TEST(std::abs(score.loss - (1000 + 0 + std::log(2.)) / 3) < 1e-10);
}

BOOST_AUTO_TEST_CASE(each_rank_predicts_its_rows_and_all_get_one_score) {
    const std::size_t n = 100;
    dense x(n, 2);
    std::vector<double> y(n);
    for (std::size_t i = 0; i < n; ++i) {
        x(i, 0) = static_cast<double>(i);
        x(i, 1) = static_cast<double>(i % 7);
        y[i] = 3 * x(i, 0) - x(i, 1) + static_cast<double>(i % 3);
    }
    const data::arrays source(x, y);
    auto alone = model_of<model::linear>({3, -1}, {1});
    const auto expected = alone.score(source);
    const auto values = alone.predict(source).values;
    communicator::threads<>::run(3, [&](const communicator::threads<>& ranks) {
        fitted<model::linear, double, communicator::threads<>> fit{.communicator = ranks};
        fit.weights = alone.weights;
        fit.intercept = alone.intercept;
        fit.features = alone.features;
        const auto score = fit.score(source);
        const auto mine = fit.predict(source);
        bool same = score.loss == expected.loss && score.r_squared == expected.r_squared && score.rows == n;
        for (std::size_t i = 0; i < mine.rows; ++i) same = same && mine.value(i) == values[mine.first_row + i];
        if (!same || mine.rows == 0 || mine.rows == n) throw core::error("rank differs");
    });
}

BOOST_AUTO_TEST_CASE(support_names_the_features_with_a_weight) {
    auto fit = model_of<model::softmax>({0, 0, 0, 0, 2, 0}, {0, 0, 0});
    BOOST_TEST(fit.support() == (std::vector<std::size_t>{1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_file_is_scored_by_the_label_that_the_model_was_fitted_to) {
    auto fit = model_of<model::linear>({2}, {0});  // y = 2 a
    fit.features = {"a"};
    fit.label = "y";
    const auto r_squared = [&](const char* text, data::csv<> options = {}) {
        const test::temporary_file file(text);
        options.path = file.path;
        return fit.score(options).r_squared;
    };
    BOOST_TEST(r_squared("a,y\n1,2\n2,4\n3,6\n") == 1);
    BOOST_TEST(r_squared("a,y,note\n1,2,9\n2,4,1\n3,6,5\n") == 1);
    BOOST_TEST(r_squared("note,y,a\n9,2,1\n1,4,2\n5,6,3\n") == 1);
    BOOST_TEST(r_squared("1,2\n2,4\n3,6\n") == 1);  // without names, the last column
    BOOST_TEST(r_squared("a,y,note\n1,2,9\n2,4,1\n3,6,5\n", {.label = "note"}) < 0);
    try {
        r_squared("a,note\n1,2\n2,4\n");
        BOOST_FAIL("a column of another name was taken");
    } catch (const core::data_error& problem) {
        BOOST_TEST(std::string(problem.what()).find("no column 'y' (the model's label has this name)") !=
                   std::string::npos);
    }
    // predictions need no label, and find their columns wherever they are
    const test::temporary_file file("note,y,a\nx,?,1\n,,2\n");
    BOOST_TEST((fit.predict(data::csv<>{.path = file.path}).values == std::vector<double>{2, 4}));
}

BOOST_AUTO_TEST_CASE(a_constant_y_has_no_r_squared) {
    const auto fit = model_of<model::linear>({0, 0}, {0.1});
    for (const double constant : {0.1, 1e9 + 0.3, 0.0, -7.0}) {
        const auto score = fit.score(data::arrays(rows(), std::vector<double>(3, constant)));
        BOOST_TEST(std::isnan(score.r_squared));
        BOOST_TEST(std::abs(score.loss - (constant - 0.1) * (constant - 0.1) / 2) <= 1e-15 * (1 + constant * constant));
    }
    // rows that don't count do not make it vary
    const std::vector<double> y{1, 5, 1}, weights{1, 0, 2};
    BOOST_TEST(std::isnan(fit.score(data::arrays(rows(), y, weights)).r_squared));
    BOOST_TEST(!std::isnan(fit.score(data::arrays(rows(), y)).r_squared));
}

BOOST_AUTO_TEST_CASE(columns_of_arrays_are_taken_in_order_and_names_are_compared) {
    auto fit = model_of<model::linear>({2, -1}, {0});
    fit.features = {"a", "b"};
    BOOST_TEST((fit.predict(data::arrays(rows())).values == std::vector<double>{0, -2.5, -3}));  // no names: in order
    data::arrays permuted(rows());
    permuted.features = {"b", "a"};
    BOOST_CHECK_THROW(fit.predict(permuted), core::shape_error);
}

BOOST_AUTO_TEST_SUITE_END()
