// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <gamut/backend/parallel.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/learn/detail/column_entries.hpp>
#include <gamut/learn/detail/normal_equations.hpp>
#include <gamut/learn/detail/rows.hpp>
#include <gamut/learn/detail/shards.hpp>

namespace gamut::learn::detail {

/// All rows' factors from those of the columns, and back, each by its own system of equations:
///     (lambda + w_i M_V + sum_j w_i s_ij v_j v_j') u_i = sum_j w_i t_ij v_j       over what is given of row i
///     (lambda + M_U + sum_i w_i s_ij u_i u_i') v_j = sum_i w_i t_ij u_i           over what is given of column j
/// with s_ij, t_ij = weigh(a_ij). A rank solves for its rows and its columns; then all have all factors, by two all-reduces of
/// rows rank and columns rank numbers. The bits don't depend on ranks.
template <communicator::Communicator C, class Dataset> class alternating {
public:
    struct pull {
        double square = 1, side = 0;  // s and t
    };

    /// Collective, see column_entries; and an all-reduce of rows numbers.
    alternating(const shards<C>& by, const Dataset& entries, std::size_t rank, double lambda)
        : by_(by),
          entries_(entries),
          rank_(rank),
          lambda_(lambda),
          columns_(by, entries),
          weights_(entries.rows()) {
        for (std::size_t i = 0; i < entries.local_rows(); ++i)
            weights_[entries.first_row + i] = static_cast<double>(entries.weight(i));
        everywhere(by.ranks(), std::span<double>(weights_));
    }

    const column_entries& columns() const { return columns_; }

    /// u, of all rows: m (rank x rank) is M_V, or there is none. Rows of weight 0 keep what they have.
    template <class Weigh>
    void improve_rows(std::vector<double>& u, const std::vector<double>& v, const double* m, Weigh&& weigh) const {
        std::vector<double> next(entries_.rows() * rank_);
        by_.each([&](std::size_t, data::range local, std::size_t) {
            normal_equations systems(rank_, lambda_);
            for (std::size_t i = local.begin; i < local.end; ++i) {
                const std::size_t row = entries_.first_row + i;
                const double w = weights_[row];
                if (!(w > 0)) {
                    std::copy_n(u.data() + row * rank_, rank_, next.data() + row * rank_);
                    continue;
                }
                systems.begin(m, w);
                visit_row(entries_.x, i, [&](std::size_t j, double value) {
                    const pull one = weigh(value);
                    systems.add(w * one.square, v.data() + j * rank_, w * one.side);
                });
                systems.end(next.data() + row * rank_);
            }
            systems.flush();
        });
        everywhere(by_.ranks(), std::span<double>(next));
        u = std::move(next);
    }

    template <class Weigh>
    void improve_columns(const std::vector<double>& u, std::vector<double>& v, const double* m, Weigh&& weigh) const {
        std::vector<double> next(v.size());
        constexpr std::size_t block = 32;
        const data::range mine = columns_.mine();
        backend::parallel_for(0, (mine.size() + block - 1) / block, by_.threads(), [&](std::size_t b, std::size_t) {
            normal_equations systems(rank_, lambda_);
            for (std::size_t j = mine.begin + b * block; j < std::min(mine.end, mine.begin + (b + 1) * block); ++j) {
                systems.begin(m, 1);
                for (const column_entries::entry& one : columns_.of(j)) {
                    const pull by = weigh(one.value);
                    const double w = weights_[one.row];
                    systems.add(w * by.square, u.data() + one.row * rank_, w * by.side);
                }
                systems.end(next.data() + j * rank_);
            }
            systems.flush();
        });
        everywhere(by_.ranks(), std::span<double>(next));
        v = std::move(next);
    }

private:
    const shards<C>& by_;
    const Dataset& entries_;
    std::size_t rank_;
    double lambda_;
    column_entries columns_;
    std::vector<double> weights_;  // of all rows
};

}  // namespace gamut::learn::detail
