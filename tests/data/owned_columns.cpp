// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "../without_zeros.hpp"

#include <gamut/communicator/threads.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/owned_columns.hpp>

using namespace gamut;

namespace {

backend::dense_matrix<double> table_of(std::size_t n, std::size_t p, bool pattern) {
    backend::dense_matrix<double> x(n, p);
    const core::random numbers{.seed = 5};
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < p; ++j)
            x(i, j) = numbers.uniform(i * p + j) < 0.6 ? 0 : pattern ? 1 : numbers.normal(i * p + j);
    return x;
}

/// Row k of stored columns, with zeros.
std::vector<double> row_of(const backend::dense_matrix<double>& x, std::size_t k) {
    return {x.row(k), x.row(k) + x.columns};
}
std::vector<double> row_of(const backend::sparse_matrix<double>& x, std::size_t k) {
    std::vector<double> row(x.columns, 0.0);
    std::int32_t before = -1;
    for (auto e = x.offsets[k]; e < x.offsets[k + 1]; ++e) {
        const auto at = static_cast<std::size_t>(e);
        if (x.indices[at] <= before) throw core::error("rows must ascend");
        before = x.indices[at];
        row[static_cast<std::size_t>(before)] = x.value(at);
    }
    return row;
}

void require(bool right, const char* what) {  // may be called on threads
    if (!right) throw core::error(what);
}

/// On that many ranks every column is with one rank, standardised, with its labels and weights, and can be gathered.
template <class Source>
void check(const Source& source, const backend::dense_matrix<double>& x, const std::vector<double>& y,
           const std::vector<double>& weights, bool standardised, std::size_t blocks, int size) {
    using Matrix = typename Source::matrix_type;
    std::vector<int> owners(x.columns * static_cast<std::size_t>(size), 0);
    communicator::threads<>::run(size, [&](const communicator::threads<>& ranks) {
        const auto rows = source.load(ranks);
        const auto scaling = standardised ? data::standardize(ranks, rows) : data::standardization{};
        const data::owned_columns columns(ranks, rows, scaling, blocks, 2);
        require(columns.rows() == x.rows && columns.columns() == x.columns, "shape");
        require(std::vector<double>(columns.labels().begin(), columns.labels().end()) == y, "labels");
        require(std::vector<double>(columns.weights().begin(), columns.weights().end()) == weights, "weights");
        const data::range own = columns.own_columns();
        const auto value = [&](std::size_t i, std::size_t j) {
            return standardised ? (x(i, j) - scaling.means[j]) / scaling.divisors()[j] : x(i, j);
        };
        const auto same = [&](const Matrix& stored, std::size_t k, std::size_t j) {
            const auto row = row_of(stored, k);
            for (std::size_t i = 0; i < x.rows; ++i)
                if (std::abs(columns.factor(j) * row[i] - columns.center(j) - value(i, j)) > 1e-14) return false;
            return true;
        };
        for (std::size_t j = own.begin; j < own.end; ++j) {
            owners[j * static_cast<std::size_t>(size) + static_cast<std::size_t>(ranks.rank())] = 1;
            require(same(columns.stored(), j - own.begin, j), "own column");
            require(columns.owns(j), "owns");
        }
        for (std::size_t j = 0; j < x.columns; ++j) {
            const data::range block = columns.columns_of(columns.block_of(j));
            require(block.begin <= j && j < block.end, "block");
            require(columns.owns(j) == (j >= own.begin && j < own.end), "owns");
        }
        const std::vector<std::vector<std::size_t>> sets{{}, {0}, {0, x.columns / 2, x.columns - 1}};
        for (const auto& chosen : sets) {
            const Matrix all = columns.gather(ranks, chosen);
            for (std::size_t k = 0; k < chosen.size(); ++k) require(same(all, k, chosen[k]), "gathered column");
        }
    });
    for (std::size_t j = 0; j < x.columns; ++j) {
        int sum = 0;
        for (int r = 0; r < size; ++r) sum += owners[j * static_cast<std::size_t>(size) + static_cast<std::size_t>(r)];
        BOOST_TEST(sum == 1);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(owned_columns)

BOOST_AUTO_TEST_CASE(every_column_is_with_one_rank_with_all_rows) {
    for (const std::size_t n : {3u, 57u})  // fewer rows than ranks
        for (const std::size_t p : {3u, 20u})
            for (const bool standardised : {false, true})
                for (const int size : {1, 2, 3, 5}) {
                    const auto x = table_of(n, p, false), ones = table_of(n, p, true);
                    std::vector<double> y(n), weights(n);
                    for (std::size_t i = 0; i < n; ++i) {
                        y[i] = static_cast<double>(i) - 1;
                        weights[i] = 1 + static_cast<double>(i % 3);
                    }
                    check(data::arrays(x, y), x, y, {}, standardised, 4, size);
                    check(data::arrays(x, y, weights), x, y, weights, standardised, 7, size);
                    check(data::arrays(without_zeros(x, false), y), x, y, {}, standardised, 4, size);
                    check(data::arrays(without_zeros(ones, true), y, weights), ones, y, weights, standardised, 16,
                          size);
                }
}

BOOST_AUTO_TEST_CASE(rows_that_fill_many_pieces_and_constant_columns) {
    auto x = table_of(9000, 40, false);  // 2.9 MB; sparse: 3 pieces of rows
    for (std::size_t i = 0; i < 9000; ++i) x(i, 3) = 2;
    std::vector<double> y(9000, 1.0);
    for (const bool standardised : {false, true}) {
        check(data::arrays(x, y), x, y, {}, standardised, 16, 2);
        check(data::arrays(without_zeros(x, false), y), x, y, {}, standardised, 16, 2);
    }
}

BOOST_AUTO_TEST_SUITE_END()
