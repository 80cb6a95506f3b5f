// SPDX-License-Identifier: BSL-1.0
// Paths of fitted models: criteria, cross-validation, tables and pictures.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "../data/helpers.hpp"
#include "../fits/any_communicator.hpp"

#include <gamut/communicator/threads.hpp>
#include <gamut/core/random.hpp>
#include <gamut/cross_validate.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/csv.hpp>
#include <gamut/data/folds.hpp>
#include <gamut/data/libsvm.hpp>
#include <gamut/data/rows_where.hpp>
#include <gamut/draw.hpp>
#include <gamut/estimator.hpp>
#include <gamut/fitted_path.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/solver/path.hpp>

using namespace gamut;

namespace {

using dense = backend::dense_matrix<double>;
const data::csv<> diabetes{.path = "examples/data/diabetes.csv"};
const data::csv<> breast_cancer{.path = "examples/data/breast_cancer.csv"};

template <class Model>
using sparse = estimator<Model, penalty::l0, solver::path, backend::host<>, fits::any_communicator>;

sparse<model::linear> linear_path(solver::path options = {.largest = 10}) { return {.solver = std::move(options)}; }

/// 90 weighted rows of 6 correlated columns, as dense or sparse rows.
auto weighted_rows(bool classes) {
    const core::random draw{.seed = 12};
    dense x(90, 6);
    std::vector<double> y(90), weights(90);
    for (std::size_t i = 0; i < 90; ++i) {
        const double shared = draw.normal(5000 + i);
        double z = draw.normal(6000 + i);
        for (std::size_t j = 0; j < 6; ++j) {
            x(i, j) = draw.uniform(7000 + 6 * i + j) < 0.4 ? 0 : shared + draw.normal(6 * i + j);
            z += (j == 1 ? 1.0 : j == 4 ? -0.7 : 0.0) * x(i, j);
        }
        y[i] = classes ? (z > 0 ? 1 : 0) : 100 + z;
        weights[i] = 0.5 + draw.uniform(9000 + i);
    }
    return data::arrays(x, y, weights);
}

/// Mean losses per fold and entry by fitting the other rows, as a source of their own, and scoring the fold's.
template <class Estimator, class Source>
std::vector<std::vector<double>> by_brute_force(const Estimator& e, const Source& source, data::fold_options options) {
    const auto fold = data::folds(e.communicator, e.load(source), options);
    std::vector<std::vector<double>> losses(options.count);
    for (std::size_t g = 0; g < options.count; ++g) {
        const auto path = e.fit(data::rows_where(source, [&](std::size_t row) { return fold[row] != g; }));
        const auto held_out = data::rows_where(source, [&](std::size_t row) { return fold[row] == g; });
        for (std::size_t i = 0; i < path.size(); ++i) losses[g].push_back(path.fit(i).score(held_out).loss);
    }
    return losses;
}

template <class Estimator, class Source>
void check_by_brute_force(const Estimator& e, const Source& source, data::fold_options options, double tolerance) {
    const auto found = cross_validate(e, source, options);
    const auto expected = by_brute_force(e, source, options);
    double total = 0;
    for (const double weight : found.fold_weights) total += weight;
    for (std::size_t i = 0; i < found.path.size(); ++i) {
        double mean = 0, square = 0;
        for (std::size_t g = 0; g < options.count; ++g) {
            BOOST_REQUIRE(expected[g].size() == found.path.size());
            BOOST_TEST(std::abs(found.losses[g][i] - expected[g][i]) <= tolerance * expected[g][i]);
            mean += found.fold_weights[g] / total * expected[g][i];
        }
        for (std::size_t g = 0; g < options.count; ++g)
            square += found.fold_weights[g] / total * (expected[g][i] - mean) * (expected[g][i] - mean);
        BOOST_TEST(std::abs(found.curve[i].mean - mean) <= tolerance * mean);
        BOOST_TEST(std::abs(found.curve[i].standard_error -
                            std::sqrt(square / static_cast<double>(options.count - 1))) <= 10 * tolerance * mean);
    }
}

std::string text_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
    return n;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(paths)

BOOST_AUTO_TEST_CASE(an_estimator_fits_a_path_of_models_for_the_columns_as_given) {
    const auto path = linear_path().fit(diabetes);
    BOOST_REQUIRE(path.size() == 11u);
    for (std::size_t k = 0; k < path.size(); ++k) {
        const auto fit = path.fit(k);
        BOOST_TEST(path[k].support == fit.support(), boost::test_tools::per_element());
        BOOST_TEST(path[k].chosen == k);
        BOOST_TEST(fit.support().size() == k);
        BOOST_TEST(std::abs(fit.score(diabetes).loss - path[k].loss) <= 1e-10 * path[k].loss);
    }
    BOOST_TEST(std::abs(2 * 442 * path[10].loss - 1263985.786) <= 1e-3);
}

BOOST_AUTO_TEST_CASE(groups_are_counted_as_such) {
    auto grouped = linear_path();
    grouped.penalty = {.free = {0}, .sizes = {1, 2, 3, 4}};
    const auto path = grouped.fit(diabetes);
    BOOST_REQUIRE(path.size() == 4u);
    for (std::size_t k = 0; k < path.size(); ++k) {
        BOOST_TEST(path[k].chosen == k);
        BOOST_TEST(path.information(k).candidates == 3u);
        BOOST_TEST(path.information(k).degrees_of_freedom >= static_cast<double>(2 + 2 * k));
    }
    BOOST_TEST(std::abs(2 * 442 * path[3].loss - 1263985.786) <= 1e-3);
    grouped.penalty.l2 = 0.1;
    grouped.solver.l2 = {0.3, 1e-3};
    check_by_brute_force(grouped, diabetes, {.count = 4}, 1e-9);
}

BOOST_AUTO_TEST_CASE(criteria_of_least_squares_and_of_a_likelihood) {
    const auto path = linear_path().fit(diabetes);
    const double rss = 1416694.013957;  // of bmi and s5
    const auto known = path.information(2);
    BOOST_TEST(std::abs(known.deviance - 442 * std::log(rss / 442)) <= 1e-5);
    BOOST_TEST(known.degrees_of_freedom == 3);
    BOOST_TEST(known.rows == 442);
    BOOST_TEST(known.candidates == 10u);
    BOOST_TEST(known.chosen == 2u);
    BOOST_TEST(path.choice(criterion::bic{}) ==
               5u);  // 3562.5 beside 3562.9 with six: computed from the table of optima
    BOOST_TEST(path.choice(criterion::aic{}) == 6u);
    BOOST_TEST(path.best(criterion::bic{}).support().size() == 5u);
    BOOST_TEST(path.choice([](const criterion::information& fit) { return -static_cast<double>(fit.chosen); }) == 10u);

    const sparse<model::logistic> classes{.penalty = {.l2 = 1e-3}, .solver = {.largest = 2}};
    const auto two = classes.fit(breast_cancer);
    BOOST_TEST(std::abs(two.information(2).deviance - 2 * 569 * two.fit(2).score(breast_cancer).loss) <= 1e-8);
}

BOOST_AUTO_TEST_CASE(cross_validation_in_memory_is_that_of_fits_to_parts_of_the_rows) {
    check_by_brute_force(linear_path(), diabetes, {.count = 7}, 1e-10);
    const auto rows = weighted_rows(false);
    for (const auto intercept : {data::intercept::free, data::intercept::none})
        for (const auto columns : {data::columns::standardized, data::columns::as_given}) {
            auto e = linear_path({.largest = 6, .l2 = {0.1, 1e-3}});
            e.prepare = {intercept, columns};
            check_by_brute_force(e, rows, {.count = 4, .seed = 3}, 1e-10);
        }
}

BOOST_AUTO_TEST_CASE(cross_validation_over_rows_is_that_of_fits_to_parts_of_the_rows) {
    const sparse<model::logistic> classes{.penalty = {.l2 = 1e-2}, .solver = {.largest = 3}};
    check_by_brute_force(classes, weighted_rows(true), {.count = 3}, 1e-6);
    auto numbers = linear_path({.largest = 6, .l2 = {1e-2}});
    numbers.solver.memory = 0;
    check_by_brute_force(numbers, weighted_rows(false), {.count = 3}, 1e-9);
}

BOOST_AUTO_TEST_CASE(sparse_rows_have_the_validated_path_of_dense_ones) {
    const auto rows = weighted_rows(false);
    const auto loaded = rows.load(communicator::single<>{});
    std::string text;
    for (std::size_t i = 0; i < 90; ++i) {
        text += core::all_digits(loaded.y[i]);
        for (std::size_t j = 0; j < 6; ++j)
            if (loaded.x(i, j) != 0) text += core::text(' ', j + 1, ':', core::all_digits(loaded.x(i, j)));
        text += '\n';
    }
    const test::temporary_file file(text);
    for (const std::size_t memory : {1 << 20, 0}) {
        const auto e = linear_path({.largest = 5, .l2 = {1e-2}, .memory = memory});
        const auto few = cross_validate(e, data::libsvm<>{.path = file.path}, {.count = 4});
        const auto all = cross_validate(e, data::arrays(loaded.x, loaded.y), {.count = 4});
        BOOST_REQUIRE(few.path.size() == 6u);
        for (std::size_t i = 0; i < few.path.size(); ++i) {
            BOOST_TEST(std::abs(few.path[i].objective - all.path[i].objective) <= 1e-10 * all.path[i].objective);
            BOOST_TEST(std::abs(few.curve[i].mean - all.curve[i].mean) <= 1e-9 * all.curve[i].mean);
        }
    }
}

BOOST_AUTO_TEST_CASE(one_standard_error_takes_the_least_kappa_that_is_near_enough) {
    const std::vector<cross_validated> curve{{0, 9, 1},   {1, 5.2, 1}, {2, 4.4, 1}, {3, 4.0, 0.5},
                                             {4, 4.1, 9}, {1, 4.6, 1}, {2, 4.3, 1}};
    BOOST_TEST(least_mean(curve) == 3u);
    BOOST_TEST(one_standard_error(curve) == 6u);  // 4.3 <= 4.0 + 0.5, kappa 2; 4.4 is allowed, too, and worse
    const std::vector<cross_validated> equal{{2, 1, 0}, {1, 1, 0}, {1, 1, 0}};
    BOOST_TEST(least_mean(equal) == 1u);
    BOOST_TEST(one_standard_error(equal) == 1u);
    const std::vector<cross_validated> unknown{{0, std::nan(""), 0}, {1, 2, std::nan("")}};
    BOOST_TEST(one_standard_error(unknown) == 1u);
    BOOST_CHECK_THROW(least_mean(std::vector<cross_validated>{}), core::option_error);
}

BOOST_AUTO_TEST_CASE(ranks_change_no_bit_of_a_validated_path) {
    const auto check = [](auto e, const auto& rows) {
        const auto alone = cross_validate(e, rows, {.count = 3});
        for (const int size : {2, 3})
            communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
                auto shared = e;
                shared.communicator = ranks;
                const auto together = cross_validate(shared, rows, {.count = 3});
                if (together.losses != alone.losses || together.fold_weights != alone.fold_weights)
                    throw core::error("other bits");
                for (std::size_t i = 0; i < alone.path.size(); ++i)
                    if (together.path.fit(i).weights != alone.path.fit(i).weights ||
                        together.curve[i].standard_error != alone.curve[i].standard_error)
                        throw core::error("other bits");
            });
    };
    check(linear_path({.largest = 5, .l2 = {0.1, 0}}), weighted_rows(false));
    check(sparse<model::logistic>{.penalty = {.l2 = 1e-2}, .solver = {.largest = 3}}, weighted_rows(true));
}

BOOST_AUTO_TEST_CASE(a_table_reads_back_as_the_numbers_that_were_written) {
    const test::temporary_file folder("");
    const std::string file = folder.path + ".csv";
    const auto found = cross_validate(linear_path({.largest = 4, .l2 = {0, 0.1}}), diabetes, {.count = 5});
    save(found, file);
    const auto table = data::csv<>{.path = file, .label = "loss", .ignore = {"status", "features", "lower_bound"}}.load(
        communicator::single<>{});
    BOOST_TEST(table.rows() == 10u);
    const auto column = [&](const std::string& name) {
        return static_cast<std::size_t>(std::find(table.features.begin(), table.features.end(), name) -
                                        table.features.begin());
    };
    for (std::size_t i = 0; i < 10; ++i) {
        const auto& e = found.path[i];
        const auto fit = found.fit(i);
        BOOST_TEST(table.x(i, column("kappa")) == static_cast<double>(e.kappa));
        BOOST_TEST(table.x(i, column("l2")) == e.l2);
        BOOST_TEST(table.x(i, column("objective")) == e.objective);
        BOOST_TEST(table.y[i] == e.loss);
        BOOST_TEST(table.x(i, column("degrees_of_freedom")) == e.degrees_of_freedom);
        BOOST_TEST(table.x(i, column("ebic")) == criterion::ebic{}(found.path.information(i)));
        BOOST_TEST(table.x(i, column("cv_mean")) == found.curve[i].mean);
        BOOST_TEST(table.x(i, column("cv_standard_error")) == found.curve[i].standard_error);
        BOOST_TEST(table.x(i, column("bmi")) == fit.weights[2]);
        BOOST_TEST(table.x(i, column("intercept")) == fit.intercept[0]);
    }
    BOOST_TEST(text_of(file).find(",bmi + bp + s5,") != std::string::npos);
    save(found.path, file);
    BOOST_TEST(text_of(file).find("cv_mean") == std::string::npos);
    BOOST_CHECK_THROW(save(found, "/nowhere/at/all.csv"), core::error);
}

BOOST_AUTO_TEST_CASE(names_with_commas_and_quotes_stay_in_their_cells) {
    const dense x = [] {
        dense m(12, 2);
        for (std::size_t i = 0; i < 24; ++i) m.values[i] = std::sin(static_cast<double>(i * i));
        return m;
    }();
    std::vector<double> y(12);
    for (std::size_t i = 0; i < 12; ++i) y[i] = x(i, 0) + 0.1 * x(i, 1) + 0.1 * std::cos(static_cast<double>(3 * i));
    auto rows = data::arrays(x, y);
    rows.features = {"a, \"b\"", "<c> & d"};
    const auto path = linear_path({.largest = 2}).fit(rows);
    const test::temporary_file folder("");
    save(path, folder.path + ".csv");
    draw(path, folder.path + ".svg");
    const auto table = data::csv<>{.path = folder.path + ".csv", .ignore = {"status", "features", "lower_bound"}}.load(
        communicator::single<>{});
    BOOST_TEST((std::find(table.features.begin(), table.features.end(), "a, \"b\"") != table.features.end()));
    const std::string picture = text_of(folder.path + ".svg");
    BOOST_TEST(picture.find("a, &quot;b&quot;</text>") != std::string::npos);
    BOOST_TEST(picture.find("&lt;c&gt; &amp; d</text>") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(pictures_show_every_weight_and_both_choices) {
    const test::temporary_file folder("");
    const auto found = cross_validate(linear_path({.largest = 10, .l2 = {0, 0.1}}), diabetes, {.count = 5});
    draw(found.path, folder.path + ".svg", {.l2 = 1, .labels = 4});
    const std::string weights = text_of(folder.path + ".svg");
    BOOST_TEST(count(weights, "<path ") == 10u);
    BOOST_TEST(count(weights, "\"#bbbbbb\"") == 6u);
    BOOST_TEST(weights.find(", l2 = 0.1</text>") != std::string::npos);
    BOOST_TEST(weights.find("nan") == std::string::npos);
    BOOST_CHECK_THROW(draw(found.path, folder.path + ".svg", {.l2 = 2}), core::option_error);
    draw(found, folder.path + ".svg");
    const std::string losses = text_of(folder.path + ".svg");
    BOOST_TEST(count(losses, "<path ") == 2u);
    BOOST_TEST(count(losses, "<circle ") == 22u);
    BOOST_TEST(losses.find("least mean") != std::string::npos);
    BOOST_TEST(losses.find("one standard error") != std::string::npos);
    BOOST_TEST(count(losses, "<text") == count(losses, "</text>"));
}

BOOST_AUTO_TEST_CASE(a_fold_without_weight_is_refused) {
    dense x(8, 1);
    std::vector<double> y(8), weights(8, 0.0);
    for (std::size_t i = 0; i < 8; ++i) x(i, 0) = y[i] = static_cast<double>(i % 5);
    weights[0] = weights[3] = weights[6] = 1;
    const auto rows = data::arrays(x, y, weights);
    BOOST_CHECK_THROW(cross_validate(linear_path({.largest = 1}), rows, {.count = 8}), core::data_error);
    auto over_rows = linear_path({.largest = 1});
    over_rows.solver.memory = 0;
    BOOST_CHECK_THROW(cross_validate(over_rows, rows, {.count = 8}), core::data_error);
    BOOST_CHECK_THROW(cross_validate(linear_path(), diabetes, {.count = 1}), core::option_error);
}

BOOST_AUTO_TEST_CASE(a_class_that_only_one_fold_has_is_refused_on_all_ranks) {
    dense x(20, 1);
    std::vector<std::string> y(20, "common");
    for (std::size_t i = 0; i < 20; ++i) x(i, 0) = static_cast<double>(i * i % 7);
    y[3] = "rare";
    const auto says = [&](const fits::any_communicator& ranks) {
        try {
            const sparse<model::logistic> e{.penalty = {.l2 = 1e-2}, .solver = {.largest = 1}, .communicator = ranks};
            cross_validate(e, data::arrays(x, y), {.count = 4});
        } catch (const core::data_error& problem) {
            return std::string(problem.what());
        }
        return std::string();
    };
    const auto alone = says({});
    BOOST_TEST(alone.find("arrays: all rows of class 'rare' are in one fold (") == 0u, alone);
    communicator::threads<>::run(3, [&](const communicator::threads<>& ranks) {
        if (says(ranks) != alone) throw core::error("another message");
    });
    y[11] = "rare";  // the folds of a class differ by one row at most, so these are in two
    BOOST_TEST(says({}) == "");
}

BOOST_AUTO_TEST_SUITE_END()
