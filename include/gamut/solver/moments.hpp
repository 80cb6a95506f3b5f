// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <numeric>
#include <span>
#include <type_traits>
#include <vector>

#include <gamut/backend/columns.hpp>
#include <gamut/backend/gram.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/parallel.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/data/select_columns.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/solver/detail/second_moments.hpp>

/// What least squares and second-order models read of a problem's rows. `rows` are problem_rows, `scaled` scaled_weights.
/// Everything here is collective, fails on all ranks together, and has the same bits on every one of them.
namespace gamut::solver {

/// Least squares in terms of G = X~'Omega X~ / Omega: loss = 1/2 w'Gw - slope'w + constant.
template <class T> struct quadratic_moments {
    backend::dense_matrix<T> gram;
    std::vector<T> slope;
    double constant = 0;
};

/// Sums of omega_i a_i a_i' over groups of rows, a_i = [ x~_i | 1 | y_i - label ].
struct row_moments {
    double label = 0;
    std::vector<backend::dense_matrix<double>> of_group;
};

namespace detail {

/// factor sum of d_i a_i a_i' for columns of A = [ X~ | 1 | y ] of all ranks; see detail/second_moments.hpp.
template <class Rows, class Matrix>
backend::dense_matrix<double> products(const Rows& rows, const Matrix& x, const typename Rows::value_type* y,
                                       const std::vector<backend::row_range>& runs,
                                       const data::standardization& scaling, std::span<const std::size_t> known,
                                       std::span<const std::size_t> fresh,
                                       const backend::row_weights<typename Rows::value_type>& weights, double factor,
                                       std::exception_ptr failure = nullptr) {
    const second_moments<Matrix, typename Rows::value_type> all{x, y, runs, weights, scaling};
    return all.sum(rows.ranks(), known, fresh, factor,
                   {rows.data().rows(), rows.blocks(), static_cast<std::size_t>(rows.threads())}, rows.scratch(),
                   failure);
}

}  // namespace detail

/// One pass; global sums of (d + 1)^2 / 2 numbers in all, as many partials as there are blocks; or a gather of the rows, see
/// detail/second_moments.hpp.
template <class Rows, class Scaled>
quadratic_moments<typename Rows::value_type> moments(const Rows& rows, const Scaled& scaled) {
    using T = typename Rows::value_type;
    const std::size_t d = scaled.dimension(), y = scaled.layout().features + 1;
    std::vector<std::size_t> columns(d + 1, y);
    std::iota(columns.begin(), columns.end() - 1, std::size_t(0));
    const auto sums = detail::products(rows, rows.data().x, rows.labels(), rows.block_rows(), scaled.scaling(), {},
                                       columns, rows.sample_weights(), 1 / rows.total_weight());
    quadratic_moments<T> result{backend::dense_matrix<T>(d, d), std::vector<T>(d), 0};
    for (std::size_t i = 0; i < d; ++i) {
        for (std::size_t j = 0; j < d; ++j) result.gram(i, j) = static_cast<T>(sums(i, j));
        result.slope[i] = static_cast<T>(sums(i, d));
    }
    result.constant = 0.5 * sums(d, d);
    return result;
}

/// Least squares by groups of rows: for each group the sums of omega_i a_i a_i' over its rows, label the mean of all labels:
/// (p + 2) x (p + 2) numbers in double. Groups add up to the whole, and can be taken away from it. group[i]: that of local row i;
/// empty: all rows are group 0.
/// One pass, whose rows are copied group by group if there are several; global sums of about p^2 / 2 numbers a group.
template <class Rows, class Scaled>
row_moments moments_by(const Rows& rows, const Scaled& scaled, std::span<const std::uint32_t> group,
                       std::size_t groups) {
    using T = typename Rows::value_type;
    const auto& data = rows.data();
    const T* const labels = rows.labels();
    row_moments result;
    double sum = 0;
    rows.globally(1, std::span<double>(&sum, 1), [&](double* partials) {
        for (std::size_t s = 0; s < rows.sweep().all().size(); ++s) {
            partials[s] = 0;
            for (std::size_t i = rows.sweep().rows_of(s).begin; i < rows.sweep().rows_of(s).end; ++i)
                partials[s] += static_cast<double>(data.weight(i)) * static_cast<double>(labels[i]);
        }
    });
    result.label = sum / rows.total_weight();
    std::vector<std::size_t> columns(scaled.layout().features + 2);
    std::iota(columns.begin(), columns.end(), std::size_t(0));
    for (std::size_t g = 0; g < groups; ++g) {
        std::exception_ptr failure;
        std::vector<std::size_t> chosen;
        std::vector<T> y, weights;
        typename Rows::matrix_type x;
        std::vector<backend::row_range> runs = rows.block_rows();
        try {
            std::size_t seen = 0;
            for (backend::row_range& run : runs) {
                const std::size_t end = run.end;
                for (run.begin = y.size(); seen < end; ++seen) {
                    if (!group.empty() && group[seen] != g) continue;
                    if (!group.empty()) chosen.push_back(seen);
                    y.push_back(static_cast<T>(static_cast<double>(labels[seen]) - result.label));
                    if (!data.weights.empty()) weights.push_back(data.weights[seen]);
                }
                run.end = y.size();
            }
            if (!group.empty()) x = backend::rows_of(data.x, std::span<const std::size_t>(chosen));
        } catch (...) {
            failure = std::current_exception();
        }
        result.of_group.push_back(detail::products(rows, group.empty() ? data.x : x, y.data(), std::move(runs),
                                                   scaled.scaling(), {}, columns,
                                                   {weights.empty() ? nullptr : weights.data(), 1}, 1, failure));
    }
    return result;
}

/// Least squares: rows of G for the columns `fresh`, against the columns `known` and then `fresh`; the intercept's is
/// layout().features. Reads those columns; global sums of as many numbers as are new.
template <class Rows, class Scaled>
backend::dense_matrix<double> gram_rows(const Rows& rows, const Scaled& scaled, std::span<const std::size_t> known,
                                        std::span<const std::size_t> fresh) {
    using T = typename Rows::value_type;
    const auto& data = rows.data();
    if constexpr (std::is_same_v<typename Rows::matrix_type, backend::dense_matrix<T>>) {
        return detail::products(rows, data.x, rows.labels(), rows.block_rows(), scaled.scaling(), known, fresh,
                                rows.sample_weights(), 1 / rows.total_weight());
    } else {  // entries of other columns are passed over once, not for every strip
        const std::size_t features = scaled.layout().features;
        std::vector<std::size_t> chosen;
        for (const auto part : {known, fresh})
            for (const std::size_t j : part)
                if (j < features) chosen.push_back(j);
        std::sort(chosen.begin(), chosen.end());
        const auto place = [&](std::size_t j) {
            return j == features
                       ? chosen.size()
                       : static_cast<std::size_t>(std::lower_bound(chosen.begin(), chosen.end(), j) - chosen.begin());
        };
        std::vector<std::size_t> known_places, fresh_places;
        for (const std::size_t j : known) known_places.push_back(place(j));
        for (const std::size_t j : fresh) fresh_places.push_back(place(j));
        std::exception_ptr failure;
        typename Rows::matrix_type x;
        try {
            x = backend::columns_of(data.x, std::span<const std::size_t>(chosen),
                                    static_cast<std::size_t>(rows.threads()));
        } catch (...) {
            failure = std::current_exception();
        }
        return detail::products(rows, x, rows.labels(), rows.block_rows(),
                                data::select_columns(scaled.scaling(), chosen), known_places, fresh_places,
                                rows.sample_weights(), 1 / rows.total_weight(), failure);
    }
}

/// The loss's second derivatives at w with respect to some of the weights, without penalty: entries x entries.
/// entries: indices into w, ordered by output, then by feature. One pass, one global sum of |entries|^2 numbers, as
/// many partials as there are blocks.
template <class Rows, class Scaled>
[[gnu::cold]] backend::dense_matrix<double> second_derivatives(const Rows& rows, const Scaled& scaled,
                                                               const typename Scaled::array& w,
                                                               std::span<const std::size_t> entries) {
    std::exception_ptr failure;
    if constexpr (!autodiff::has_table<typename Rows::formula>) {  // entry j is column j, the intercept that of ones
        typename Rows::sweep_type::curvature derivatives;
        try {
            const auto e = scaled.effective_weights(w);
            rows.sweep().linearize(e.w(), e.b(), rows.sweep().all(), derivatives);
        } catch (...) {
            failure = std::current_exception();
        }
        return detail::products(rows, rows.data().x, rows.labels(), rows.block_rows(), scaled.scaling(), {}, entries,
                                {derivatives.data(), 1}, 1, failure);
    }
    const std::size_t m = entries.size(), per_block = rows.shards_of_a_block(), own = rows.own_blocks().size();
    std::vector<double> inverse;
    std::span<double> partials;
    backend::dense_matrix<double> sums(m, m);
    try {
        for (const double divisor : scaled.divisors()) inverse.push_back(1 / divisor);
        partials = rows.partials(own * m * m);
        std::fill(partials.begin(), partials.end(), 0.0);
        std::vector<backend::shard_range> groups;
        for (std::size_t b = 0; b < own; ++b) groups.push_back({b * per_block, (b + 1) * per_block});
        const auto e = scaled.effective_weights(w);
        rows.sweep().second_derivatives(e.w(), e.b(), entries,
                                        {inverse.empty() ? nullptr : scaled.scaling().means.data(), inverse.data()},
                                        groups, partials.data());
    } catch (...) {
        failure = std::current_exception();
    }
    communicator::sum(rows.ranks(), std::span<const double>(partials), own, std::span<double>(sums.values), failure);
    for (std::size_t i = 0; i < m; ++i)
        for (std::size_t j = 0; j < i; ++j) sums(i, j) = sums(j, i);
    return sums;
}

/// Least squares: see(i, row, root) for these entries of all rows i of all ranks, on every rank, from that many threads at once:
/// second_derivatives(w, entries) is the sum of (root row)(root row)'. Worth the memory where rows are few, see gathers_rows.
/// One gather.
template <class Rows, class Scaled, class F>
void visit_rows(const Rows& rows, const Scaled& scaled, std::span<const std::size_t> entries, std::size_t threads,
                F&& see) {
    const std::vector<backend::row_range> runs = rows.block_rows();
    const auto weights = rows.sample_weights();
    detail::second_moments<typename Rows::matrix_type, typename Rows::value_type>{rows.data().x, rows.labels(), runs,
                                                                                  weights, scaled.scaling()}
        .visit_rows(rows.ranks(), entries, 1 / rows.total_weight(), threads, see);
}

/// Rows are so few that they travel rather than the products of so many columns.
template <class Rows> bool gathers_rows(const Rows& rows, std::size_t entries) {
    return detail::row_sizes{rows.data().rows(), rows.blocks(), 1}.travel(entries);
}

/// sum of omega x~_ij^2 / Omega, the mean squares of the standardised columns. One pass, one global sum of p numbers.
template <class Rows, class Scaled> std::vector<double> column_squares(const Rows& rows, const Scaled& scaled) {
    const auto& data = rows.data();
    const std::size_t p = scaled.layout().features;
    std::vector<double> sums(p), inverse;
    rows.globally(p, sums, [&](double* partials) {
        for (const double divisor : scaled.divisors()) inverse.push_back(1 / divisor);
        backend::parallel_for(
            0, rows.sweep().all().size(), static_cast<std::size_t>(rows.threads()), [&](std::size_t s, std::size_t) {
                std::fill_n(partials + s * p, p, 0.0);
                backend::add_squares<typename Rows::value_type>(
                    data.x, rows.sweep().rows_of(s), data.weights.empty() ? nullptr : data.weights.data(),
                    {inverse.empty() ? nullptr : scaled.scaling().means.data(), inverse.data()}, partials + s * p);
            });
    });
    for (double& sum : sums) sum /= rows.total_weight();
    return sums;
}

}  // namespace gamut::solver
