// SPDX-License-Identifier: BSL-1.0
#include <cmath>
#include <cstddef>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <gamut/backend/gram.hpp>
#include <gamut/core/random.hpp>

using namespace gamut;

BOOST_AUTO_TEST_SUITE(gram)

BOOST_AUTO_TEST_CASE(moments_are_the_plain_sums_over_rows) {
    const std::size_t n = 301, p = 7, m = p + 2;
    const core::random draw{.seed = 3};
    backend::dense_matrix<double> dense(n, p);
    backend::sparse_matrix<double> sparse;
    sparse.rows = n, sparse.columns = p;
    std::vector<double> y(n), omega(n), means(p), inverse(p);
    for (std::size_t j = 0; j < p; ++j)
        means[j] = 0.1 * static_cast<double>(j), inverse[j] = 1 / (1 + 0.5 * static_cast<double>(j));
    for (std::size_t i = 0; i < n; ++i) {
        y[i] = draw.normal(10000 + i);
        omega[i] = draw.uniform(20000 + i);
        for (std::size_t j = 0; j < p; ++j) {
            if (draw.uniform(i * p + j) < 0.4) continue;
            dense(i, j) = draw.normal(i * p + j);
            sparse.indices.push_back(static_cast<std::int32_t>(j));
            sparse.values.push_back(dense(i, j));
        }
        sparse.offsets.push_back(static_cast<std::int64_t>(sparse.indices.size()));
    }
    for (const bool intercept : {true, false}) {
        const std::size_t columns = intercept ? m : m - 1;
        std::vector<long double> wanted(columns * columns);
        for (std::size_t i = 0; i < n; ++i) {
            std::vector<long double> row;
            for (std::size_t j = 0; j < p; ++j) row.push_back((dense(i, j) - means[j]) * inverse[j]);
            if (intercept) row.push_back(1);
            row.push_back(y[i]);
            for (std::size_t a = 0; a < columns; ++a)
                for (std::size_t b = 0; b < columns; ++b) wanted[a * columns + b] += omega[i] * row[a] * row[b];
        }
        std::vector<double> of_dense(columns * columns), of_sparse(columns * columns);
        const backend::observations<double> seen{y.data(), omega.data(), 1};
        const backend::column_scaling scaling{means.data(), inverse.data()};
        for (const backend::row_range part : {backend::row_range{0, 100}, backend::row_range{100, n}}) {
            backend::add_moments(dense, part, seen, scaling, intercept, of_dense.data());
            backend::add_moments(sparse, part, seen, scaling, intercept, of_sparse.data());
        }
        for (std::size_t k = 0; k < wanted.size(); ++k) {
            BOOST_TEST(std::abs(of_dense[k] - static_cast<double>(wanted[k])) < 1e-11);
            BOOST_TEST(of_dense[k] == of_sparse[k]);
        }
    }
}

BOOST_AUTO_TEST_CASE(means_far_from_zero_cost_no_digits) {
    const std::size_t n = 64;
    backend::dense_matrix<double> x(n, 1);
    std::vector<double> y(n, 1.0);
    for (std::size_t i = 0; i < n; ++i) x(i, 0) = 1e9 + (i % 2 == 0 ? 1.0 : -1.0);
    const double mean = 1e9, inverse = 1;
    std::vector<double> sums(4);
    backend::add_moments(x, {0, n}, backend::observations<double>{y.data(), nullptr, 1}, {&mean, &inverse}, false,
                         sums.data());
    BOOST_TEST(sums[0] == 64.0);
    BOOST_TEST(sums[1] == 0.0);
}

BOOST_AUTO_TEST_SUITE_END()
