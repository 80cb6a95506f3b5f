// SPDX-License-Identifier: BSL-1.0
#include <gamut/learn/nonnegative_factorisation.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <vector>

#include "../real_data/files.hpp"

#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>

using namespace gamut;

namespace {

constexpr core::random draws{.seed = 41};

/// Rows that are sums of `rank` parts, with many zeros in both factors.
backend::dense_matrix<double> sums_of_parts(std::size_t n, std::size_t p, std::size_t rank) {
    backend::dense_matrix<double> x(n, p);
    const auto factor = [](std::size_t place) {
        return draws.uniform(place) < 0.5 ? 0 : draws.uniform(900000 + place);
    };
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < p; ++j)
            for (std::size_t k = 0; k < rank; ++k) x(i, j) += factor(i * rank + k) * factor(500000 + j * rank + k);
    return x;
}

/// 400 pictures of 4,096 pixels: bytes of a matrix that a MATLAB file holds in one compressed element.
backend::dense_matrix<double> faces() {
    const real_data::temporary_file bytes;
    // the element's deflate stream, which begins at byte 139, as a gzip file without its end: gzip says so, and gives the bytes
    const std::string command = "(printf '\\037\\213\\010\\000\\000\\000\\000\\000\\000\\000'; tail -c +139 '" +
                                real_data::path("olivetti/olivettifaces.mat") + "') | gzip -dc > '" + bytes.name() +
                                "' 2> /dev/null";
    static_cast<void>(!std::system(command.c_str()));
    const std::string all = real_data::text_of(bytes.name());
    backend::dense_matrix<double> x(400, 4096);
    if (all.size() < x.values.size()) throw std::runtime_error("olivettifaces.mat cannot be unpacked");
    const std::size_t first = all.size() - x.values.size();
    for (std::size_t i = 0; i < 400; ++i)
        for (std::size_t j = 0; j < 4096; ++j) x(i, j) = static_cast<unsigned char>(all[first + i * 4096 + j]) / 255.0;
    return x;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nonnegative_factorisation)

BOOST_AUTO_TEST_CASE(the_objective_never_rises_and_nothing_is_below_0) {
    const data::arrays source(sums_of_parts(90, 20, 6));
    const auto fit = learn::nonnegative_factorisation{.rank = 4, .stop = {.iterations = 60}}.fit(source);
    for (std::size_t i = 1; i < fit.history.size(); ++i)
        BOOST_TEST(fit.history[i].objective <= fit.history[i - 1].objective * (1 + 1e-12));
    for (const double v : fit.parts) BOOST_TEST(v >= 0);
    const auto codes = fit.transform(source);
    for (const double v : codes.values) BOOST_TEST(v >= 0);
}

BOOST_AUTO_TEST_CASE(multiplicative_updates_never_raise_the_objective) {
    const data::arrays source(sums_of_parts(90, 20, 6));
    for (const std::size_t sweeps : {1u, 5u}) {
        const auto fit = learn::nonnegative_factorisation{.rank = 4,
                                                          .method = learn::updates::multiplicative,
                                                          .sweeps = sweeps,
                                                          .stop = {.iterations = 200, .tolerance = 0}}
                             .fit(source);
        BOOST_TEST(fit.history.size() == 200u);
        for (std::size_t i = 1; i < fit.history.size(); ++i)
            BOOST_TEST(fit.history[i].objective <= fit.history[i - 1].objective * (1 + 1e-12));
        BOOST_TEST(fit.history.back().objective < 0.5 * fit.history.front().objective);
        for (const double v : fit.parts) BOOST_TEST(v >= 0);
    }
}

BOOST_AUTO_TEST_CASE(one_multiplicative_update_is_the_formula) {
    const auto x = sums_of_parts(20, 8, 3);
    const auto fit_of = [&](std::size_t iterations) {
        return learn::nonnegative_factorisation{.rank = 1,
                                                .method = learn::updates::multiplicative,
                                                .sweeps = 1,
                                                .stop = {.iterations = iterations, .tolerance = 0}}
            .fit(data::arrays(x));
    };
    // with one part C = X H' / HH' whatever C was, and then H = C'X / C'C
    const auto one = fit_of(1), two = fit_of(2);
    double square = 0, codes = 0;
    for (std::size_t j = 0; j < 8; ++j) square += one.parts[j] * one.parts[j];
    std::vector<double> c(20), h(8);
    for (std::size_t i = 0; i < 20; ++i) {
        for (std::size_t j = 0; j < 8; ++j) c[i] += x(i, j) * one.parts[j] / square;
        codes += c[i] * c[i];
        for (std::size_t j = 0; j < 8; ++j) h[j] += c[i] * x(i, j);
    }
    for (std::size_t j = 0; j < 8; ++j) BOOST_TEST(two.parts[j] == h[j] / codes, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(all_methods_come_near_the_same_objective) {
    const data::arrays source(sums_of_parts(200, 30, 3));
    for (const auto method : {learn::updates::coordinates, learn::updates::multiplicative, learn::updates::projected}) {
        const auto fit =
            learn::nonnegative_factorisation{
                .rank = 3, .method = method, .batch = 20, .stop = {.iterations = 500, .tolerance = 0}}
                .fit(source);
        BOOST_TEST(fit.score(source).r_squared > 0.99, static_cast<int>(method) << ": " << fit.score(source).r_squared);
        for (const double v : fit.parts) BOOST_TEST(v >= 0);
    }
}

BOOST_AUTO_TEST_CASE(rows_that_are_sums_of_parts_are_explained) {
    const auto x = sums_of_parts(200, 30, 3);
    const data::arrays source(x);
    const auto fit =
        learn::nonnegative_factorisation{.rank = 3, .stop = {.iterations = 3000, .tolerance = 1e-9}}.fit(source);
    const auto score = fit.score(source);
    BOOST_TEST(score.r_squared > 1 - 1e-5);
    const auto codes = fit.transform(source);
    double residual = 0;
    for (std::size_t i = 0; i < x.rows; ++i)
        for (std::size_t j = 0; j < x.columns; ++j) {
            double rest = x(i, j);
            for (std::size_t k = 0; k < 3; ++k) rest -= codes(i, k) * fit.parts[k * 30 + j];
            residual += rest * rest / 2 / 200;
        }
    BOOST_TEST(std::abs(score.loss - residual) < 1e-9);
    BOOST_TEST(score.loss * 200 <= fit.objective * (1 + 1e-6) + 1e-9);  // coefficients are the best for the parts
}

BOOST_AUTO_TEST_CASE(coefficients_are_nonnegative_least_squares) {
    const auto x = sums_of_parts(40, 12, 5);
    const data::arrays source(x);
    const auto fit = learn::nonnegative_factorisation{.rank = 4, .stop = {.iterations = 20}}.fit(source);
    const auto codes = fit.transform(source);
    for (std::size_t i = 0; i < x.rows; ++i)
        for (std::size_t k = 0; k < 4; ++k) {  // slope 0 where a coefficient is above 0, at least 0 elsewhere
            double slope = 0;
            for (std::size_t j = 0; j < 12; ++j) {
                double rest = x(i, j);
                for (std::size_t l = 0; l < 4; ++l) rest -= codes(i, l) * fit.parts[l * 12 + j];
                slope -= rest * fit.parts[k * 12 + j];
            }
            BOOST_TEST(slope > -1e-7);
            if (codes(i, k) > 1e-6) BOOST_TEST(std::abs(slope) < 1e-7);
        }
}

BOOST_AUTO_TEST_CASE(sparse_rows_give_what_dense_rows_give) {
    const auto x = sums_of_parts(60, 15, 5);
    backend::sparse_matrix<double> s;
    s.columns = 15;
    for (std::size_t i = 0; i < 60; ++i, ++s.rows) {
        for (std::size_t j = 0; j < 15; ++j)
            if (x(i, j) != 0) {
                s.indices.push_back(static_cast<std::int32_t>(j));
                s.values.push_back(x(i, j));
            }
        s.offsets.push_back(static_cast<std::int64_t>(s.indices.size()));
    }
    for (const auto method : {learn::updates::coordinates, learn::updates::multiplicative, learn::updates::projected}) {
        const learn::nonnegative_factorisation two{
            .rank = 2, .method = method, .batch = 25, .stop = {.iterations = 30}};
        BOOST_TEST(two.fit(data::arrays(s)).objective == two.fit(data::arrays(x)).objective,
                   boost::test_tools::tolerance(1e-8));
    }
}

BOOST_AUTO_TEST_CASE(options_of_steps_are_checked) {
    const data::arrays source(sums_of_parts(30, 6, 2));
    const auto projected = learn::updates::projected;
    BOOST_CHECK_THROW((learn::nonnegative_factorisation{.method = projected, .batch = 0}.fit(source)),
                      core::option_error);
    BOOST_CHECK_THROW((learn::nonnegative_factorisation{.method = projected, .rate = 2.5}.fit(source)),
                      core::option_error);
    BOOST_CHECK_THROW((learn::nonnegative_factorisation{.method = projected, .decay = 0}.fit(source)),
                      core::option_error);
}

BOOST_AUTO_TEST_CASE(numbers_below_0_are_refused) {
    auto x = sums_of_parts(30, 4, 2);
    x(17, 2) = -1;
    std::string why;
    try {
        learn::nonnegative_factorisation{.rank = 2}.fit(data::arrays(x));
    } catch (const core::data_error& problem) {
        why = problem.what();
    }
    BOOST_TEST(why.find("row 17, column 'x2' is -1") != std::string::npos, why);
    BOOST_CHECK_THROW(learn::nonnegative_factorisation{.rank = 0}.fit(data::arrays(x)), core::option_error);
}

BOOST_AUTO_TEST_CASE(faces_come_near_the_best_known, *boost::unit_test::precondition(real_data::is_there)) {
    const data::arrays source(faces());
    const real_data::answer answer("nmf_olivetti");
    for (const auto& known : answer.solutions()) {
        const auto rank = known["rank"].get<std::size_t>();
        const auto fit = learn::nonnegative_factorisation{.rank = rank, .stop = {.iterations = 200}}.fit(source);
        BOOST_TEST(fit.objective <= 1.003 * known["best_known"].get<double>(),
                   "rank " << rank << ": " << fit.objective);
        BOOST_TEST(fit.objective >= known["svd_lower_bound"].get<double>());
        BOOST_TEST(fit.score(source).loss * 400 <= fit.objective * (1 + 1e-9));
    }
}

BOOST_AUTO_TEST_SUITE_END()
