// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/backend/kernel.hpp>
#include <gamut/backend/parallel.hpp>

namespace gamut::learn::detail {

/// The first t in [from, to) with low[t] - 2 products[t] <= limit, or what cannot be compared; else `to`.
struct next_within {
    template <std::size_t Bytes>
    GAMUT_INLINE static std::size_t run(const float* low, const float* products, std::size_t from, std::size_t to,
                                        float limit) {
        constexpr std::size_t step = 32;
        for (; from + step <= to; from += step) {
            int some = 0;
            for (std::size_t t = from; t < from + step; ++t) some |= low[t] - 2 * products[t] > limit ? 0 : 1;
            if (some != 0) break;
        }
        while (from < to && low[from] - 2 * products[from] > limit) ++from;
        return from;
    }
};

/// Rows t of p numbers that queries x are measured against in single precision, from below: what is farther than asked for in any case need not
/// be measured exactly. About the rows' mean and scaled by a power of two, with u = 2^-24,
///     |x - t|^2 = |x|^2 + |t|^2 - 2 x't,    of which single precision errs by at most (p + 6.1) u (|x|^2 + |t|^2) and underflow
/// (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1); centring errs by as much as the numbers are large.
class rough_distances {
public:
    /// rows: count x p. Half of their memory.
    rough_distances(const double* rows, std::size_t count, std::size_t p, std::size_t threads)
        : p_(p),
          share_(1.5 * static_cast<double>(p + 8) * 0x1p-24),
          mean_(p),
          rows_(count * p),
          low_(count) {
        std::vector<double> largest(p);
        for (std::size_t t = 0; t < count; ++t)
            for (std::size_t j = 0; j < p; ++j) {
                mean_[j] += rows[t * p + j] / static_cast<double>(count);
                largest[j] = std::max(largest[j], std::abs(rows[t * p + j]));
            }
        double most = 0;
        for (std::size_t t = 0; t < count; ++t)
            for (std::size_t j = 0; j < p; ++j) most = std::max(most, std::abs(rows[t * p + j] - mean_[j]));
        if (most > 0 && std::isfinite(most)) scale_ = std::ldexp(1.0, -std::ilogb(most));
        for (const double one : largest) {
            const double error = one * scale_ * 0x1p-50;
            centring_ += error * error;
        }
        backend::parallel_for(0, count, threads, [&](std::size_t t, std::size_t) {
            const double square = convert(rows + t * p, rows_.data() + t * p);
            low_[t] =
                std::nextafter(static_cast<float>(square * (1 - share_)), -std::numeric_limits<float>::infinity());
        });
    }

    /// Some queries at a time: buffers of a thread.
    struct workspace {
        std::vector<float> queries{}, products{};
        std::vector<double> squares{};
    };
    void take(workspace& w, const double* queries, std::size_t count) const {
        w.queries.resize(count * p_);
        w.squares.resize(count);
        for (std::size_t r = 0; r < count; ++r) w.squares[r] = convert(queries + r * p_, w.queries.data() + r * p_);
    }
    /// Products of the queries with rows first ... first + width - 1.
    void multiply(workspace& w, std::size_t first, std::size_t width) const {
        const std::size_t count = w.squares.size();
        w.products.resize(count * width);
        backend::host<float>::gemm(false, true, count, width, p_, 1.0F, w.queries.data(), p_, rows_.data() + first * p_,
                                   p_, 0.0F, w.products.data(), width);
    }
    /// visit(t) for at least those of these rows whose squared distance to query r is at most `within`, rising; it returns what is then.
    template <class Visit>
    void each(const workspace& w, std::size_t r, std::size_t first, std::size_t width, double within,
              Visit&& visit) const {
        const float* const products = w.products.data() + r * width;
        float limit = limit_of(w.squares[r], within);
        for (std::size_t t = 0; t < width; ++t) {
            t = backend::run<next_within>(low_.data() + first, products, t, width, limit);
            if (t == width) return;
            const double now = visit(first + t);
            if (now != within) limit = limit_of(w.squares[r], within = now);
        }
    }

private:
    /// |row|^2 about the mean, scaled.
    double convert(const double* row, float* to) const {
        double square = 0;
        for (std::size_t j = 0; j < p_; ++j) {
            const double value = (row[j] - mean_[j]) * scale_;
            to[j] = static_cast<float>(value);
            square += value * value;
        }
        return square;
    }
    float limit_of(double square, double within) const {
        const double underflow = static_cast<double>(p_) * 0x1p-100 * (1 + square);
        const double limit =
            within * scale_ * scale_ - square * (1 - share_) + centring_ * (1 + 12 / share_) + underflow;
        return std::isnan(limit) || !(square < 1e30)  // too far away for single precision
                   ? std::numeric_limits<float>::infinity()
                   : std::nextafter(static_cast<float>(limit), std::numeric_limits<float>::infinity());
    }

    std::size_t p_;
    double share_, scale_ = 1, centring_ = 0;
    std::vector<double> mean_;
    std::vector<float> rows_, low_;
};

}  // namespace gamut::learn::detail
