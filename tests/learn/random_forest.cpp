// SPDX-License-Identifier: BSL-1.0
#include <gamut/learn/random_forest.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "../real_data/files.hpp"

#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/data/every.hpp>

using namespace gamut;

namespace {

constexpr core::random draws{.seed = 31};
using source_type = data::arrays<backend::dense_matrix<double>>;

/// n rows of p uniform columns, of which the first two make the class (a chessboard) or the number.
struct board {
    std::size_t n = 400, p = 6;
    std::size_t classes = 2;

    backend::dense_matrix<double> rows() const {
        backend::dense_matrix<double> x(n, p);
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < p; ++j) x(i, j) = draws.uniform(i * p + j);
        return x;
    }
    double label(const double* x) const {
        if (classes == 0) return 10 * x[0] + 5 * std::sin(6 * x[1]);
        return static_cast<double>((static_cast<int>(2 * x[0]) + static_cast<int>(2 * x[1])) % 2);
    }
    source_type source() const {
        const auto x = rows();
        std::vector<double> y;
        for (std::size_t i = 0; i < n; ++i) y.push_back(label(x.row(i)));
        return source_type(x, y);
    }
};

learn::random_forest<> one_tree(std::size_t features) {
    return {.trees = 1, .features = features, .sample = learn::sample::all};
}

/// The best first split of one column by looking at all of them: the sum of the children's impurities.
double least_impurity(const backend::dense_matrix<double>& x, const std::vector<double>& y, std::size_t column,
                      bool entropy) {
    double best = std::numeric_limits<double>::infinity();
    for (std::size_t t = 0; t < x.rows; ++t) {
        double sum = 0;
        for (const bool left : {true, false}) {
            std::vector<double> counts(3);
            for (std::size_t i = 0; i < x.rows; ++i)
                if ((x(i, column) <= x(t, column)) == left) counts[static_cast<std::size_t>(y[i])] += 1;
            const double n = counts[0] + counts[1] + counts[2];
            if (n == 0) sum = std::numeric_limits<double>::infinity();
            for (const double c : counts)
                if (c > 0) sum += entropy ? -c * std::log(c / n) : c * (1 - c / n);
        }
        best = std::min(best, sum);
    }
    return best;
}

std::string message_of(const auto& learner, const auto& source) {
    try {
        learner.fit(source);
    } catch (const core::error& problem) {
        return problem.what();
    }
    return "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(random_forest)

BOOST_AUTO_TEST_CASE(a_full_tree_knows_its_rows) {
    for (const std::size_t classes : {2, 0}) {
        const board data{.classes = classes};
        auto tree = one_tree(6);
        tree.target = classes == 0 ? learn::target::numbers : learn::target::classes;
        const auto score = tree.fit(data.source()).score(data.source());
        BOOST_TEST((classes == 0 ? score.r_squared : score.accuracy) == 1);
    }
}

BOOST_AUTO_TEST_CASE(a_stump_takes_the_best_split_of_all) {
    constexpr std::size_t n = 60, p = 3;
    backend::dense_matrix<double> x(n, p);
    std::vector<double> y(n);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < p; ++j) x(i, j) = std::floor(8 * draws.uniform(5000 + i * p + j));
        y[i] = std::floor(3 * draws.uniform(9000 + i) * (x(i, 1) < 3 ? 0.7 : 1));
    }
    for (const bool entropy : {false, true}) {
        auto stump = one_tree(p);
        stump.depth = 1;
        stump.impurity = entropy ? learn::impurity::entropy : learn::impurity::gini;
        const auto fit = stump.fit(source_type(x, y));
        double best = std::numeric_limits<double>::infinity();
        for (std::size_t j = 0; j < p; ++j) best = std::min(best, least_impurity(x, y, j, entropy));
        backend::dense_matrix<double> sides(n, 1);
        for (std::size_t i = 0; i < n; ++i)
            sides(i, 0) = x(i, static_cast<std::size_t>(fit.split_features[0])) <= fit.thresholds[0] ? 0 : 1;
        BOOST_TEST(least_impurity(sides, y, 0, entropy) == best, boost::test_tools::tolerance(1e-12));
        // the threshold lies in the middle between two values
        BOOST_TEST(fit.thresholds[0] == std::floor(2 * fit.thresholds[0]) / 2);
    }
}

BOOST_AUTO_TEST_CASE(sorting_and_counting_find_the_same_splits) {
    // the same rows, once with few different values and once, by a monotone change, with gaps between them
    board data{.n = 300};
    auto x = data.rows();
    std::vector<double> y;
    for (std::size_t i = 0; i < x.rows; ++i) y.push_back(data.label(x.row(i)));
    const auto fine = one_tree(6).fit(source_type(x, y));
    auto bins = one_tree(6);
    bins.bins = 300;  // a bin per row: counting cells instead of sorting
    const auto binned = bins.fit(source_type(x, y));
    BOOST_TEST(fine.split_features == binned.split_features, boost::test_tools::per_element());
    BOOST_TEST(fine.thresholds == binned.thresholds, boost::test_tools::per_element());
    bins.bins = 16;
    BOOST_TEST(bins.fit(source_type(x, y)).score(source_type(x, y)).accuracy > 0.9);
}

BOOST_AUTO_TEST_CASE(weights_are_repeated_rows) {
    const auto x = board{.n = 120}.rows();
    std::vector<double> y, weights, values, labels;
    for (std::size_t i = 0; i < x.rows; ++i) {
        y.push_back(draws.uniform(70000 + i) < x(i, 0) ? 1 : 0);
        weights.push_back(static_cast<double>(i % 3));
        for (std::size_t r = 0; r < i % 3; ++r) {
            values.insert(values.end(), x.row(i), x.row(i) + 6);
            labels.push_back(y.back());
        }
    }
    auto tree = one_tree(6);
    tree.depth = 4;
    const auto weighted = tree.fit(source_type(x, y, weights)),
               repeated = tree.fit(source_type(values, labels.size(), 6, labels));
    BOOST_TEST(weighted.split_features == repeated.split_features, boost::test_tools::per_element());
    BOOST_TEST(weighted.thresholds == repeated.thresholds, boost::test_tools::per_element());
    BOOST_TEST(weighted.answer_values == repeated.answer_values, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_columns_that_matter_are_important_and_rows_left_out_tell_the_accuracy) {
    const board train{.n = 1500};
    const auto fit = learn::random_forest{.trees = 60, .features = 3}.fit(train.source());
    BOOST_TEST(std::accumulate(fit.importances.begin(), fit.importances.end(), 0.0) == 1,
               boost::test_tools::tolerance(1e-12));
    for (std::size_t j = 2; j < 6; ++j) BOOST_TEST(fit.importances[0] > 2 * fit.importances[j]);
    board test{.n = 3000};
    const auto score = fit.score(data::every(test.source(), 2));
    BOOST_TEST(score.accuracy > 0.9);
    BOOST_TEST(std::abs(fit.out_of_bag - fit.score(test.source()).accuracy) < 0.06);
    const auto found = fit.predict(train.source());
    for (std::size_t i = 0; i < 20; ++i)
        BOOST_TEST(found(i, 0) + found(i, 1) == 1, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(limits_hold) {
    const board data{};
    const auto shallow = learn::random_forest{.trees = 5, .depth = 3}.fit(data.source());
    for (std::size_t t = 0; t < 5; ++t) BOOST_TEST(shallow.roots[t + 1] - shallow.roots[t] <= 15u);
    auto tree = one_tree(6);
    tree.leaf = 25;
    const auto fit = tree.fit(data.source());
    const auto leaves = static_cast<std::size_t>(std::count(fit.split_features.begin(), fit.split_features.end(), -1));
    BOOST_TEST(leaves <= 400u / 25);
    BOOST_TEST(std::isnan(fit.out_of_bag));
}

BOOST_AUTO_TEST_CASE(options_and_labels_that_do_not_fit_are_refused) {
    const auto source = board{}.source();
    const auto refused = [&](const learn::random_forest<>& forest, const char* part) {
        const std::string why = message_of(forest, source);
        BOOST_TEST(why.find(part) != std::string::npos, why);
    };
    refused({.trees = 0}, "trees is 0");
    refused({.leaf = 0}, "leaf is 0");
    refused({.features = 7}, "features is 7");
    refused({.share = 0}, "share is 0");
    refused({.share = 1.5}, "share is 1.5");
    refused({.target = learn::target::none}, "target is none");
    refused({.impurity = learn::impurity::variance}, "does not suit");
    refused({.target = learn::target::numbers, .impurity = learn::impurity::gini}, "does not suit");
}

BOOST_AUTO_TEST_CASE(letters_are_told_as_well_as_by_other_tools, *boost::unit_test::precondition(real_data::is_there)) {
    const real_data::answer known("rf_letter");
    const real_data::unpacked file("letterrecognition/letterrecognition.csv.gz");
    const data::csv<> source{.path = file.name(), .label = "lettr"};
    const auto train = data::all_but_every(source, 5), test = data::every(source, 5);
    auto tree = one_tree(16);
    tree.depth = 5;
    const auto shallow = tree.fit(train);
    BOOST_TEST(shallow.score(train).accuracy == known["depth5_tree_train_accuracy"].get<double>(),
               boost::test_tools::tolerance(1e-12));
    BOOST_TEST(shallow.score(test).accuracy == known["depth5_tree_test"].get<double>(),
               boost::test_tools::tolerance(1e-12));
    double mean = 0;
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
        const auto fit = learn::random_forest{.seed = seed}.fit(train);
        mean += fit.score(test).accuracy / 3;
        BOOST_TEST(std::abs(fit.out_of_bag - known["mean"].get<double>()) < 0.02);
    }
    BOOST_TEST(mean >= known["mean"].get<double>() - known["sd"].get<double>());
}

BOOST_AUTO_TEST_SUITE_END()
