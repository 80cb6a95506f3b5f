// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <span>
#include <utility>
#include <vector>

#include <gamut/autodiff/gradient.hpp>
#include <gamut/backend/detail/block_products.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/sparse.hpp>

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

/// What a loss knows about its rows beside X. None of it is owned.
///   y             labels, one per row
///   omega         sample weights, one per row, or null: all 1
///   total_weight  Omega, the sum of the weights over all ranks
template <class T>
struct observations {
    const T* y = nullptr;
    const T* omega = nullptr;
    double total_weight = 1;
};

/// Evaluates a loss, its gradient and its Hessian's products over the rows of one rank, shard by shard.
///
/// Each evaluation is one pass: a block of rows is multiplied by the weights (Z = X W + b), the formula turns Z into its
/// derivative S, and X' S is added while the block is still in cache, so the data are read from memory once, not twice.
/// Shards run on all threads; the result of a shard never depends on how many there are.
///
/// Shapes: X n x p (dense or CSR), W p x c row-major, b c. A shard's partial is one row of doubles,
///   gradient   [ dW (p c) | db (c) | loss ]      hessian   [ dW (p c) | db (c) ]      value   [ loss ]
template <class T, class Matrix, autodiff::Loss Formula>
class sweep {
public:
    using value_type = T;
    using curvature = aligned_vector<T>;

    /// bounds: the first row of each shard, and the number of rows at the end.
    sweep(const Matrix& x, const observations<T>& rows, std::vector<std::size_t> bounds, const Formula& formula, std::size_t outputs,
          int threads)
        : x_(x), rows_(rows), bounds_(std::move(bounds)), formula_(formula), outputs_(outputs), threads_(threads),
          block_(detail::rows_per_block(x)) {}

    std::size_t columns() const { return x_.columns; }
    std::size_t outputs() const { return outputs_; }
    shard_range all() const { return {0, bounds_.size() - 1}; }
    std::size_t gradient_size() const { return (x_.columns + 1) * outputs_ + 1; }
    std::size_t hessian_size() const { return (x_.columns + 1) * outputs_; }

    /// partials: shards.size() rows of one number each.
    void value(const T* w, const T* b, shard_range shards, double* partials) const {
        for_each_shard(shards, [&](std::size_t shard, workspace& work) {
            double total = 0;
            for_each_block(rows_of(shard), [&](std::size_t begin, std::size_t end) {
                products(begin, end, w, b, work.z);
                total += static_cast<double>(evaluate(value_of_rows{*this}, begin, end, work, work.z, work.t));
            });
            partials[shard - shards.begin] = total;
        });
    }

    /// partials: shards.size() rows of gradient_size() numbers.
    void gradient(const T* w, const T* b, shard_range shards, double* partials) const {
        gradient_of(w, b, shards, [&](std::size_t shard) { return rows_of(shard); }, partials);
    }

    /// The same for some rows of each shard only: rows[s] lie within shard s.
    void gradient(const T* w, const T* b, std::span<const row_range> rows, double* partials) const {
        gradient_of(w, b, {0, rows.size()}, [&](std::size_t shard) { return rows[shard]; }, partials);
    }

    /// What a Hessian-vector product needs to know about the point w: for one output the second derivative of the loss at
    /// each row, d_i, so that H v = X' (d .* X v); for several outputs Z itself, from which the rows of S are
    /// differentiated in the direction X V. n or n c numbers.
    void linearize(const T* w, const T* b, shard_range shards, aligned_vector<T>& curvature) const {
        const std::size_t first = bounds_[shards.begin];
        curvature.resize((bounds_[shards.end] - first) * outputs_);
        for_each_shard(shards, [&](std::size_t shard, workspace& work) {
            for_each_block(rows_of(shard), [&](std::size_t begin, std::size_t end) {
                T* out = curvature.data() + (begin - first) * outputs_;
                if (outputs_ > 1) return products(begin, end, w, b, out);
                products(begin, end, w, b, work.z);
                std::fill(work.t, work.t + (end - begin), T(1));
                evaluate(hessian_of_rows{*this}, begin, end, work, work.z, work.t);
                std::copy(work.s, work.s + (end - begin), out);
            });
        });
    }

    /// partials: shards.size() rows of hessian_size() numbers: the shard's part of H (V, vb).
    void hessian(const aligned_vector<T>& curvature, const T* v, const T* vb, shard_range shards, double* partials) const {
        const std::size_t m = hessian_size(), first = bounds_[shards.begin];
        for_each_shard(shards, [&](std::size_t shard, workspace& work) {
            double* partial = partials + (shard - shards.begin) * m;
            std::fill(partial, partial + m, 0.0);
            T* g = work.accumulator(partial, m);
            for_each_block(rows_of(shard), [&](std::size_t begin, std::size_t end) {
                const T* known = curvature.data() + (begin - first) * outputs_;
                products(begin, end, v, vb, work.t);
                if (outputs_ == 1)
                    for (std::size_t i = 0; i < end - begin; ++i) work.s[i] = known[i] * work.t[i];
                else
                    evaluate(hessian_of_rows{*this}, begin, end, work, known, work.t);
                pull_back(begin, end, work.s, g);
            });
            work.store(partial, m);
        });
    }

    /// Z = X W + b for all rows of the shards, rows x outputs.
    void multiply(const T* w, const T* b, shard_range shards, T* z) const {
        const std::size_t first = bounds_[shards.begin];
        for_each_shard(shards, [&](std::size_t shard, workspace&) {
            for_each_block(rows_of(shard), [&](std::size_t begin, std::size_t end) { products(begin, end, w, b, z + (begin - first) * outputs_); });
        });
    }

    row_range rows_of(std::size_t shard) const { return {bounds_[shard], bounds_[shard + 1]}; }

private:
    using lanes = pack<T>;
    using dual = autodiff::dual<lanes>;
    static constexpr std::size_t width = lanes::width;
    static constexpr std::size_t scratch = autodiff::scratch_of<Formula>;

    /// One thread's memory, for one block of rows.
    struct workspace {
        aligned_vector<T> memory, sums;
        T *z, *s, *t;
        std::vector<lanes> values, adjoints, kept;
        std::vector<dual> dual_values, dual_adjoints, dual_kept;
        std::size_t used_sums = 0;

        workspace(std::size_t rows, std::size_t c)
            : memory(3 * rows * c), z(memory.data()), s(z + rows * c), t(s + rows * c), values(c), adjoints(c), kept(scratch * c),
              dual_values(c), dual_adjoints(c), dual_kept(scratch * c) {}

        /// Where a shard's sums grow: in the partial itself when that has the right type.
        T* accumulator(double* partial, std::size_t n) {
            if constexpr (std::is_same_v<T, double>) {
                return partial;
            } else {
                sums.assign(n, T(0));
                return sums.data();
            }
        }
        void store(double* partial, std::size_t n) const {
            if constexpr (!std::is_same_v<T, double>) std::copy(sums.data(), sums.data() + n, partial);
        }
    };

    /// Runs f(shard, workspace) for every shard on all threads; the first exception is rethrown when all are done.
    template <class F>
    void for_each_shard(shard_range shards, F&& f) const {
        std::exception_ptr failure;
        const auto work_through = [&](auto&& next) {
            try {
                workspace work(block_, outputs_);
                for (std::size_t shard = next(); shard < shards.end; shard = next()) f(shard, work);
            } catch (...) {
#pragma omp critical(gamut_sweep_failure)
                failure = std::current_exception();
            }
        };
        std::size_t taken = shards.begin;
#ifdef _OPENMP
        const int threads = static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(std::max(1, threads_)), shards.size()));
        if (threads > 1) {
#pragma omp parallel num_threads(threads)
            work_through([&] {
                std::size_t mine;
#pragma omp atomic capture
                mine = taken++;
                return mine;
            });
        } else
#endif
            work_through([&] { return taken++; });
        if (failure) std::rethrow_exception(failure);
    }

    template <class F>
    void for_each_block(row_range rows, F&& f) const {
        for (std::size_t begin = rows.begin; begin < rows.end; begin += block_) f(begin, std::min(begin + block_, rows.end));
    }

    template <class RowsOf>
    void gradient_of(const T* w, const T* b, shard_range shards, RowsOf&& rows_of_shard, double* partials) const {
        const std::size_t m = gradient_size();
        for_each_shard(shards, [&](std::size_t shard, workspace& work) {
            double* partial = partials + (shard - shards.begin) * m;
            std::fill(partial, partial + m, 0.0);
            T* g = work.accumulator(partial, m - 1);
            double total = 0;
            for_each_block(rows_of_shard(shard), [&](std::size_t begin, std::size_t end) {
                products(begin, end, w, b, work.z);
                total += static_cast<double>(evaluate(gradient_of_rows{*this}, begin, end, work, work.z, work.t));
                pull_back(begin, end, work.s, g);
            });
            work.store(partial, m - 1);
            partial[m - 1] = total;
        });
    }

    void products(std::size_t begin, std::size_t end, const T* w, const T* b, T* z) const {
        detail::multiply(x_, begin, end, outputs_, w, z);
        for (std::size_t i = 0; i < end - begin; ++i)
            for (std::size_t k = 0; k < outputs_; ++k) z[i * outputs_ + k] += b[k];
    }

    /// g += [ X' S | column sums of S ].
    void pull_back(std::size_t begin, std::size_t end, const T* s, T* g) const {
        detail::multiply_transposed(x_, begin, end, outputs_, s, g);
        T* sums = g + x_.columns * outputs_;
        for (std::size_t i = 0; i < end - begin; ++i)
            for (std::size_t k = 0; k < outputs_; ++k) sums[k] += s[i * outputs_ + k];
    }

    /// Rows i, ..., i + 7 of numbers with c per row, as c vectors; beyond the last row that row stands in.
    GAMUT_INLINE void gather(const T* numbers, std::size_t i, std::size_t rows, lanes* out) const {
        if (outputs_ == 1 && i + width <= rows) {
            out[0] = lanes::load(numbers + i);
            return;
        }
        for (std::size_t l = 0; l < width; ++l) {
            const T* row = numbers + std::min(i + l, rows - 1) * outputs_;
            for (std::size_t k = 0; k < outputs_; ++k) out[k].v[l] = row[k];
        }
    }
    template <class Get>
    GAMUT_INLINE void scatter(std::size_t i, std::size_t rows, T* numbers, Get&& get) const {
        if (outputs_ == 1 && i + width <= rows) {
            get(0).store(numbers + i);
            return;
        }
        for (std::size_t l = 0; l < width && i + l < rows; ++l)
            for (std::size_t k = 0; k < outputs_; ++k) numbers[(i + l) * outputs_ + k] = get(k).v[l];
    }

    /// Labels and weights of rows i, ..., i + 7; rows beyond `end` weigh nothing.
    template <class V>
    GAMUT_INLINE void move_to(autodiff::rows<V>& row, std::size_t i, std::size_t end) const {
        lanes label(0), weight(1);
        if (i + width <= end) {
            if (rows_.y) label = lanes::load(rows_.y + i);
            if (rows_.omega) weight = lanes::load(rows_.omega + i);
        } else {
            for (std::size_t l = 0; l < width; ++l) {
                label.v[l] = rows_.y ? rows_.y[std::min(i + l, end - 1)] : T(0);
                weight.v[l] = i + l < end ? (rows_.omega ? rows_.omega[i + l] : T(1)) : T(0);
            }
        }
        row.move_to(V(label), V(weight), V(weight * lanes(static_cast<T>(1 / rows_.total_weight))));
    }

    /// What is done with eight rows at a time; z and t hold the products of the rows from `begin` on.
    struct value_of_rows {
        const sweep& self;
        GAMUT_INLINE T operator()(std::size_t begin, std::size_t i, std::size_t end, workspace& work, const T* z, const T*) const {
            self.gather(z, i, end - begin, work.values.data());
            autodiff::rows<lanes> row(self.outputs_, work.values.data(), nullptr, work.kept.data());
            self.move_to(row, begin + i, end);
            return self.formula_.value(row, 0).total();
        }
    };
    struct gradient_of_rows {
        const sweep& self;
        GAMUT_INLINE T operator()(std::size_t begin, std::size_t i, std::size_t end, workspace& work, const T* z, const T*) const {
            self.gather(z, i, end - begin, work.values.data());
            for (std::size_t k = 0; k < self.outputs_; ++k) work.adjoints[k] = lanes(0);
            autodiff::rows<lanes> row(self.outputs_, work.values.data(), work.adjoints.data(), work.kept.data());
            self.move_to(row, begin + i, end);
            const T loss = autodiff::pull_row(self.formula_, row).total();
            self.scatter(i, end - begin, work.s, [&](std::size_t k) -> const lanes& { return work.adjoints[k]; });
            return loss;
        }
    };
    /// S differentiated at z in the direction t.
    struct hessian_of_rows {
        const sweep& self;
        GAMUT_INLINE T operator()(std::size_t begin, std::size_t i, std::size_t end, workspace& work, const T* z, const T* t) const {
            const std::size_t c = self.outputs_;
            self.gather(z, i, end - begin, work.values.data());
            self.gather(t, i, end - begin, work.adjoints.data());
            for (std::size_t k = 0; k < c; ++k) {
                work.dual_values[k] = dual(work.values[k], work.adjoints[k]);
                work.dual_adjoints[k] = dual(lanes(0), lanes(0));
            }
            autodiff::rows<dual> row(c, work.dual_values.data(), work.dual_adjoints.data(), work.dual_kept.data());
            self.move_to(row, begin + i, end);
            autodiff::pull_row(self.formula_, row);
            self.scatter(i, end - begin, work.s, [&](std::size_t k) -> const lanes& { return work.dual_adjoints[k].tangent; });
            return T(0);
        }
    };

    template <class F>
    GAMUT_INLINE static T over_rows(const F& f, std::size_t begin, std::size_t end, workspace& work, const T* z, const T* t) {
        T total = 0;
        for (std::size_t i = 0; i < end - begin; i += width) total += f(begin, i, end, work, z, t);
        return total;
    }
#ifdef GAMUT_AVX512
    template <class F>
    GAMUT_AVX512 [[gnu::flatten]] static T over_rows_avx512(const F& f, std::size_t begin, std::size_t end, workspace& work, const T* z,
                                                            const T* t) {
        return over_rows(f, begin, end, work, z, t);
    }
    template <class F>
    GAMUT_AVX2 [[gnu::flatten]] static T over_rows_avx2(const F& f, std::size_t begin, std::size_t end, workspace& work, const T* z,
                                                        const T* t) {
        return over_rows(f, begin, end, work, z, t);
    }
#endif
    /// The formula at every row of a block, with the best instructions of this machine.
    template <class F>
    T evaluate(const F& f, std::size_t begin, std::size_t end, workspace& work, const T* z, const T* t) const {
#ifdef GAMUT_AVX512
        if (detail::best_instructions() == detail::instructions::avx512) return over_rows_avx512(f, begin, end, work, z, t);
        if (detail::best_instructions() == detail::instructions::avx2) return over_rows_avx2(f, begin, end, work, z, t);
#endif
        return over_rows(f, begin, end, work, z, t);
    }

    const Matrix& x_;
    observations<T> rows_;
    std::vector<std::size_t> bounds_;
    Formula formula_;
    std::size_t outputs_;
    int threads_;
    std::size_t block_;
};

/// The sweep of a backend: each specialises this for its own.
template <class B, class Matrix, class Formula>
struct sweep_for;
template <class T, class Matrix, class Formula>
struct sweep_for<host<T>, Matrix, Formula> {
    using type = sweep<T, Matrix, Formula>;
};

}  // namespace gamut::backend
