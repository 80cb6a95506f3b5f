// SPDX-License-Identifier: BSL-1.0
#include <gamut/learn/nearest.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../real_data/files.hpp"

#include <gamut/communicator/threads.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/every.hpp>

using namespace gamut;

namespace {

backend::dense_matrix<double> points(std::size_t n, std::size_t p, std::uint64_t seed) {
    backend::dense_matrix<double> x(n, p);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < p; ++j)
            x(i, j) = 1000 + core::random{.seed = seed}.normal(i * p + j);  // far from 0: products cancel
    return x;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nearest)

BOOST_AUTO_TEST_CASE(neighbours_are_those_of_comparing_all_distances) {
    const auto train = points(700, 9, 1), test = points(150, 9, 2);
    const auto fit = learn::nearest{.neighbours = 7}.fit(data::arrays(train));
    const auto found = fit.predict(data::arrays(test));
    for (std::size_t i = 0; i < test.rows; ++i) {
        std::vector<std::pair<double, std::size_t>> all;
        for (std::size_t t = 0; t < train.rows; ++t) {
            double d = 0;
            for (std::size_t j = 0; j < 9; ++j) d += std::pow(test(i, j) - train(t, j), 2);
            all.emplace_back(d, t);
        }
        std::sort(all.begin(), all.end());
        for (std::size_t k = 0; k < 7; ++k) {
            BOOST_TEST(found.indices[i * 7 + k] == all[k].second);
            BOOST_TEST(found.distances[i * 7 + k] == std::sqrt(all[k].first), boost::test_tools::tolerance(1e-12));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_fit_without_its_copy_in_single_precision_makes_one_for_all_who_ask) {
    const auto train = points(300, 6, 5), test = points(40, 6, 6);
    const auto fit = learn::nearest{.neighbours = 4}.fit(data::arrays(train));
    learn::fitted_nearest<> bare;  // as from a file
    bare.neighbours = fit.neighbours;
    bare.features = fit.features;
    bare.values = fit.values;
    auto copy = bare;
    std::vector<std::vector<std::size_t>> found(4);
    {
        std::vector<std::jthread> askers;
        for (auto& one : found) askers.emplace_back([&] { one = bare.predict(data::arrays(test)).indices; });
    }
    const auto expected = fit.predict(data::arrays(test)).indices;
    for (const auto& one : found) BOOST_TEST(one == expected, boost::test_tools::per_element());
    BOOST_TEST(copy.predict(data::arrays(test)).indices == expected, boost::test_tools::per_element());
    copy = learn::nearest{.neighbours = 4}.fit(data::arrays(test));
    BOOST_TEST(copy.predict(data::arrays(test)).indices[0] == 0u);  // itself
}

BOOST_AUTO_TEST_CASE(single_precision_leaves_nobody_out) {
    // far from 0 beside their distances, as small and as large as numbers are, of all sizes at once, nearly equally far, all the same
    struct {
        double offset, scale;
        int kind;
    } const places[] = {{1e9, 1, 0}, {0, 1e-160, 0}, {0, 1e140, 0}, {-3e5, 1e-3, 0}, {0, 1, 1}, {0, 1, 2}, {5, 0, 0}};
    for (const auto& place : places) {
        auto train = points(600, 20, 3), test = points(40, 20, 4);
        for (auto* const x : {&train, &test})
            for (std::size_t i = 0; i < x->rows; ++i)
                for (std::size_t j = 0; j < 20; ++j) {
                    double& value = (*x)(i, j);
                    value -= 1000;
                    if (place.kind == 1) value *= std::pow(10.0, static_cast<double>(i % 9) * 4 - 16);
                    if (place.kind == 2) value = (j == 0 ? 1 : 0) + 1e-8 * value;
                    value = place.offset + place.scale * value;
                }
        test(0, 0) = 1e60 * std::max(1e-100, std::abs(test(0, 0)));  // far away
        const auto found = learn::nearest{.neighbours = 6}.fit(data::arrays(train)).predict(data::arrays(test));
        for (std::size_t i = 0; i < test.rows; ++i) {
            std::vector<std::pair<double, std::size_t>> all;
            for (std::size_t t = 0; t < train.rows; ++t)
                all.emplace_back(learn::detail::distance2(&test(i, 0), &train(t, 0), 20), t);
            std::sort(all.begin(), all.end());
            for (std::size_t k = 0; k < 6; ++k) {
                BOOST_TEST(found.indices[i * 6 + k] == all[k].second);
                BOOST_TEST(found.distances[i * 6 + k] == std::sqrt(all[k].first));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(training_rows_that_change_after_the_fit_are_those_that_answer) {
    const auto train = points(300, 6, 5), test = points(40, 6, 6), others = points(300, 6, 7);
    const auto fit = learn::nearest{.neighbours = 3}.fit(data::arrays(train));
    auto changed = fit;
    changed.values.assign(others.values.begin(), others.values.end());
    const auto fresh = learn::nearest{.neighbours = 3}.fit(data::arrays(others)).predict(data::arrays(test));
    BOOST_TEST(changed.predict(data::arrays(test)).indices == fresh.indices, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(equally_near_rows_come_in_their_order) {
    backend::dense_matrix<double> x(30, 1);
    for (std::size_t i = 0; i < 30; ++i) x(i, 0) = static_cast<double>(i % 3);
    const auto found = learn::nearest{.neighbours = 12}.fit(data::arrays(x)).predict(data::arrays(x));
    for (std::size_t k = 0; k < 10; ++k) BOOST_TEST(found.indices[k] == 3 * k);  // of row 0
    BOOST_TEST(found.distances[9] == 0);
    BOOST_TEST(found.indices[10] == 1u);
    BOOST_TEST(found.indices[11] == 4u);
}

BOOST_AUTO_TEST_CASE(labels_are_voted_on_or_averaged_by_weight) {
    const std::vector<double> x{0, 1, 2, 10, 11, 12}, weights{1, 1, 5, 1, 1, 1};
    const std::vector<std::string> classes{"low", "low", "odd", "high", "high", "high"};
    const std::vector<double> numbers{1, 2, 9, 100, 200, 300}, query{0.4, 11.1};
    const data::arrays asked(query, 2, 1, std::vector<double>(2));
    const learn::nearest vote{.neighbours = 3, .target = learn::target::classes};
    const auto one = vote.fit(data::arrays(x, 6, 1, classes)).predict(asked);
    BOOST_TEST(one.classes.at(static_cast<std::size_t>(one.values[0])) == "low");
    BOOST_TEST(one.classes.at(static_cast<std::size_t>(one.values[1])) == "high");
    const auto heavy = vote.fit(data::arrays(x, 6, 1, classes, weights)).predict(asked);
    BOOST_TEST(heavy.classes.at(static_cast<std::size_t>(heavy.values[0])) == "odd");
    const auto mean = learn::nearest{.neighbours = 3, .target = learn::target::numbers}
                          .fit(data::arrays(x, 6, 1, numbers, weights))
                          .predict(asked);
    BOOST_TEST(mean.values[0] == 48.0 / 7, boost::test_tools::tolerance(1e-14));
    BOOST_TEST(mean.values[1] == 200);
}

BOOST_AUTO_TEST_CASE(digits_are_read_from_their_neighbours, *boost::unit_test::precondition(real_data::is_there)) {
    const auto digits = real_data::digits();
    const auto fit =
        learn::nearest{.neighbours = 3, .target = learn::target::classes}.fit(data::all_but_every(digits, 5));
    BOOST_TEST(fit.score(data::every(digits, 5)).accuracy > 0.97);
    BOOST_TEST(fit.score(data::every(digits, 5)).rows == 360u);
}

BOOST_AUTO_TEST_SUITE_END()
