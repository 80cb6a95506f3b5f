// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <type_traits>
#include <vector>

#include <gamut/backend/gram.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/parallel.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/data/standardize.hpp>

namespace gamut::solver::detail {

/// Where the rows of all ranks are many, and how they are dealt.
struct row_sizes {
    std::size_t rows, blocks, threads;

    /// Few rows travel themselves where columns are many, and every rank multiplies them all: no more numbers than the partial
    /// sums of the products, and none of them is added up exactly. More rows stay, and their products are summed.
    static constexpr std::size_t few_rows = 512;
    /// For products of so many new columns.
    bool travel(std::size_t fresh) const { return rows <= few_rows && rows <= fresh * blocks; }
};

/// factor sum of d_i a_i a_i' over the rows of all ranks for columns of A = [ X~ | 1 | y ], the same on all ranks; feature j of p is j,
/// the ones are p, the labels p + 1.
template <class Matrix, class T> struct second_moments {
    const Matrix& x;
    const T* y;
    const std::vector<backend::row_range>& runs;  // the rows of each of this rank's blocks
    const backend::row_weights<T>& weights;       // d
    const data::standardization& scaling;

    /// Row r of the result is column fresh[r] against the columns `known` and then `fresh`. Collective. A rank that has failed on
    /// its way here says so by `failure`; then all throw.
    template <class C>
    backend::dense_matrix<double> sum(const C& ranks, std::span<const std::size_t> known,
                                      std::span<const std::size_t> fresh, double factor, const row_sizes& of,
                                      std::vector<double>& scratch, std::exception_ptr failure) const {
        return of.travel(fresh.size()) ? gathered(ranks, known, fresh, factor, of, failure)
                                       : summed(ranks, known, fresh, factor, of, scratch, failure);
    }

    /// see(i, a_i, root of factor d_i) for these columns of all rows i, by that many threads, on every rank: their products' sum is
    /// that of (root a_i)(root a_i)'. factor d_i >= 0. Collective.
    template <class C, class F>
    void visit_rows(const C& ranks, std::span<const std::size_t> columns, double factor, std::size_t threads,
                    F&& see) const {
        const std::size_t width = columns.size(), stride = width + 1;
        if (ranks.size() == 1) {
            const std::vector<double> inverse = inverse_scales();
            const row_copies copy(*this, chosen(columns, inverse));
            return backend::parallel_for(0, runs.size(), threads, [&](std::size_t r, std::size_t) {
                std::vector<double> row(width);
                for (std::size_t i = runs[r].begin; i < runs[r].end; ++i) {
                    copy(i, row.data());
                    see(i, static_cast<const double*>(row.data()), std::sqrt(factor * weights(i)));
                }
            });
        }
        const std::vector<double> rows = all_rows(ranks, columns, nullptr);
        backend::parallel_for(0, rows.size() / stride, threads, [&](std::size_t i, std::size_t) {
            const double* const row = rows.data() + i * stride;
            see(i, row, std::sqrt(factor * row[width]));
        });
    }

private:
    std::vector<double> inverse_scales() const {
        std::vector<double> inverse;
        for (const double divisor : scaling.divisors()) inverse.push_back(1 / divisor);
        return inverse;
    }
    backend::moment_columns chosen(std::span<const std::size_t> columns, const std::vector<double>& inverse) const {
        return {columns, x.columns, {inverse.empty() ? nullptr : scaling.means.data(), inverse.data()}};
    }

    /// Strips of rows, each summed over all ranks: the upper triangle alone of what is symmetric, one partial per block of rows,
    /// blocks on all threads.
    template <class C>
    backend::dense_matrix<double> summed(const C& ranks, std::span<const std::size_t> known,
                                         std::span<const std::size_t> fresh, double factor, const row_sizes& of,
                                         std::vector<double>& scratch, std::exception_ptr failure) const {
        const std::size_t n = fresh.size(), m = known.size(), count = runs.size();
        // of whole blocks, at most 32 MiB, but strips as high as products are fast
        const std::size_t room = (std::size_t(32) << 20) / sizeof(double) / of.blocks / (m + n + 1);
        const std::size_t strip = std::clamp<std::size_t>(room, 128, std::max<std::size_t>(128, m));
        backend::dense_matrix<double> result(n, m + n);
        const std::vector<double> inverse = inverse_scales();
        std::vector<double> sums;
        std::vector<std::size_t> columns(known.begin(), known.end());
        for (std::size_t begin = 0; begin < n; begin += strip) {
            const std::size_t height = std::min(strip, n - begin), width = m + n - begin;
            sums.resize(height * width);
            std::span<double> partials;
            try {
                if (failure) std::rethrow_exception(failure);
                if (scratch.size() < count * height * width) scratch.resize(count * height * width);
                partials = std::span(scratch).first(count * height * width);
                columns.resize(m);
                columns.insert(columns.end(), fresh.begin() + static_cast<std::ptrdiff_t>(begin), fresh.end());
                backend::products_of_columns(x, std::span<const backend::row_range>(runs), y, weights,
                                             chosen(columns, inverse), {m, m + height}, partials.data(), of.threads);
            } catch (...) {
                failure = std::current_exception();
            }
            communicator::sum(ranks, std::span<const double>(partials), count, sums, failure);
            for (std::size_t i = 0; i < height; ++i)
                for (std::size_t j = 0; j < width; ++j) {
                    const std::size_t row = begin + i, column = j < m ? j : j + begin;
                    if (j >= m && column < m + row) continue;
                    result(row, column) = factor * sums[i * width + j];
                    if (j >= m) result(column - m, m + row) = result(row, column);
                }
        }
        return result;
    }

    /// The rows of all ranks, in their order, on every rank: of each these columns, then its weight.
    template <class C>
    std::vector<double> all_rows(const C& ranks, std::span<const std::size_t> columns,
                                 const std::exception_ptr& failure) const {
        const std::size_t stride = columns.size() + 1;
        std::size_t mine = 0;
        std::vector<double> rows;
        communicator::agree(ranks, [&] {
            if (failure) std::rethrow_exception(failure);
            const std::vector<double> inverse = inverse_scales();
            for (const backend::row_range& run : runs) mine += run.end - run.begin;
            rows.resize(mine * stride);
            const row_copies copy(*this, chosen(columns, inverse));
            double* out = rows.data();
            for (const backend::row_range& run : runs)
                for (std::size_t i = run.begin; i < run.end; ++i, out += stride) {
                    copy(i, out);
                    out[columns.size()] = weights(i);
                }
        });
        return from_all(ranks, std::move(rows), mine, stride);
    }

    template <class C>
    backend::dense_matrix<double> gathered(const C& ranks, std::span<const std::size_t> known,
                                           std::span<const std::size_t> fresh, double factor, const row_sizes& of,
                                           const std::exception_ptr& failure) const {
        const std::size_t n = fresh.size(), m = known.size(), width = m + n, stride = width + 1;
        std::vector<std::size_t> columns(known.begin(), known.end());
        columns.insert(columns.end(), fresh.begin(), fresh.end());
        std::vector<double> rows = all_rows(ranks, columns, failure);

        const std::size_t count = rows.size() / stride;
        backend::dense_matrix<double> result(n, width);
        if (count == 0) return result;
        bool weights_have_roots = true;
        for (std::size_t i = 0; i < count; ++i)
            weights_have_roots = weights_have_roots && factor * rows[i * stride + width] >= 0;
        std::vector<double> weighted(weights_have_roots ? 0 : count * n);
        for (std::size_t i = 0; i < count; ++i) {
            double* const row = rows.data() + i * stride;
            const double weight = factor * row[width], root = std::sqrt(weight);
            if (weights_have_roots)
                for (std::size_t k = 0; k < width; ++k) row[k] *= root;
            else
                for (std::size_t k = 0; k < n; ++k) weighted[i * n + k] = weight * row[m + k];
        }
        const double* const left = weights_have_roots ? rows.data() + m : weighted.data();
        const std::size_t left_stride = weights_have_roots ? stride : n;
        constexpr std::size_t strip = 64;
        const std::size_t strips = (n + strip - 1) / strip;
        // against the known columns, and the upper triangle against the fresh ones
        constexpr std::size_t products_for_an_entry = 8;  // made in the time that one entry is read
        const std::size_t threads = backend::threads_for(count * n * width / products_for_an_entry, of.threads);
        backend::parallel_for(0, strips, threads, [&](std::size_t s, std::size_t) {
            const std::size_t begin = s * strip, height = std::min(strip, n - begin);
            double* const out = result.values.data() + begin * width;
            const auto multiply = [&](std::size_t first, std::size_t some) {
                backend::host<double>::gemm(true, false, height, some, count, 1.0, left + begin, left_stride,
                                            rows.data() + first, stride, 0.0, out + first, width);
            };
            multiply(0, m);
            multiply(m + begin, n - begin);
        });
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < i; ++j) result(i, m + j) = result(j, m + i);
        return result;
    }

    /// Own rows, one at a time.
    class row_copies {
    public:
        row_copies(const second_moments& of, const backend::moment_columns& columns) : of_(of), columns_(columns) {
            if constexpr (is_sparse) places_ = columns.places(of.x.columns);
        }
        void operator()(std::size_t i, double* out) const {
            if constexpr (is_sparse)
                columns_.copy_row(of_.x, places_, of_.y, i, out);
            else
                columns_.copy_row(of_.x, of_.y, i, out);
        }

    private:
        static constexpr bool is_sparse = std::is_same_v<Matrix, backend::sparse_matrix<T>>;
        const second_moments& of_;
        backend::moment_columns columns_;
        std::vector<std::int32_t> places_;
    };

    /// The rows of all ranks, one rank's behind the other's.
    template <class C>
    static std::vector<double> from_all(const C& ranks, std::vector<double> rows, std::size_t mine,
                                        std::size_t stride) {
        const auto size = static_cast<std::size_t>(ranks.size());
        if (size == 1) return rows;
        const auto count = static_cast<std::int64_t>(mine);
        std::vector<std::int64_t> counts(size);
        ranks.gather(std::span<const std::int64_t>(&count, 1), std::span<std::int64_t>(counts));
        const auto most = static_cast<std::size_t>(*std::max_element(counts.begin(), counts.end()));
        rows.resize(most * stride);
        std::vector<double> all(size * most * stride);
        ranks.gather(std::span<const double>(rows), std::span<double>(all));
        std::vector<double> compact;
        for (std::size_t r = 0; r < size; ++r) {
            const auto begin = all.begin() + static_cast<std::ptrdiff_t>(r * most * stride);
            compact.insert(compact.end(), begin,
                           begin + static_cast<std::ptrdiff_t>(counts[r]) * static_cast<std::ptrdiff_t>(stride));
        }
        return compact;
    }
};

}  // namespace gamut::solver::detail
