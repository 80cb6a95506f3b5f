// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <gamut/backend/matrix.hpp>
#include <gamut/backend/parallel.hpp>
#include <gamut/backend/row_moments.hpp>
#include <gamut/backend/sparse.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/dataset.hpp>

namespace gamut::data {

/// Refuses a sum of sample weights that is no number to divide by in T. The sum is the same on all ranks, and so is the error.
template <class T> [[gnu::cold]] void check_sum_of_weights(double sum, const std::string& source) {
    if (sum <= static_cast<double>(std::numeric_limits<T>::max()) &&
        sum >= static_cast<double>(std::numeric_limits<T>::min()))
        return;
    if (sum < 1)
        throw core::data_error(core::text(source, ": the sum of the sample weights underflows (it is ", sum,
                                          ") multiply all weights by one number"));
    throw core::data_error(core::text(source, ": the sum of the sample weights overflows (it is beyond ",
                                      static_cast<double>(std::numeric_limits<T>::max()),
                                      ") divide all weights by one number"));
}

/// Column j standardised is (x_j - means[j]) / scales[j]. Empty: the identity.
/// The columns in `constant`, ascending, have the same number in every row, to rounding: standardised they are 0.
struct standardization {
    std::vector<double> means = {}, scales = {};
    std::vector<std::size_t> constant = {};

    /// What to divide by so that a constant column becomes 0 exactly: its scale is as good as infinite.
    std::vector<double> divisors() const {
        std::vector<double> all = scales;
        for (const std::size_t j : constant) all[j] = std::numeric_limits<double>::infinity();
        return all;
    }
};

namespace detail {

/// visit(j, x) for the entries of a row that are stored.
template <class T, class Visit> void for_each_entry(const backend::dense_matrix<T>& x, std::size_t row, Visit visit) {
    const T* const values = x.row(row);
    for (std::size_t j = 0; j < x.columns; ++j) visit(j, static_cast<double>(values[j]));
}
template <class T, class Visit> void for_each_entry(const backend::sparse_matrix<T>& x, std::size_t row, Visit visit) {
    const auto end = static_cast<std::size_t>(x.offsets[row + 1]);
    for (auto k = static_cast<std::size_t>(x.offsets[row]); k < end; ++k) {
        visit(static_cast<std::size_t>(x.indices[k]), static_cast<double>(x.value(k)));
    }
}

template <class T> constexpr bool stores_zeros(const backend::dense_matrix<T>&) { return true; }
template <class T> constexpr bool stores_zeros(const backend::sparse_matrix<T>&) { return false; }

/// The moments of a rank's rows. Rows of weight 0 don't exist here.
template <class Matrix> struct column_moments {
    const dataset<Matrix>& data;
    range shards;
    std::size_t threads;
    std::size_t columns = data.columns();

    /// What isn't stored would need a look at all columns: more than there is in a sparse shard.
    static constexpr bool has_squares_at_once =
        std::is_same_v<Matrix, backend::dense_matrix<typename Matrix::value_type>>;

    template <class Visit> void for_each_row(std::size_t shard, Visit visit) const {
        const range rows = data.partition.shard_rows(shard);
        for (std::size_t row = rows.begin; row < rows.end; ++row) {
            const auto weight = static_cast<double>(data.weight(row - data.first_row));
            if (weight > 0) visit(row - data.first_row, weight);
        }
    }

    /// Per shard: the weighted sums of the columns, and of the weights. `extremes`: per column the largest of x and of -x.
    /// `squares`, if has_squares_at_once: per shard the weighted sums of (x - the shard's mean)^2.
    std::vector<double> sums(std::span<double> extremes, std::vector<double>& squares) const {
        struct seen {
            std::vector<double> extremes;
            std::vector<std::size_t> stored;
            std::size_t rows = 0;
        };
        std::vector<double> partials(shards.size() * (columns + 1), 0.0);
        std::vector<seen> of_thread(std::min(threads, shards.size()));
        if (has_squares_at_once) squares.assign(shards.size() * columns, 0.0);
        backend::parallel_for(shards.begin, shards.end, of_thread.size(), [&](std::size_t shard, std::size_t thread) {
            seen& here = of_thread[thread];
            here.extremes.resize(2 * columns, -std::numeric_limits<double>::infinity());
            here.stored.resize(stores_zeros(data.x) ? 0 : columns);
            double* const partial = partials.data() + (shard - shards.begin) * (columns + 1);
            double* const largest = here.extremes.data();
            double* const smallest = largest + columns;
            if constexpr (has_squares_at_once) {
                backend::row_moments moments{0, partial, squares.data() + (shard - shards.begin) * columns, largest,
                                             smallest};
                backend::few_rows<typename Matrix::value_type> few{.columns = columns};
                for_each_row(shard, [&](std::size_t row, double weight) {
                    few.add(data.x.row(row), weight);
                    if (!few.is_full()) return;
                    backend::add_rows(few, moments);
                    few.count = 0;
                });
                backend::add_rows(few, moments);
                partial[columns] = moments.weight;
                return;
            }
            for_each_row(shard, [&](std::size_t row, double weight) {
                ++here.rows;
                partial[columns] += weight;
                for_each_entry(data.x, row, [&](std::size_t j, double x) {
                    partial[j] += weight * x;
                    largest[j] = std::max(largest[j], x);
                    smallest[j] = std::max(smallest[j], -x);
                    if (!stores_zeros(data.x)) ++here.stored[j];
                });
            });
        });
        std::vector<std::size_t> stored(stores_zeros(data.x) ? 0 : columns);
        std::size_t rows = 0;
        for (const seen& part : of_thread) {
            for (std::size_t k = 0; k < part.extremes.size(); ++k)
                extremes[k] = std::max(extremes[k], part.extremes[k]);
            for (std::size_t j = 0; j < part.stored.size(); ++j) stored[j] += part.stored[j];
            rows += part.rows;
        }
        for (std::size_t j = 0; j < stored.size(); ++j)
            if (stored[j] < rows)
                for (double* const extreme : {&extremes[j], &extremes[columns + j]}) *extreme = std::max(*extreme, 0.0);
        return partials;
    }

    /// Squares about the shards' means become squares about these.
    void move(const std::vector<double>& sums, const std::vector<double>& means, std::vector<double>& squares) const {
        for (std::size_t s = 0; s < shards.size(); ++s) {
            const double* const sum = sums.data() + s * (columns + 1);
            const double weight = sum[columns], inverse = weight > 0 ? 1 / weight : 0;
            double* const square = squares.data() + s * columns;
            for (std::size_t j = 0; j < columns; ++j) {
                const double apart = sum[j] * inverse - means[j];
                square[j] += weight * apart * apart;
            }
        }
    }

    /// Per shard: the weighted sums of ((x - mean) * inverse_unit)^2.
    std::vector<double> squares(const std::vector<double>& means, const std::vector<double>& inverse_units) const {
        std::vector<double> partials(shards.size() * columns, 0.0);
        backend::parallel_for(shards.begin, shards.end, threads, [&](std::size_t shard, std::size_t) {
            double* const partial = partials.data() + (shard - shards.begin) * columns;
            double total = 0;
            std::vector<double> stored(stores_zeros(data.x) ? 0 : columns);
            for_each_row(shard, [&](std::size_t row, double weight) {
                total += weight;
                for_each_entry(data.x, row, [&](std::size_t j, double x) {
                    const double deviation = (x - means[j]) * inverse_units[j];
                    partial[j] += weight * deviation * deviation;
                    if (!stores_zeros(data.x)) stored[j] += weight;
                });
            });
            for (std::size_t j = 0; j < stored.size(); ++j) {  // what isn't stored is as far from the mean as 0
                const double deviation = means[j] * inverse_units[j];
                partial[j] += std::max(0.0, total - stored[j]) * deviation * deviation;
            }
        });
        return partials;
    }
};

/// How often `standardize` reads the data, but for columns of extreme size.
template <class Matrix>
constexpr std::size_t passes_to_standardize = column_moments<Matrix>::has_squares_at_once ? 1 : 2;

}  // namespace detail

/// Mean and population standard deviation of every column over the weighted rows of all ranks; a constant column keeps
/// scale 1. One pass over dense data, which looks at the squares around the mean of a few rows while they are near; two over sparse
/// data, never densified: the mean first, then the squares around it. Where a column's spread is beyond 2^+-400, another one over all
/// data, in units of a power of two, so that columns of size 1e+-150 neither overflow nor vanish. Shards run on that many threads. Collective: two global
/// sums and a maximum, of columns() numbers each; the same bits for any number of ranks and threads. Throws data_error for a
/// column whose sum overflows.
template <communicator::Communicator C, class Matrix>
[[gnu::cold]] standardization standardize(const C& ranks, const dataset<Matrix>& data, int threads = 1) {
    constexpr double epsilon = std::numeric_limits<double>::epsilon();
    const std::size_t columns = data.columns();
    const auto rank = static_cast<std::size_t>(ranks.rank()), size = static_cast<std::size_t>(ranks.size());
    const detail::column_moments<Matrix> local{data, data.partition.shards_of(rank, size),
                                               backend::threads_for(backend::entries_of(data.x, 0, data.x.rows),
                                                                    static_cast<std::size_t>(std::max(threads, 1)))};

    std::vector<double> partials, squares, extremes, totals, units;
    bool extreme = false;
    standardization result;
    communicator::agree(ranks, [&] {
        extremes.assign(2 * columns, -std::numeric_limits<double>::infinity());
        totals.resize(columns + 1);
        units.assign(columns, 1.0);
        result.means.resize(columns);
        result.scales.resize(columns);
        partials = local.sums(extremes, squares);
    });
    communicator::sum(ranks, partials, local.shards.size(), std::span<double>(totals));
    ranks.all_reduce(std::span<double>(extremes), communicator::operation::maximum);

    const double weight = totals[columns];
    if (data.rows() > 0) check_sum_of_weights<typename Matrix::value_type>(weight, data.source);
    for (std::size_t j = 0; j < columns; ++j) {
        const double largest = extremes[j], smallest = -extremes[columns + j];
        result.means[j] = largest == smallest ? largest + 0.0 : totals[j] / weight;  // never -0
        const double spread = std::max(largest - result.means[j], result.means[j] - smallest);
        if (!std::isfinite(result.means[j]) || !std::isfinite(spread)) {
            throw core::data_error(core::text(data.source, ": column '", data.features[j], "' can't be standardised (",
                                              "its sum overflows) give it in other units"));
        }
        const int exponent = spread > 0 ? std::clamp(std::ilogb(spread), -1000, 1000) : 0;
        if (std::abs(exponent) <= 400) continue;
        units[j] = std::ldexp(1.0, -exponent);
        extreme = true;
    }

    communicator::agree(ranks, [&] {
        if (local.has_squares_at_once && !extreme)
            local.move(partials, result.means, squares);
        else
            squares = local.squares(result.means, units);
    });
    communicator::sum(ranks, squares, local.shards.size(), std::span<double>(totals.data(), columns));
    for (std::size_t j = 0; j < columns; ++j) {
        const double size_of_values = std::max(std::abs(extremes[j]), std::abs(extremes[columns + j]));
        const double deviation = std::sqrt(totals[j] / weight) / units[j];
        const bool constant = extremes[j] == -extremes[columns + j] || deviation <= 8 * epsilon * size_of_values;
        result.scales[j] = constant ? 1 : deviation;
        if (constant) result.constant.push_back(j);
    }
    return result;
}

}  // namespace gamut::data
