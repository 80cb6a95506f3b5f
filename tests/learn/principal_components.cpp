// SPDX-License-Identifier: BSL-1.0
#include <gamut/learn/principal_components.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "../real_data/files.hpp"

#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/csv.hpp>

using namespace gamut;

namespace {

constexpr core::random noise{.seed = 21};

/// Rows U diag(s) V' with known V (Householder reflections of unit vectors) and orthogonal U: singular values s.
struct known_values {
    std::size_t n = 60, p = 12;
    std::vector<double> s{9, 7, 5, 2, 1};

    static std::vector<double> reflected(std::size_t size, std::size_t column, std::uint64_t stream) {
        std::vector<double> h(size), out(size);
        double square = 0;
        for (std::size_t j = 0; j < size; ++j) {
            h[j] = core::random{.seed = 5, .stream = stream}.normal(j);
            square += h[j] * h[j];
        }
        for (std::size_t j = 0; j < size; ++j) out[j] = (j == column ? 1 : 0) - 2 * h[j] * h[column] / square;
        return out;
    }
    std::vector<double> direction(std::size_t k) const { return reflected(p, k, 1); }
    backend::dense_matrix<double> rows() const {
        backend::dense_matrix<double> x(n, p);
        for (std::size_t k = 0; k < s.size(); ++k) {
            const auto u = reflected(n, k, 2), v = direction(k);
            for (std::size_t i = 0; i < n; ++i)
                for (std::size_t j = 0; j < p; ++j) x(i, j) += s[k] * u[i] * v[j];
        }
        return x;
    }
};

void check_known(const auto& fit, const known_values& known, std::size_t k, double tolerance) {
    for (std::size_t c = 0; c < k; ++c) {
        BOOST_TEST(std::abs(fit.singular_values[c] - known.s[c]) <= tolerance * known.s[c]);
        const auto v = known.direction(c);
        double along = 0;
        for (std::size_t j = 0; j < v.size(); ++j) along += v[j] * fit.directions[c * v.size() + j];
        BOOST_TEST(std::abs(std::abs(along) - 1) < tolerance);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(principal_components)

BOOST_AUTO_TEST_CASE(known_singular_values_are_found_both_ways) {
    const known_values known;
    const data::arrays source(known.rows());
    for (const auto method : {learn::decomposition::moments, learn::decomposition::subspace}) {
        const auto fit =
            learn::principal_components{
                .components = 4, .origin = learn::origin::zero, .method = method, .oversampling = 3}
                .fit(source);
        BOOST_TEST((fit.status == core::status::converged));
        check_known(fit, known, 4, 1e-10);
        BOOST_TEST(fit.objective == 1, boost::test_tools::tolerance(1e-9));
        BOOST_TEST(fit.score(source).loss == 1.0 / 60, boost::test_tools::tolerance(1e-9));
        BOOST_TEST(fit.score(source).r_squared == 1 - 1.0 / 160, boost::test_tools::tolerance(1e-9));
    }
}

BOOST_AUTO_TEST_CASE(coordinates_have_mean_zero_and_the_variances_and_are_uncorrelated) {
    constexpr std::size_t n = 100, p = 5;
    backend::dense_matrix<double> x(n, p);
    std::vector<double> weights(n);
    double weight = 0;
    for (std::size_t i = 0; i < n; ++i) {
        weight += weights[i] = noise.uniform(10000 + i);
        for (std::size_t j = 0; j < p; ++j)
            x(i, j) = 100 + noise.normal(i * p + j) * static_cast<double>(j + 1) + x(i, j / 2);
    }
    const data::arrays source(x, std::vector<double>(n), weights);
    const auto fit = learn::principal_components{.components = 0}.fit(source);
    const auto z = fit.transform(source);
    BOOST_TEST(fit.components() == p);
    double all = 0;
    for (std::size_t a = 0; a < p; ++a) {
        all += fit.variances[a];
        if (a > 0) BOOST_TEST(fit.variances[a] <= fit.variances[a - 1]);
        double mean = 0;
        for (std::size_t i = 0; i < n; ++i) mean += weights[i] * z(i, a) / weight;
        BOOST_TEST(std::abs(mean) < 1e-10);
        for (std::size_t b = 0; b < p; ++b) {
            double moment = 0;
            for (std::size_t i = 0; i < n; ++i) moment += weights[i] * z(i, a) * z(i, b) / weight;
            BOOST_TEST(std::abs(moment - (a == b ? fit.variances[a] : 0)) < 1e-10 * fit.variances[0]);
        }
    }
    BOOST_TEST(all == fit.total_variance, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(fit.objective < 1e-9 * all);
}

BOOST_AUTO_TEST_CASE(sparse_rows_give_what_dense_rows_give) {
    backend::dense_matrix<double> x(80, 6);
    backend::sparse_matrix<double> s;
    s.columns = 6;
    for (std::size_t i = 0; i < 80; ++i, ++s.rows) {
        for (std::size_t j = 0; j < 6; ++j)
            if (noise.uniform(i * 6 + j) < 0.3) {
                x(i, j) = noise.normal(1000 + i * 6 + j);
                s.indices.push_back(static_cast<std::int32_t>(j));
                s.values.push_back(x(i, j));
            }
        s.offsets.push_back(static_cast<std::int64_t>(s.indices.size()));
    }
    const learn::principal_components two{};
    const auto a = two.fit(data::arrays(x)), b = two.fit(data::arrays(s));
    for (std::size_t k = 0; k < a.directions.size(); ++k)
        BOOST_TEST(std::abs(a.directions[k] - b.directions[k]) < 1e-12);
}

BOOST_AUTO_TEST_CASE(a_limit_of_iterations_is_a_status) {
    backend::dense_matrix<double> x(100, 40);  // no structure: singular values lie close to each other
    for (std::size_t i = 0; i < 100; ++i)
        for (std::size_t j = 0; j < 40; ++j) x(i, j) = noise.normal(i * 40 + j);
    const auto fit = learn::principal_components{
        .components = 3,
        .method = learn::decomposition::subspace,
        .oversampling = 1,
        .stop = {.iterations =
                     2}}.fit(data::arrays(x));
    BOOST_TEST((fit.status == core::status::iteration_limit));
    BOOST_TEST(fit.history.size() == 2u);
}

BOOST_AUTO_TEST_CASE(digits_have_the_singular_values_of_other_tools,
                     *boost::unit_test::precondition(real_data::is_there)) {
    const real_data::answer known("mf_full_digits");
    const real_data::unpacked file("digits/digits.csv.gz");
    const data::csv<> source{.path = file.name(), .ignore = {"#-1"}};
    const std::vector<double> values = known["singular_values_top20"];
    for (const auto method : {learn::decomposition::moments, learn::decomposition::subspace}) {
        const auto fit =
            learn::principal_components{.components = 20, .origin = learn::origin::zero, .method = method}.fit(source);
        for (std::size_t k = 0; k < 20; ++k)
            real_data::check_close("value " + std::to_string(k), fit.singular_values[k], values[k], 1e-9);
        for (const auto& one : known["table"])
            if (one["rank"] == 20 && one["lambda_"] == 0.0)
                real_data::check_close("objective", fit.objective / 2, one["objective"], 1e-9);
    }
}

BOOST_AUTO_TEST_SUITE_END()
