// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/autodiff/gradient.hpp>
#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/detail/block_products.hpp>
#include <gamut/backend/detail/formula_kernels.hpp>
#include <gamut/backend/detail/newton_blocks.hpp>
#include <gamut/backend/detail/parallel.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/sparse.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>

namespace gamut::backend {

/// Consecutive shards of a rank.
struct shard_range {
    std::size_t begin = 0, end = 0;
    std::size_t size() const { return end - begin; }
};

/// Local rows begin <= i < end.
struct row_range {
    std::size_t begin = 0, end = 0;
};

/// How columns are standardised on the fly: (x - means[j]) * inverse_scales[j]; null: as they are.
struct column_scaling {
    const double* means = nullptr;
    const double* inverse_scales = nullptr;
};

/// What a loss knows about its rows beside X. None of it is owned.
///   y             labels, one per row
///   omega         sample weights, one per row, or null: all 1
///   total_weight  Omega, the sum of the weights over all ranks
///   offset        what is added to each row of Z, or null
template <class T> struct observations {
    const T* y = nullptr;
    const T* omega = nullptr;
    double total_weight = 1;
    const T* offset = nullptr;
};

/// Evaluates a loss, its gradient and its Hessian's products over the rows of one rank, shard by shard.
///
/// Each evaluation is one pass: a block of rows is multiplied by the weights (Z = X W + b, and the offsets), the formula turns Z into its
/// derivative S, and X' S is added while the block is still in cache, so the data are read from memory once, not twice.
/// Shards run on all threads; the result of a shard never depends on how many there are.
///
/// Shapes: X n x p (dense or CSR), W p x c row-major, b c. A shard's partial is one row of doubles,
///   gradient   [ dW (p c) | db (c) | loss ]      hessian   [ dW (p c) | db (c) ]      value   [ loss ]
///
/// Nothing is allocated after the first evaluation: the threads' memory is kept. One evaluation at a time, therefore.
template <class T, class Matrix, autodiff::Loss Formula> class sweep {
public:
    using value_type = T;
    using curvature = aligned_vector<T>;
    static constexpr bool knows_offsets = true;

    /// bounds: the first row of each shard, and the number of rows at the end. X and the rows are referred to.
    sweep(const Matrix& x, const observations<T>& rows, std::vector<std::size_t> bounds, const Formula& formula,
          std::size_t outputs, int threads)
        : x_(x),
          rows_(rows),
          bounds_(std::move(bounds)),
          formula_(formula),
          share_(static_cast<T>(1 / rows.total_weight)),
          outputs_(outputs),
          stride_(one_output ? 1 : detail::padded<T>(outputs)),
          block_(detail::rows_per_block(x, one_output)) {
        if (one_output && outputs != 1)
            throw core::shape_error(
                core::text("sweep: ", outputs, " outputs (a formula of a vector of weights has 1) make w a matrix"));
        constexpr std::size_t reads = 4;  // as long as the arithmetic of an entry takes, at least
        work_.resize(detail::threads_for(reads * entries_of(x_, bounds_.front(), bounds_.back()) * stride_,
                                         static_cast<std::size_t>(std::max(1, threads))));
    }

    std::size_t columns() const { return x_.columns; }
    std::size_t outputs() const { return outputs_; }
    shard_range all() const { return {0, bounds_.size() - 1}; }
    row_range rows_of(std::size_t shard) const { return {bounds_[shard], bounds_[shard + 1]}; }
    std::size_t gradient_size() const { return (x_.columns + 1) * outputs_ + 1; }
    std::size_t hessian_size() const { return (x_.columns + 1) * outputs_; }

    /// partials: shards.size() rows of one number each. The same bits as the loss beside a gradient.
    void value(const T* w, const T* b, shard_range shards, double* partials) const {
        set_weights(w, b);
        for_each_block(
            shards, nullptr, partials, 1, [&](workspace& work, double* partial, std::size_t begin, std::size_t end) {
                predictors(begin, end, work.z.data());
                *partial += static_cast<double>(evaluate<slopes>(work, begin, end, work.z.data(), stride_).loss);
            });
    }

    /// partials: shards.size() rows of gradient_size() numbers.
    void gradient(const T* w, const T* b, shard_range shards, double* partials) const {
        gradient_of(w, b, shards, nullptr, partials);
    }

    /// The same for some rows of each shard only: rows[s] lie within shard s.
    void gradient(const T* w, const T* b, std::span<const row_range> rows, double* partials) const {
        gradient_of(w, b, {0, rows.size()}, rows.data(), partials);
    }

    /// The same for some shards only: rows[s] for every shard s of this rank.
    void gradient(const T* w, const T* b, shard_range shards, std::span<const row_range> rows, double* partials) const {
        gradient_of(w, b, shards, rows.data(), partials);
    }

    /// What a Hessian-vector product needs to know about the point w: for one output the second derivative of the loss at
    /// each row, d_i, so that H v = X' (d .* X v); for several outputs Z itself, from which the rows of S are
    /// differentiated in the direction X V. n or n c numbers.
    void linearize(const T* w, const T* b, shard_range shards, aligned_vector<T>& bends) const {
        const std::size_t first = bounds_[shards.begin];
        bends.resize((bounds_[shards.end] - first) * outputs_);
        set_weights(w, b);
        for_each_block(shards, nullptr, nullptr, 0, [&](workspace& work, double*, std::size_t begin, std::size_t end) {
            T* out = bends.data() + (begin - first) * outputs_;
            predictors(begin, end, work.z.data());
            if constexpr (one_output) {
                evaluate<curvatures>(work, begin, end, work.z.data(), 1);
                std::copy_n(work.s.data(), end - begin, out);
            } else {
                copy_rows(work.z.data(), stride_, end - begin, out, outputs_);
            }
        });
    }

    /// partials: shards.size() rows of hessian_size() numbers: the shard's part of H (V, vb).
    void hessian(const aligned_vector<T>& bends, const T* v, const T* vb, shard_range shards, double* partials) const {
        const std::size_t first = bounds_[shards.begin];
        set_weights(v, vb);
        for_each_block(shards, nullptr, partials, hessian_size(),
                       [&](workspace& work, double* partial, std::size_t begin, std::size_t end) {
                           const T* known = bends.data() + (begin - first) * outputs_;
                           T slope = 0;
                           if constexpr (one_output) {
                               products(begin, end, work.z.data());
                               slope = detail::multiply_entries(known, work.z.data(), end - begin, work.s.data());
                           } else {
                               products(begin, end, work.t.data());
                               evaluate<curvatures>(work, begin, end, known, outputs_);
                           }
                           pull_back(work, begin, end, slope, partial);
                       });
    }

    /// The loss's second derivatives with respect to some entries of the weights of standardised columns, (x - mean) / scale:
    ///   H_ef = sum over rows of x~_ij D_i,kl x~_im,  e = (j, k), f = (m, l),  D_i = d^2 loss / d z_k d z_l at row i.
    /// entries: indices j c + k, ordered by output k and then by feature j; j = columns() is the intercept. out[g]: for the
    /// shards groups[g], entries x entries, on and above the diagonal; must be zeros before. A group is one thread's. One pass
    /// over the rows, and rows |entries|^2 multiplications and additions; sparse rows are filled out for the entries alone.
    void second_derivatives(const T* w, const T* b, std::span<const std::size_t> entries, column_scaling scaling,
                            std::span<const shard_range> groups, double* out) const {
        const std::size_t c = outputs_, m = entries.size();
        const detail::output_columns chosen(entries, c);
        set_weights(w, b);
        for (workspace& work : work_) prepare(work, false);
        detail::parallel_for(0, groups.size(), work_.size(), [&](std::size_t g, std::size_t thread) {
            workspace& work = work_[thread];
            const detail::column_gatherer gatherer(chosen, x_.columns, scaling.means, scaling.inverse_scales);
            std::vector<aligned_vector<double>> a(c);
            aligned_vector<double> scaled;
            constexpr std::size_t chunk = 256;  // rows that share one product
            std::vector<T> d(chunk * c * c);
            double* const sum = out + g * m * m;
            const std::size_t last = bounds_[groups[g].end];
            for (std::size_t begin = bounds_[groups[g].begin]; begin < last; begin += chunk) {
                const std::size_t rows = std::min(chunk, last - begin);
                for (std::size_t i = 0; i < rows; i += block_)
                    curvature_of_rows(work, begin + i, begin + std::min(i + block_, rows), d.data() + i, chunk);
                for (std::size_t k = 0; k < c; ++k) {
                    a[k].resize(rows * chosen.of(k).size());
                    gatherer.gather(x_, begin, begin + rows, k, a[k].data());
                }
                for (std::size_t l = 0; l < c; ++l) {
                    const std::size_t n = chosen.of(l).size();
                    scaled.resize(rows * n);
                    for (std::size_t k = 0; k <= l && n > 0; ++k) {
                        if (chosen.of(k).empty()) continue;
                        const T* const factor = d.data() + (k * c + l) * chunk;
                        for (std::size_t i = 0; i < rows; ++i)
                            for (std::size_t e = 0; e < n; ++e)
                                scaled[i * n + e] = static_cast<double>(factor[i]) * a[l][i * n + e];
                        detail::add_product(a[k].data(), chosen.of(k).size(), scaled.data(), n, rows, k == l,
                                            sum + chosen.first[k] * m + chosen.first[l], m);
                    }
                }
            }
        });
    }

    /// Z = X W + b, and the offsets, for all rows of the shards, rows x outputs.
    void multiply(const T* w, const T* b, shard_range shards, T* z) const {
        const std::size_t first = bounds_[shards.begin];
        set_weights(w, b);
        for_each_block(shards, nullptr, nullptr, 0, [&](workspace& work, double*, std::size_t begin, std::size_t end) {
            T* out = z + (begin - first) * outputs_;
            if constexpr (one_output) {
                predictors(begin, end, out);
            } else {
                predictors(begin, end, work.z.data());
                copy_rows(work.z.data(), stride_, end - begin, out, outputs_);
            }
        });
    }

private:
    static constexpr bool one_output = !autodiff::has_table<Formula>;
    using slopes = detail::slopes<T, Formula>;
    using curvatures = detail::curvatures<T, Formula>;

    /// A shard's sums grow in its partial itself, unless they have another type or padded rows there.
    static constexpr bool in_place = one_output && std::is_same_v<T, double>;

    /// One thread's memory. sums: (columns + 1) x stride_, zeros between shards.
    struct workspace {
        aligned_vector<T> z, s, t, sums;
        std::optional<detail::formula_workspace<T, Formula>> formula;
        std::size_t rows = 0, entries = 0;  // that are in the sums
    };

    /// w and b where the products want them: rows of whole vectors.
    void set_weights(const T* w, const T* b) const {
        if constexpr (one_output) {
            w_ = w;
            b_ = b[0];
        } else {
            packed_.resize((x_.columns + 1) * stride_);
            copy_rows(w, outputs_, x_.columns, packed_.data(), stride_);
            copy_rows(b, outputs_, 1, packed_.data() + x_.columns * stride_, stride_);
        }
    }
    void copy_rows(const T* from, std::size_t from_stride, std::size_t rows, T* to, std::size_t to_stride) const {
        for (std::size_t i = 0; i < rows; ++i)
            for (std::size_t k = 0; k < outputs_; ++k) to[i * to_stride + k] = from[i * from_stride + k];
    }

    /// Calls block(work, partial, begin, end) for the blocks of every shard, or of some rows of each; a partial has m numbers.
    template <class Block>
    void for_each_block(shard_range shards, const row_range* rows, double* partials, std::size_t m,
                        Block&& block) const {
        for (workspace& work : work_) prepare(work, m > 1);
        detail::parallel_for(shards.begin, shards.end, work_.size(), [&](std::size_t shard, std::size_t thread) {
            workspace& work = work_[thread];
            const row_range range = rows ? rows[shard] : rows_of(shard);
            double* partial = partials + (shard - shards.begin) * m;
            std::fill_n(partial, m, 0.0);
            for (std::size_t begin = range.begin; begin < range.end; begin += block_)
                block(work, partial, begin, std::min(begin + block_, range.end));
            flush(work, partial);
        });
    }
    void prepare(workspace& work, bool with_sums) const {
        if (!work.formula) {
            work.z.resize(block_ * stride_);
            work.s.resize(block_ * stride_);
            if (!one_output) work.t.resize(block_ * stride_);
            work.formula.emplace(outputs_);
        }
        if (!in_place && with_sums) work.sums.resize((x_.columns + 1) * stride_);
    }

    void gradient_of(const T* w, const T* b, shard_range shards, const row_range* rows, double* partials) const {
        const std::size_t m = gradient_size();
        set_weights(w, b);
        for_each_block(shards, rows, partials, m,
                       [&](workspace& work, double* partial, std::size_t begin, std::size_t end) {
                           predictors(begin, end, work.z.data());
                           const auto sums = evaluate<slopes>(work, begin, end, work.z.data(), stride_);
                           partial[m - 1] += static_cast<double>(sums.loss);
                           pull_back(work, begin, end, sums.slope, partial);
                       });
    }

    void products(std::size_t begin, std::size_t end, T* z) const {
        const auto rows = detail::part(x_, begin, end);
        if constexpr (one_output)
            detail::multiply(rows, w_, b_, z);
        else
            detail::multiply(rows, packed_.data(), packed_.data() + x_.columns * stride_, z, stride_);
    }

    /// Z where the loss is: the products and the offsets.
    void predictors(std::size_t begin, std::size_t end, T* z) const {
        products(begin, end, z);
        if (!rows_.offset) return;
        for (std::size_t i = 0; i < end - begin; ++i)
            for (std::size_t k = 0; k < outputs_; ++k) z[i * stride_ + k] += rows_.offset[begin + i];
    }

    template <class Kernel>
    detail::formula_sums<T> evaluate(workspace& work, std::size_t begin, std::size_t end, const T* z,
                                     std::size_t z_stride) const {
        const T* t = work.t.empty() ? nullptr : work.t.data();
        return work.formula->template evaluate<Kernel>(formula_,
                                                       {end - begin, outputs_, rows_.y ? rows_.y + begin : nullptr,
                                                        rows_.omega ? rows_.omega + begin : nullptr, z, z_stride, t,
                                                        stride_, work.s.data(), stride_},
                                                       share_);
    }

    /// d[(k c + l) stride + i] = d^2 loss / d z_k d z_l at row begin + i; no more rows than a block has.
    void curvature_of_rows(workspace& work, std::size_t begin, std::size_t end, T* d, std::size_t stride) const {
        const std::size_t rows = end - begin, c = outputs_;
        predictors(begin, end, work.z.data());
        if constexpr (one_output) {
            evaluate<curvatures>(work, begin, end, work.z.data(), 1);
            std::copy_n(work.s.data(), rows, d);
        } else {
            for (std::size_t l = 0; l < c; ++l) {
                std::fill_n(work.t.data(), rows * stride_, T(0));
                for (std::size_t i = 0; i < rows; ++i) work.t[i * stride_ + l] = 1;
                evaluate<curvatures>(work, begin, end, work.z.data(), stride_);
                for (std::size_t k = 0; k < c; ++k)
                    for (std::size_t i = 0; i < rows; ++i) d[(k * c + l) * stride + i] = work.s[i * stride_ + k];
            }
        }
    }

    /// Adds [ X' S | column sums of S ]. slope: the sum of S, if there is one output.
    void pull_back(workspace& work, std::size_t begin, std::size_t end, T slope, double* partial) const {
        const std::size_t n = x_.columns;
        const auto rows = detail::part(x_, begin, end),
                   next = detail::part(x_, end, std::min(end + (end - begin), x_.rows));
        if constexpr (in_place) {
            detail::multiply_transposed(rows, next, work.s.data(), partial);
            partial[n] += slope;
        } else {
            T* g = work.sums.data();
            if constexpr (one_output) {
                detail::multiply_transposed(rows, next, work.s.data(), g);
                g[n] += slope;
            } else {
                detail::multiply_transposed(rows, work.s.data(), g, stride_);
                for (std::size_t i = 0; i < end - begin; ++i)
                    for (std::size_t k = 0; k < stride_; ++k) g[n * stride_ + k] += work.s[i * stride_ + k];
            }
            work.rows += end - begin;
            work.entries += entries_of(x_, begin, end);
            // long sums in float would lose digits; short ones in double cost a pass over G
            if (!std::is_same_v<T, double> && work.rows >= 1024 && work.entries >= 8 * n) flush(work, partial);
        }
    }

    /// Moves what is in the sums to the partial.
    void flush(workspace& work, double* partial) const {
        if constexpr (!in_place) {
            if (work.rows == 0) return;
            for (std::size_t j = 0; j < x_.columns + 1; ++j)
                for (std::size_t k = 0; k < outputs_; ++k)
                    partial[j * outputs_ + k] += static_cast<double>(work.sums[j * stride_ + k]);
            std::fill(work.sums.begin(), work.sums.end(), T(0));
            work.rows = work.entries = 0;
        }
    }

    const Matrix& x_;
    observations<T> rows_;
    std::vector<std::size_t> bounds_;
    Formula formula_;
    T share_;
    std::size_t outputs_, stride_, block_;
    mutable std::vector<workspace> work_;
    mutable aligned_vector<T> packed_;  // W, then b
    mutable const T* w_ = nullptr;
    mutable T b_ = 0;
};

/// The sweep of a backend: each specialises this for its own.
template <class B, class Matrix, class Formula> struct sweep_for;
template <class T, class Matrix, class Formula> struct sweep_for<host<T>, Matrix, Formula> {
    using type = sweep<T, Matrix, Formula>;
};

}  // namespace gamut::backend
