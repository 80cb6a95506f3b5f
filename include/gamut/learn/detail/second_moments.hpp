// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/backend/kernel.hpp>
#include <gamut/backend/pack.hpp>
#include <gamut/core/random.hpp>
#include <gamut/learn/detail/rows.hpp>
#include <gamut/learn/detail/shards.hpp>

namespace gamut::learn::detail {

/// x'y for p numbers each.
struct inner_product {
    template <std::size_t Bytes> GAMUT_INLINE static double run(const double* x, const double* y, std::size_t p) {
        using P = backend::pack<double, Bytes>;
        P a(0);
        std::size_t j = 0;
        for (; j + 8 <= p; j += 8) a += P::load(x + j) * P::load(y + j);
        double sum = a.total();
        for (; j < p; ++j) sum += x[j] * y[j];
        return sum;
    }
};
inline double dot(const double* x, const double* y, std::size_t p) { return backend::run<inner_product>(x, y, p); }

/// Weighted means of all columns. One pass, one exact sum.
template <communicator::Communicator C, class Dataset>
std::vector<double> means_of(const shards<C>& by, const Dataset& rows) {
    const std::size_t p = rows.columns();
    std::vector<double> totals(p + 1);
    by.sum(totals, [&](std::size_t, data::range local, std::size_t, double* partial) {
        for (std::size_t i = local.begin; i < local.end; ++i) {
            const auto w = static_cast<double>(rows.weight(i));
            visit_row(rows.x, i, [&](std::size_t j, double v) { partial[j] += w * v; });
            partial[p] += w;
        }
    });
    const double weight = totals[p];
    totals.pop_back();
    for (double& mean : totals) mean /= weight;
    return totals;
}

/// The weight of all rows, and sum w_i |x_i - m|^2. One pass, one exact sum.
template <communicator::Communicator C, class Dataset>
std::pair<double, double> total_squares(const shards<C>& by, const Dataset& rows, const std::vector<double>& m) {
    std::vector<double> totals(2);
    by.sum(totals, [&](std::size_t, data::range local, std::size_t, double* partial) {
        std::vector<double> row(rows.columns());
        for (std::size_t i = local.begin; i < local.end; ++i) {
            const auto w = static_cast<double>(rows.weight(i));
            copy_row(rows.x, i, row.data());
            double sum = 0;
            for (std::size_t j = 0; j < row.size(); ++j) sum += (row[j] - m[j]) * (row[j] - m[j]);
            partial[0] += w;
            partial[1] += w * sum;
        }
    });
    return {totals[0], totals[1]};
}

/// Some rows of a shard about m, times the root of their weights: work(buffer, count) for each block.
template <class Dataset, class Work>
void centred_blocks(const Dataset& rows, data::range local, const std::vector<double>& m, std::vector<double>& buffer,
                    Work&& work) {
    constexpr std::size_t block = 128;
    const std::size_t p = rows.columns();
    buffer.resize(block * p);
    for (std::size_t begin = local.begin; begin < local.end; begin += block) {
        const std::size_t end = std::min(local.end, begin + block);
        for (std::size_t i = begin; i < end; ++i) {
            double* const to = buffer.data() + (i - begin) * p;
            const double root = std::sqrt(static_cast<double>(rows.weight(i)));
            copy_row(rows.x, i, to);
            for (std::size_t j = 0; j < p; ++j) to[j] = root * (to[j] - m[j]);
        }
        work(buffer.data(), end - begin);
    }
}

/// sum w_i (x_i - m)(x_i - m)', p x p, the lower triangle. One pass, and exact sums of p^2 / 2 numbers in panels of columns, so that the
/// shards' partials fit into memory.
template <communicator::Communicator C, class Dataset>
std::vector<double> second_moments(const shards<C>& by, const Dataset& rows, const std::vector<double>& m) {
    const std::size_t p = rows.columns(), budget = std::size_t(16) << 20;  // numbers
    std::vector<double> whole(p * p);
    std::vector<std::vector<double>> buffers(by.threads());
    for (std::size_t begin = 0; begin < p;) {
        const std::size_t height = p - begin,
                          width = std::clamp<std::size_t>(budget / (by.count() * height), 1, height);
        std::vector<double> panel(height * width);
        by.sum(panel, [&](std::size_t, data::range local, std::size_t thread, double* partial) {
            centred_blocks(rows, local, m, buffers[thread], [&](const double* x, std::size_t count) {
                backend::host<double>::gemm(true, false, height, width, count, 1.0, x + begin, p, x + begin, p, 1.0,
                                            partial, width);
            });
        });
        for (std::size_t i = 0; i < height; ++i)
            for (std::size_t j = 0; j < width && j <= i; ++j) whole[(begin + i) * p + begin + j] = panel[i * width + j];
        begin += width;
    }
    return whole;
}

/// Rows of length 1, orthogonal to each other (Gram and Schmidt, twice); what depends on earlier rows becomes a random direction.
inline void orthonormalize(std::vector<double>& rows, std::size_t count, std::size_t p, const core::random& source) {
    for (std::size_t r = 0; r < count; ++r) {
        double* const row = rows.data() + r * p;
        for (std::uint64_t tries = 0;; ++tries) {
            const double before = std::sqrt(dot(row, row, p));
            for (int twice = 0; twice < 2; ++twice)
                for (std::size_t q = 0; q < r; ++q) {
                    const double* const other = rows.data() + q * p;
                    const double along = dot(row, other, p);
                    for (std::size_t j = 0; j < p; ++j) row[j] -= along * other[j];
                }
            const double length = std::sqrt(dot(row, row, p));
            if (length > 1e-13 * before || tries == 3) {
                for (std::size_t j = 0; j < p; ++j) row[j] = length > 0 ? row[j] / length : 0;
                break;
            }
            for (std::size_t j = 0; j < p; ++j) row[j] = source.normal((tries * count + r) * p + j);
        }
    }
}

/// Subspace iteration with Rayleigh and Ritz: V orthonormal, W = X'X V; the eigenvectors of V'W turn V into estimates of directions,
/// W is the next subspace.
template <communicator::Communicator C, class Dataset> class subspace {
public:
    subspace(const shards<C>& by, const Dataset& rows, const std::vector<double>& m, std::size_t width,
             std::uint64_t seed)
        : by_(by),
          rows_(rows),
          m_(m),
          p_(rows.columns()),
          width_(width),
          source_{.seed = seed, .stream = 1},
          next_(width * p_),
          buffers_(by.threads()),
          products_(by.threads()) {
        const core::random start{.seed = seed};
        for (std::size_t i = 0; i < next_.size(); ++i) next_[i] = start.normal(i);
    }

    const std::vector<double>& directions() const { return v_; }  // width x p, ascending
    const std::vector<double>& values() const { return values_; }

    /// One iteration; the largest |X'X v - value v| of the last k directions, over the largest value.
    double step(std::size_t k) {
        std::vector<double> v = std::exchange(next_, {});
        orthonormalize(v, width_, p_, source_);
        std::vector<double> w(width_ * p_);
        by_.sum(w, [&](std::size_t, data::range local, std::size_t thread, double* partial) {
            centred_blocks(rows_, local, m_, buffers_[thread], [&](const double* x, std::size_t count) {
                auto& z = products_[thread];
                z.resize(count * width_);
                backend::host<double>::gemm(false, true, count, width_, p_, 1.0, x, p_, v.data(), p_, 0.0, z.data(),
                                            width_);
                backend::host<double>::gemm(true, false, width_, p_, count, 1.0, z.data(), width_, x, p_, 1.0, partial,
                                            p_);
            });
        });
        std::vector<double> t(width_ * width_);
        backend::host<double>::gemm(false, true, width_, width_, p_, 1.0, v.data(), p_, w.data(), p_, 0.0, t.data(),
                                    width_);
        values_.assign(width_, 0.0);
        if (!backend::host<double>::eigen(width_, t.data(), values_.data()))
            throw core::data_error(
                core::text(rows_.source, ": X'X is not finite (values are too large) scale the columns"));
        v_.resize(width_ * p_);
        next_.resize(width_ * p_);
        backend::host<double>::gemm(false, false, width_, p_, width_, 1.0, t.data(), width_, v.data(), p_, 0.0,
                                    v_.data(), p_);
        backend::host<double>::gemm(false, false, width_, p_, width_, 1.0, t.data(), width_, w.data(), p_, 0.0,
                                    next_.data(), p_);
        double residual = 0;
        for (std::size_t c = width_ - k; c < width_; ++c) {
            double sum = 0;
            for (std::size_t j = 0; j < p_; ++j) {
                const double rest = next_[c * p_ + j] - values_[c] * v_[c * p_ + j];
                sum += rest * rest;
            }
            residual = std::max(residual, std::sqrt(sum));
        }
        return values_.back() > 0 ? residual / values_.back() : 0;
    }

private:
    const shards<C>& by_;
    const Dataset& rows_;
    const std::vector<double>& m_;
    std::size_t p_, width_;
    core::random source_;
    std::vector<double> next_, v_, values_;
    std::vector<std::vector<double>> buffers_, products_;
};

}  // namespace gamut::learn::detail
