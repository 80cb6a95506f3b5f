// SPDX-License-Identifier: BSL-1.0
#include <gamut/learn/k_means.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "../real_data/files.hpp"

#include <gamut/communicator/threads.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/csv.hpp>

using namespace gamut;

namespace {

/// n points about `groups` centres that are far apart, as many about each.
struct blobs {
    std::size_t n = 300, p = 5, groups = 6;
    double apart = 10;
    double at(std::size_t i, std::size_t j) const {
        return apart * core::random{.seed = 8}.normal((i % groups) * p + j) + core::random{.seed = 9}.normal(i * p + j);
    }
    backend::dense_matrix<double> dense() const {
        backend::dense_matrix<double> x(n, p);
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < p; ++j) x(i, j) = at(i, j);
        return x;
    }
};

backend::sparse_matrix<double> sparse_of(const backend::dense_matrix<double>& x) {
    backend::sparse_matrix<double> s;
    s.columns = x.columns;
    for (std::size_t i = 0; i < x.rows; ++i, ++s.rows) {
        for (std::size_t j = 0; j < x.columns; ++j)
            if (x(i, j) != 0) {
                s.indices.push_back(static_cast<std::int32_t>(j));
                s.values.push_back(x(i, j));
            }
        s.offsets.push_back(static_cast<std::int64_t>(s.indices.size()));
    }
    return s;
}

double to_centre(const backend::dense_matrix<double>& x, std::size_t i, const std::vector<double>& centres,
                 std::size_t k) {
    double sum = 0;
    for (std::size_t j = 0; j < x.columns; ++j) sum += std::pow(x(i, j) - centres[k * x.columns + j], 2);
    return sum;
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

BOOST_AUTO_TEST_SUITE(k_means)

BOOST_AUTO_TEST_CASE(what_converged_is_a_local_minimum) {
    // no structure at all: many steps, and bounds that must be right
    const auto x = blobs{.n = 500, .p = 7, .apart = 0}.dense();
    const auto fit = learn::k_means{.clusters = 12, .swaps = 5}.fit(data::arrays(x));
    BOOST_TEST((fit.status == core::status::converged));
    const auto found = fit.predict(data::arrays(x));
    std::vector<double> sums(12 * 7), sizes(12);
    double objective = 0;
    for (std::size_t i = 0; i < x.rows; ++i) {
        const std::size_t own = found.clusters[i];
        for (std::size_t k = 0; k < 12; ++k)
            BOOST_TEST(to_centre(x, i, fit.centres, own) <= to_centre(x, i, fit.centres, k) * (1 + 1e-12));
        BOOST_TEST(found.distances[i] == std::sqrt(to_centre(x, i, fit.centres, own)),
                   boost::test_tools::tolerance(1e-12));
        objective += to_centre(x, i, fit.centres, own);
        sizes[own] += 1;
        for (std::size_t j = 0; j < 7; ++j) sums[own * 7 + j] += x(i, j);
    }
    BOOST_TEST(fit.objective == objective, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(fit.sizes == sizes, boost::test_tools::per_element());
    for (std::size_t k = 0; k < 12; ++k)
        for (std::size_t j = 0; j < 7; ++j)
            BOOST_TEST(std::abs(sums[k * 7 + j] / sizes[k] - fit.centres[k * 7 + j]) < 1e-12);
    BOOST_TEST(fit.score(data::arrays(x)).loss == objective / 500, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(single_precision_decides_nothing_that_it_cannot_whatever_the_size) {
    for (const auto& [scale, offset] :
         {std::pair{1.0, 0.0}, {1.0, 1e9}, {1e-12, 0.0}, {1e-150, 0.0}, {1e140, 0.0}, {1e20, 0.0}, {1e-3, -1e6}}) {
        auto x = blobs{.n = 400, .p = 6, .apart = 0}.dense();
        for (std::size_t i = 0; i < x.rows; ++i)
            for (std::size_t j = 0; j < x.columns; ++j)
                // half of the rows nearly in the middle of others: near ties
                x(i, j) = offset + scale * (i % 2 == 0 ? x(i, j) : (x(i - 1, j) + (j == 0 ? 1e-6 : 0)));
        const auto fit = learn::k_means{.clusters = 20, .stop = {.iterations = 8}}.fit(data::arrays(x));
        const auto found = fit.predict(data::arrays(x));
        double size =
            0;  // largest square about the offset: of it 1e-13 may be rounding, and centres are rounded as numbers about 0 are
        for (const double v : x.values) size = std::max(size, 6 * (v - offset) * (v - offset));
        for (std::size_t i = 0; i < x.rows; ++i) {
            double least = std::numeric_limits<double>::infinity();
            for (std::size_t k = 0; k < 20; ++k) least = std::min(least, to_centre(x, i, fit.centres, k));
            BOOST_TEST(std::sqrt(to_centre(x, i, fit.centres, found.clusters[i])) <=
                           std::sqrt(least + 1e-12 * size) * (1 + 1e-7) + 3e-15 * std::abs(offset),
                       "scale " << scale << ", offset " << offset << ", row " << i);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_objective_never_rises) {
    const auto fit = learn::k_means{.clusters = 9, .start = learn::centres::random}.fit(
        data::arrays(blobs{.n = 400, .apart = 1}.dense()));
    BOOST_TEST(fit.history.size() > 3u);
    for (std::size_t i = 1; i < fit.history.size(); ++i)
        BOOST_TEST(fit.history[i].objective <= fit.history[i - 1].objective * (1 + 1e-14));
}

BOOST_AUTO_TEST_CASE(swaps_lower_what_a_start_costs) {
    const data::arrays source(blobs{.n = 400, .groups = 40}.dense());
    const auto start = [&](std::size_t swaps) {
        return learn::k_means{.clusters = 40, .trials = 1, .swaps = swaps, .stop = {.iterations = 1}}
            .fit(source)
            .objective;
    };
    BOOST_TEST(start(1) <= start(0));
    BOOST_TEST(start(60) < 0.9 * start(0));
}

BOOST_AUTO_TEST_CASE(clusters_that_are_far_apart_are_found) {
    const blobs data{.n = 600};
    const auto fit = learn::k_means{.clusters = 6}.fit(data::arrays(data.dense()));
    const auto found = fit.predict(data::arrays(data.dense()));
    for (std::size_t i = 6; i < data.n; ++i) BOOST_TEST(found.clusters[i] == found.clusters[i % 6]);
    const auto small =
        learn::k_means{.clusters = 6, .batch = 60, .stop = {.iterations = 40}}.fit(data::arrays(data.dense()));
    BOOST_TEST(small.objective <= 1.02 * fit.objective);
}

BOOST_AUTO_TEST_CASE(sparse_rows_and_single_precision_give_the_same_clusters) {
    auto x = blobs{.n = 200, .p = 9, .groups = 4}.dense();
    for (std::size_t i = 0; i < x.rows; ++i)
        for (std::size_t j = 0; j < x.columns; ++j)
            if (std::abs(x(i, j)) < 6) x(i, j) = 0;
    backend::dense_matrix<float> single(x.rows, x.columns);
    for (std::size_t i = 0; i < x.rows; ++i)
        for (std::size_t j = 0; j < x.columns; ++j) single(i, j) = static_cast<float>(x(i, j));
    const learn::k_means groups{.clusters = 4, .restarts = 3};
    const auto dense = groups.fit(data::arrays(x));
    const auto sparse = groups.fit(data::arrays(sparse_of(x)));
    const auto low = groups.fit(data::arrays(single));
    BOOST_TEST(sparse.objective == dense.objective, boost::test_tools::tolerance(1e-10));
    BOOST_TEST(low.objective == dense.objective, boost::test_tools::tolerance(1e-5));
    BOOST_TEST(sparse.score(data::arrays(sparse_of(x))).loss == dense.score(data::arrays(x)).loss,
               boost::test_tools::tolerance(1e-10));
}

BOOST_AUTO_TEST_CASE(rows_count_as_often_as_their_weights_say) {
    const auto x = blobs{.n = 60, .apart = 2}.dense();
    backend::dense_matrix<double> repeated(0, 5);
    std::vector<double> weights, labels(60);
    std::vector<double> values;
    for (std::size_t i = 0; i < 60; ++i) {
        weights.push_back(static_cast<double>(i % 4));
        for (std::size_t r = 0; r < i % 4; ++r)
            for (std::size_t j = 0; j < 5; ++j) values.push_back(x(i, j));
    }
    const learn::k_means groups{.clusters = 3, .restarts = 20};
    const auto weighted = groups.fit(data::arrays(x, labels, weights));
    const auto often = groups.fit(data::arrays(values, values.size() / 5, 5, std::vector<double>(values.size() / 5)));
    BOOST_TEST(weighted.objective == often.objective, boost::test_tools::tolerance(1e-10));
    BOOST_TEST(std::accumulate(weighted.sizes.begin(), weighted.sizes.end(), 0.0) ==
               static_cast<double>(values.size() / 5));
}

BOOST_AUTO_TEST_CASE(as_many_clusters_as_different_rows_leave_nothing) {
    backend::dense_matrix<double> x(40, 2);  // four different rows
    for (std::size_t i = 0; i < 40; ++i) {
        x(i, 0) = static_cast<double>(i % 2);
        x(i, 1) = static_cast<double>(i % 4 / 2) * 100;
    }
    for (const std::size_t k : {4, 7}) {
        const auto fit = learn::k_means{.clusters = k}.fit(data::arrays(x));
        BOOST_TEST(fit.objective < 1e-20);
        BOOST_TEST(fit.centres.size() == 2 * k);
        BOOST_TEST((fit.status == core::status::converged));
    }
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_refused) {
    const data::arrays source(blobs{}.dense());
    BOOST_TEST(message_of(learn::k_means{.clusters = 0}, source).find("clusters is 0") != std::string::npos);
    BOOST_TEST(message_of(learn::k_means{.restarts = 0}, source).find("restarts is 0") != std::string::npos);
    BOOST_TEST(message_of(learn::k_means{.stop = {.tolerance = -1}}, source).find("tolerance") != std::string::npos);
    BOOST_TEST(message_of(learn::k_means{.clusters = 301}, source).find("300 rows (301 clusters") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(iris_reaches_the_best_known, *boost::unit_test::precondition(real_data::is_there)) {
    const real_data::answer known("kmeans_iris");
    std::string text = real_data::text_of(real_data::path("iris/iris.csv"));
    std::replace(text.begin(), text.end(), ',', ' ');
    const auto rows = real_data::table(text.substr(text.find('\n')));
    std::vector<double> x;
    for (const auto& row : rows) x.insert(x.end(), row.begin(), row.begin() + 4);
    const data::arrays source(x, 150, 4, std::vector<double>(150));
    for (const auto& one : known["best_known"]) {
        const auto k = one["k"].get<std::size_t>();
        const auto fit = learn::k_means{.clusters = k, .restarts = 50, .swaps = 25}.fit(source);
        BOOST_TEST(fit.objective <= 1.005 * one["best_inertia"].get<double>(), "k = " << k << ": " << fit.objective);
    }
}

BOOST_AUTO_TEST_CASE(digits_come_within_half_a_percent_and_batches_within_two,
                     *boost::unit_test::precondition(real_data::is_there)) {
    const real_data::answer known("kmeans_digits");
    const real_data::unpacked file("digits/digits.csv.gz");
    const data::csv<> source{.path = file.name(), .ignore = {"#-1"}};
    for (const auto& one : known["best_known"]) {
        const auto k = one["k"].get<std::size_t>();
        const auto fit = learn::k_means{.clusters = k, .restarts = 20, .swaps = 25}.fit(source);
        BOOST_TEST(fit.objective <= 1.005 * one["best_inertia"].get<double>(), "k = " << k << ": " << fit.objective);
        const auto quick =
            learn::k_means{.clusters = k, .restarts = 5, .batch = 300, .stop = {.iterations = 200}}.fit(source);
        BOOST_TEST(quick.objective <= 1.02 * fit.objective);
    }
}

BOOST_AUTO_TEST_CASE(ranks_of_threads_need_no_default) {
    backend::dense_matrix<double> x(60, 1);
    for (std::size_t i = 0; i < 60; ++i) x(i, 0) = static_cast<double>(i % 3) * 10 + static_cast<double>(i) * 0.01;
    const data::arrays rows(std::move(x));
    const double alone = learn::k_means{.clusters = 3}.fit(rows).objective;
    communicator::threads<>::run(2, [&](const communicator::threads<>& ranks) {
        const auto fit = learn::k_means<communicator::threads<>>{.clusters = 3, .communicator = ranks}.fit(rows);
        if (fit.objective != alone) throw core::error("other bits");
    });
}

BOOST_AUTO_TEST_SUITE_END()
