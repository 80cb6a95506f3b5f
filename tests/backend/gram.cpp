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
    const std::size_t n = 301, p = 7;
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
    // every column of [ X~ | 1 | y ], and some of them out of order
    const std::vector<std::size_t> all{0, 1, 2, 3, 4, 5, 6, p, p + 1}, some{p + 1, 4, 0, p};
    std::vector<std::vector<long double>> rows;
    for (std::size_t i = 0; i < n; ++i) {
        std::vector<long double> row;
        for (std::size_t j = 0; j < p; ++j) row.push_back((dense(i, j) - means[j]) * inverse[j]);
        row.push_back(1);
        row.push_back(y[i]);
        rows.push_back(row);
    }
    const backend::column_scaling scaling{means.data(), inverse.data()};
    for (const bool weighted : {true, false})
        for (const auto& names : {all, some})
            for (const backend::place_range left : {backend::place_range{0, names.size()}, {1, 3}, {3, 4}}) {
                const backend::moment_columns columns(names, p, scaling);
                const backend::row_weights<double> weights{weighted ? omega.data() : nullptr};
                const std::size_t stride = columns.size() + 2;
                std::vector<double> of_dense(left.size() * stride, -7.0), of_sparse = of_dense;
                const backend::row_range part{20, n};
                backend::products_of_columns(dense, part, y.data(), weights, columns, left, of_dense.data(), stride);
                backend::products_of_columns(sparse, part, y.data(), weights, columns, left, of_sparse.data(), stride);
                for (std::size_t a = 0; a < left.size(); ++a)
                    for (std::size_t b = 0; b < stride; ++b) {
                        long double wanted = b < names.size() ? 0 : -7;
                        for (std::size_t i = part.begin; i < part.end && b < names.size(); ++i)
                            wanted += (weighted ? omega[i] : 1) * rows[i][names[left.begin + a]] * rows[i][names[b]];
                        BOOST_TEST(std::abs(of_dense[a * stride + b] - static_cast<double>(wanted)) < 1e-11);
                        BOOST_TEST(of_dense[a * stride + b] == of_sparse[a * stride + b]);
                    }
            }
}

BOOST_AUTO_TEST_CASE(few_entries_in_a_row_give_the_same_sums) {
    const std::size_t n = 200, p = 90;
    const core::random draw{.seed = 4};
    backend::dense_matrix<double> dense(n, p);
    backend::sparse_matrix<double> sparse;
    sparse.rows = n, sparse.columns = p;
    std::vector<double> y(n), d(2 * n), means(p), inverse(p);
    for (std::size_t j = 0; j < p; ++j)
        means[j] = 0.01 * static_cast<double>(j), inverse[j] = 1 / (1 + 0.5 * static_cast<double>(j));
    for (std::size_t i = 0; i < n; ++i) {
        y[i] = draw.normal(100000 + i);
        d[2 * i] = d[2 * i + 1] = i % 3 == 1 ? 0 : draw.normal(200000 + i);  // none or of either sign, every other one
        for (std::size_t j = 0; j < p; ++j) {
            if (draw.uniform(i * p + j) < 0.97) continue;
            dense(i, j) = draw.normal(i * p + j);
            sparse.indices.push_back(static_cast<std::int32_t>(j));
            sparse.values.push_back(dense(i, j));
        }
        sparse.offsets.push_back(static_cast<std::int64_t>(sparse.indices.size()));
    }
    std::vector<std::size_t> names;
    for (std::size_t j = 0; j < p + 2; ++j) names.push_back(p + 1 - j);
    const backend::moment_columns columns(names, p, {means.data(), inverse.data()});
    const backend::row_weights<double> weights{d.data() + 1, 2};
    const std::size_t m = names.size();
    for (const backend::place_range left : {backend::place_range{0, 4}, backend::place_range{0, m}}) {
        std::vector<double> of_dense(left.size() * m), of_sparse = of_dense;
        backend::products_of_columns(dense, {0, n}, y.data(), weights, columns, left, of_dense.data(), m);
        backend::products_of_columns(sparse, {0, n}, y.data(), weights, columns, left, of_sparse.data(), m);
        for (std::size_t k = 0; k < of_dense.size(); ++k) BOOST_TEST(std::abs(of_dense[k] - of_sparse[k]) < 1e-11);
        double direct = 0;  // of the labels and the ones
        for (std::size_t i = 0; i < n; ++i) direct += d[2 * i + 1] * y[i];
        BOOST_TEST(std::abs(of_dense[1] - direct) < 1e-12);
    }
    // the last rows alone, whose weights begin at 0
    std::vector<double> end(4 * m), same(4 * m);
    backend::products_of_columns(sparse, {150, n}, y.data(), weights, columns, {0, 4}, end.data(), m);
    const backend::row_weights<double> of_end{d.data() + 1 + 2 * 150, 2, 150};
    backend::products_of_columns(sparse, {150, n}, y.data(), of_end, columns, {0, 4}, same.data(), m);
    BOOST_TEST(end == same);
}

BOOST_AUTO_TEST_CASE(means_far_from_zero_cost_no_digits) {
    const std::size_t n = 64;
    backend::dense_matrix<double> x(n, 1);
    std::vector<double> y(n, 1.0);
    for (std::size_t i = 0; i < n; ++i) x(i, 0) = 1e9 + (i % 2 == 0 ? 1.0 : -1.0);
    const double mean = 1e9, inverse = 1;
    const std::vector<std::size_t> both{0, 2};
    const backend::moment_columns columns(both, 1, {&mean, &inverse});
    std::vector<double> sums(4);
    backend::products_of_columns(x, {0, n}, y.data(), backend::row_weights<double>{}, columns, {0, 2}, sums.data(), 2);
    BOOST_TEST(sums[0] == 64.0);
    BOOST_TEST(sums[1] == 0.0);
}

BOOST_AUTO_TEST_SUITE_END()
