// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <gamut/autodiff/gradient.hpp>
#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/detail/formula_kernels.hpp>
#include <gamut/backend/detail/parallel.hpp>
#include <gamut/backend/sweep.hpp>

namespace gamut::backend {

/// A loss whose products z_i = x_i'w are known, for methods that keep them up to date themselves: its value, and its slopes
/// s_i = d loss / d z_i. One output. Rows are taken in pieces of a fixed size and added up in their order, so no bit depends on
/// the threads. z has `offset` added before the loss sees it.
template <class T, autodiff::Loss Formula> class row_slopes {
    static_assert(!autodiff::has_table<Formula>, "row_slopes: needs a formula of one output");

public:
    /// `rows` is referred to, and has `count` rows.
    row_slopes(const Formula& formula, const observations<T>& rows, std::size_t count, int threads)
        : formula_(formula),
          rows_(rows),
          share_(static_cast<T>(1 / rows.total_weight)),
          count_(count),
          sums_((count + piece - 1) / piece) {
        const auto most = static_cast<std::size_t>(std::max(threads, 1));
        for (std::size_t t = 0; t < std::min(most, std::max<std::size_t>(sums_.size(), 1)); ++t) work_.emplace_back();
    }

    struct sums {
        double loss = 0, slope = 0;  ///< slope: the sum of all s_i
    };

    /// z, slopes: one number per row.
    sums evaluate(std::span<const double> z, double offset, std::span<T> slopes) {
        detail::parallel_for(0, sums_.size(), work_.size(), [&](std::size_t k, std::size_t thread) {
            workspace& work = work_[thread];
            const std::size_t begin = k * piece, rows = std::min(piece, count_ - begin);
            for (std::size_t i = 0; i < rows; ++i) work.z[i] = static_cast<T>(z[begin + i] + offset);
            const detail::formula_rows<T> block{rows,
                                                1,
                                                rows_.y ? rows_.y + begin : nullptr,
                                                rows_.omega ? rows_.omega + begin : nullptr,
                                                work.z.data(),
                                                1,
                                                nullptr,
                                                1,
                                                slopes.data() + begin,
                                                1};
            const auto found = work.memory.template evaluate<detail::slopes<T, Formula>>(formula_, block, share_);
            sums_[k] = {static_cast<double>(found.loss), static_cast<double>(found.slope)};
        });
        sums all;
        for (const sums& part : sums_) {
            all.loss += part.loss;
            all.slope += part.slope;
        }
        return all;
    }

private:
    static constexpr std::size_t piece = 1024;
    struct workspace {
        detail::formula_workspace<T, Formula> memory{1};
        aligned_vector<T> z = aligned_vector<T>(piece);
    };

    Formula formula_;
    observations<T> rows_;
    T share_;
    std::size_t count_;
    std::vector<sums> sums_;
    std::vector<workspace> work_;
};

}  // namespace gamut::backend
