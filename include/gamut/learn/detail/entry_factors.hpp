// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/core/random.hpp>
#include <gamut/learn/detail/alternating.hpp>
#include <gamut/learn/detail/kept.hpp>
#include <gamut/learn/detail/rows.hpp>
#include <gamut/learn/detail/second_moments.hpp>
#include <gamut/learn/detail/shards.hpp>
#include <gamut/quadratic/semidefinite.hpp>

namespace gamut::learn::detail {

/// Factors of given entries and the residual of this rank's, r_ij = a_ij - mean - u_i'v_j, kept up to date.
template <communicator::Communicator C, class Dataset> class entry_factors {
public:
    entry_factors(const shards<C>& by, const Dataset& entries, std::size_t rank, bool biased, double lambda,
                  std::uint64_t seed)
        : by_(by),
          entries_(entries),
          rank_(rank),
          width_(rank + (biased ? 2 : 0)),
          p_(entries.columns()),
          lambda_(lambda),
          first_(entries.local_rows() + 1) {
        for (std::size_t i = 0; i < entries.local_rows(); ++i)
            first_[i + 1] = first_[i] + backend::entries_of(entries.x, i, i + 1);
        residual_.resize(first_.back());
        std::vector<double> totals(4);
        by_.sum(totals, [&](std::size_t, data::range local, std::size_t, double* partial) {
            for (std::size_t i = local.begin; i < local.end; ++i) {
                const auto w = static_cast<double>(entries.weight(i));
                visit_row(entries.x, i, [&](std::size_t, double value) {
                    partial[0] += w;
                    partial[1] += w * value;
                    partial[2] += w * value * value;
                    partial[3] += w > 0 ? 1 : 0;
                });
            }
        });
        if (!(totals[0] > 0))
            throw core::data_error(
                core::text(entries.source, ": no entries (rows are empty, or their weights are 0) give it some"));
        mean_ = biased ? totals[1] / totals[0] : 0;
        spread_ = std::sqrt(std::max(0.0, totals[2] / totals[0] - mean_ * mean_));
        weight_ = totals[0] / totals[3];
        const double scale = std::sqrt(std::sqrt(totals[2] / totals[0]) / static_cast<double>(rank));
        const core::random draws{.seed = seed};
        u_.assign(entries.local_rows() * width_, 0.0);
        v_.assign(p_ * width_, 0.0);
        for (std::size_t j = 0; j < p_; ++j)
            for (std::size_t k = 0; k < rank_; ++k) v_[j * width_ + k] = scale * draws.normal(j * rank_ + k);
        for (std::size_t i = 0; biased && i < entries.local_rows(); ++i) u_[i * width_ + rank_] = 1;
        for (std::size_t j = 0; biased && j < p_; ++j) v_[j * width_ + rank_ + 1] = 1;
        refresh();  // all u'v are 0 as yet
    }

    /// What must outlive an interruption (solver/state.hpp): the residual, too, for it is kept up to date, and rounded so.
    template <class Each> void describe(Each& each) {
        keep_numbers(each, "column_factors", v_);
        keep_rows(each, "row_factors", by_.ranks(), entries_, u_);
        keep_parts(
            each, "residual", blocks_of_rows(by_.ranks(), entries_),
            [&](std::size_t row) {
                const std::size_t i = row - entries_.first_row;
                return data::range{first_[i], first_[i + 1]};
            },
            residual_);
    }

    std::size_t width() const { return width_; }
    std::size_t rank() const { return rank_; }
    double mean() const { return mean_; }
    const std::vector<double>& column_factors() const { return v_; }
    /// Collective: one all-reduce of all rows' factors.
    std::vector<double> all_row_factors() const {
        std::vector<double> all(entries_.rows() * width_);
        std::copy(u_.begin(), u_.end(), all.begin() + static_cast<std::ptrdiff_t>(entries_.first_row * width_));
        everywhere(by_.ranks(), std::span<double>(all));
        return all;
    }

    /// 1/2 sum w r^2 + lambda / 2 (|U|^2 + |V|^2), the numbers that are fixed at 1 left out. One exact sum.
    double objective() const {
        std::vector<double> totals(2);
        by_.sum(totals, [&](std::size_t, data::range local, std::size_t, double* partial) {
            for (std::size_t i = local.begin; i < local.end; ++i) {
                const auto w = static_cast<double>(entries_.weight(i));
                for (std::size_t e = first_[i]; e < first_[i + 1]; ++e) partial[0] += w * residual_[e] * residual_[e];
                for (std::size_t k = 0; k < width_; ++k)
                    if (k != rank_) partial[1] += u_[i * width_ + k] * u_[i * width_ + k];
            }
        });
        double squares = totals[1];
        for (std::size_t j = 0; j < p_; ++j)
            for (std::size_t k = 0; k < width_; ++k)
                if (k != rank_ + 1) squares += v_[j * width_ + k] * v_[j * width_ + k];
        return totals[0] / 2 + lambda_ / 2 * squares;
    }

    /// Column k of U and V, the others fixed: with R' = R + u v',
    ///     u_i = w_i sum_j r'_ij v_j / (lambda + w_i sum_j v_j^2),   v_j = sum_i w_i r'_ij u_i / (lambda + sum_i w_i u_i^2)
    void improve_component(std::size_t k, std::size_t rounds) {
        by_.each([&](std::size_t, data::range local, std::size_t) { add(local, k, 1); });
        for (std::size_t round = 0; round < rounds; ++round) {
            if (k != rank_) improve_rows(k);
            if (k != rank_ + 1) improve_columns(k);
            if (k >= rank_) break;  // one of the two is fixed
        }
        by_.each([&](std::size_t, data::range local, std::size_t) { add(local, k, -1); });
    }

    /// All of U, then all of V: systems of rank equations, (lambda + sum w v v') u = sum w a v. Where all entries are given, the sums of
    /// v v', and of w u u', are the same for all rows, and columns.
    void improve_alternating() {
        constexpr bool full =
            !std::is_same_v<typename Dataset::matrix_type, backend::sparse_matrix<typename Dataset::value_type>>;
        if constexpr (full) {
            solve_rows_together();
            solve_columns_together();
        } else {
            if (!turns_) {
                turns_.emplace(by_, entries_, rank_, lambda_);
                all_u_ = all_row_factors();
            }
            const auto weigh = [](double value) { return typename alternating<C, Dataset>::pull{1, value}; };
            turns_->improve_rows(all_u_, v_, nullptr, weigh);
            turns_->improve_columns(all_u_, v_, nullptr, weigh);
            std::copy_n(all_u_.data() + entries_.first_row * rank_, u_.size(), u_.data());
        }
        refresh();
    }

    /// How far entries are from mean(), as a rule; and their mean weight.
    double spread() const { return spread_; }
    double weight() const { return weight_; }
    std::vector<double>& rows() { return u_; }  // of this rank
    std::vector<double>& columns() { return v_; }

    /// Residuals from the entries and the factors.
    void refresh() {
        by_.each([&](std::size_t, data::range local, std::size_t) {
            for (std::size_t i = local.begin; i < local.end; ++i) {
                std::size_t e = first_[i];
                const double* const u = u_.data() + i * width_;
                visit_row(entries_.x, i, [&](std::size_t j, double value) {
                    residual_[e++] = value - mean_ - dot(u, v_.data() + j * width_, width_);
                });
            }
        });
    }

private:
    /// All of U where all entries are given: one system for all rows of a weight.
    void solve_rows_together() {
        const std::size_t r = rank_, half = r * (r + 1) / 2;
        std::vector<double> common(half);
        for (std::size_t j = 0; j < p_; ++j) add_squares(1, v_.data() + j * r, common.data());
        by_.each([&](std::size_t, data::range local, std::size_t) {
            std::vector<double> a(half), b(r);
            quadratic::semidefinite factor;
            double factored = 0;  // of this weight
            for (std::size_t i = local.begin; i < local.end; ++i) {
                const auto w = static_cast<double>(entries_.weight(i));
                if (!(w > 0)) continue;
                std::fill(b.begin(), b.end(), 0.0);
                visit_row(entries_.x, i, [&](std::size_t j, double value) {
                    const double* const v = v_.data() + j * r;
                    for (std::size_t k = 0; k < r; ++k) b[k] += w * value * v[k];
                });
                if (factored != w) {
                    for (std::size_t k = 0; k < half; ++k) a[k] = w * common[k];
                    factor = system(a.data());
                }
                factored = w;
                factor.solve(b);
                std::copy(b.begin(), b.end(), u_.data() + i * r);
            }
        });
    }
    void add(data::range local, std::size_t k, double sign) {
        for (std::size_t i = local.begin; i < local.end; ++i) {
            const double u = sign * u_[i * width_ + k];
            std::size_t e = first_[i];
            visit_row(entries_.x, i, [&](std::size_t j, double) { residual_[e++] += u * v_[j * width_ + k]; });
        }
    }
    void improve_rows(std::size_t k) {
        by_.each([&](std::size_t, data::range local, std::size_t) {
            for (std::size_t i = local.begin; i < local.end; ++i) {
                const auto w = static_cast<double>(entries_.weight(i));
                double along = 0, square = 0;
                std::size_t e = first_[i];
                visit_row(entries_.x, i, [&](std::size_t j, double) {
                    const double v = v_[j * width_ + k];
                    along += residual_[e++] * v;
                    square += v * v;
                });
                const double below = lambda_ + w * square;
                u_[i * width_ + k] = below > 0 ? w * along / below : 0;
            }
        });
    }
    void improve_columns(std::size_t k) {
        std::vector<double> totals(2 * p_);
        by_.sum(totals, [&](std::size_t, data::range local, std::size_t, double* partial) {
            for (std::size_t i = local.begin; i < local.end; ++i) {
                const double u = u_[i * width_ + k], wu = static_cast<double>(entries_.weight(i)) * u;
                std::size_t e = first_[i];
                visit_row(entries_.x, i, [&](std::size_t j, double) {
                    partial[j] += residual_[e++] * wu;
                    partial[p_ + j] += wu * u;
                });
            }
        });
        for (std::size_t j = 0; j < p_; ++j) {
            const double below = lambda_ + totals[p_ + j];
            v_[j * width_ + k] = below > 0 ? totals[j] / below : 0;
        }
    }
    /// All of V where all entries are given: one system for all columns. One exact sum.
    void solve_columns_together() {
        const std::size_t r = rank_, half = r * (r + 1) / 2;
        std::vector<double> totals(half + p_ * r);
        by_.sum(totals, [&](std::size_t, data::range local, std::size_t, double* partial) {
            for (std::size_t i = local.begin; i < local.end; ++i) {
                const auto w = static_cast<double>(entries_.weight(i));
                const double* const u = u_.data() + i * r;
                add_squares(w, u, partial);
                visit_row(entries_.x, i, [&](std::size_t j, double value) {
                    double* const to = partial + half + j * r;
                    for (std::size_t k = 0; k < r; ++k) to[k] += w * value * u[k];
                });
            }
        });
        const auto factor = system(totals.data());
        std::copy(totals.begin() + static_cast<std::ptrdiff_t>(half), totals.end(), v_.begin());
        for (std::size_t j = 0; j < p_; ++j) factor.solve(std::span(v_).subspan(j * r, r));
    }
    /// to += w x x', the lower triangle by rows.
    void add_squares(double w, const double* x, double* to) const {
        for (std::size_t row = 0; row < rank_; ++row)
            for (std::size_t column = 0; column <= row; ++column) *to++ += w * x[row] * x[column];
    }
    /// lambda + triangle, factored.
    quadratic::semidefinite system(const double* triangle) const {
        std::vector<double> a(rank_ * rank_);
        for (std::size_t row = 0; row < rank_; ++row) {
            for (std::size_t column = 0; column <= row; ++column) a[row * rank_ + column] = *triangle++;
            a[row * rank_ + row] += lambda_;
        }
        return {std::move(a), rank_};
    }

    const shards<C>& by_;
    const Dataset& entries_;
    std::size_t rank_, width_, p_;
    double lambda_, mean_ = 0;
    std::vector<std::size_t> first_;
    std::vector<double> residual_, u_, v_;
    double spread_ = 0, weight_ = 0;
    std::optional<alternating<C, Dataset>> turns_;  // where not all entries are given
    std::vector<double> all_u_;                     // then: of all rows
};

}  // namespace gamut::learn::detail
