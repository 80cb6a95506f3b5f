// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/random.hpp>
#include <gamut/learn/detail/alternating.hpp>
#include <gamut/learn/detail/code_pass.hpp>
#include <gamut/learn/detail/kept.hpp>
#include <gamut/learn/detail/rows.hpp>
#include <gamut/learn/detail/second_moments.hpp>
#include <gamut/learn/detail/shards.hpp>

namespace gamut::learn::detail {

/// Choices are at least 0.
template <class Dataset> void check_choices(const Dataset& entries) {
    for (std::size_t i = 0; i < entries.local_rows(); ++i)
        visit_row(entries.x, i, [&](std::size_t j, double v) {
            if (v < 0)
                throw core::data_error(core::text(entries.source, ": row ", entries.first_row + i, ", column '",
                                                  entries.features[j], "' is ", v,
                                                  " (how often or how much is at least 0) use descent::alternating"));
        });
}

/// What choices say: preference 1 where something was chosen, else 0, with confidence c = 1 + alpha a.
///     sum_i w_i sum_j c_ij (p_ij - u_i'v_j)^2 = sum_i w_i (u_i'V'V u_i + sum over given j of c (p - x)^2 - x^2),   x = u_i'v_j
/// weight: sum_i w_i columns; loss: the sum; none: the sum where all x are 0. u_of(i): the factors of a local row. One pass, one exact sum.
struct implicit_sums {
    double weight = 0, loss = 0, none = 0;
};
template <communicator::Communicator C, class Dataset, class UOf>
implicit_sums implicit_loss(const shards<C>& by, const Dataset& entries, const std::vector<double>& v, std::size_t rank,
                            double alpha, UOf&& u_of) {
    const std::size_t p = entries.columns();
    const auto gram = gram_of(v, p, rank);
    std::vector<double> totals(3);
    by.sum(totals, [&](std::size_t, data::range local, std::size_t, double* partial) {
        for (std::size_t i = local.begin; i < local.end; ++i) {
            const double* const u = u_of(i);
            const auto w = static_cast<double>(entries.weight(i));
            double sum = 0, none = 0;
            for (std::size_t k = 0; k < rank; ++k) sum += u[k] * dot(gram.data() + k * rank, u, rank);
            visit_row(entries.x, i, [&](std::size_t j, double value) {
                const double x = dot(u, v.data() + j * rank, rank), c = 1 + alpha * value,
                             rest = (value > 0 ? 1 : 0) - x;
                sum += c * rest * rest - x * x;
                none += value > 0 ? c : 0;
            });
            partial[0] += w * static_cast<double>(p);
            partial[1] += w * sum;
            partial[2] += w * none;
        }
    });
    return {totals[0], totals[1], totals[2]};
}

/// Factors of choices by alternating least squares.
template <communicator::Communicator C, class Dataset> class implicit_factors {
public:
    implicit_factors(const shards<C>& by, const Dataset& entries, std::size_t rank, double lambda, double alpha,
                     std::uint64_t seed)
        : by_(by),
          entries_(entries),
          rank_(rank),
          lambda_(lambda),
          alpha_(alpha),
          turns_(by, entries, rank, lambda),
          u_(entries.rows() * rank),
          v_(entries.columns() * rank) {
        double given = 0;
        for (const double count : turns_.columns().counts()) given += count;
        if (!(given > 0))
            throw core::data_error(core::text(entries.source, ": no entries (all rows are empty) give it some"));
        const core::random draws{.seed = seed};
        const double scale = 1 / std::sqrt(static_cast<double>(rank));
        for (std::size_t k = 0; k < v_.size(); ++k) v_[k] = scale * draws.normal(k);
    }

    template <class Each> void describe(Each& each) {
        keep_numbers(each, "column_factors", v_);
        keep_numbers(each, "row_factors", u_);
    }

    const std::vector<double>& row_factors() const { return u_; }
    const std::vector<double>& column_factors() const { return v_; }

    /// All u, then all v. Two passes, an exact sum of rank^2 numbers and two all-reduces of (rows + columns) rank.
    void improve() {
        const auto weigh = [this](double value) {
            return typename alternating<C, Dataset>::pull{alpha_ * value, value > 0 ? 1 + alpha_ * value : 0};
        };
        const auto of_columns = gram_of(v_, entries_.columns(), rank_);
        turns_.improve_rows(u_, v_, of_columns.data(), weigh);
        std::vector<double> of_rows(rank_ * rank_);
        by_.sum(of_rows, [&](std::size_t, data::range local, std::size_t, double* partial) {
            std::vector<double> weighted(local.size() * rank_);
            const double* const u = mine() + local.begin * rank_;
            for (std::size_t i = local.begin; i < local.end; ++i)
                for (std::size_t k = 0; k < rank_; ++k)
                    weighted[(i - local.begin) * rank_ + k] =
                        static_cast<double>(entries_.weight(i)) * mine()[i * rank_ + k];
            backend::host<double>::gemm(true, false, rank_, rank_, local.size(), 1.0, weighted.data(), rank_, u, rank_,
                                        0.0, partial, rank_);
        });
        turns_.improve_columns(u_, v_, of_rows.data(), weigh);
    }

    /// 1/2 sum w c (p - u'v)^2 over all entries + lambda / 2 (|U|^2 + |V|^2).
    double objective() const {
        double squares = 0;
        for (const auto* const factors : {&u_, &v_})
            for (const double f : *factors) squares += f * f;
        const auto sums =
            implicit_loss(by_, entries_, v_, rank_, alpha_, [&](std::size_t i) { return mine() + i * rank_; });
        return sums.loss / 2 + lambda_ / 2 * squares;
    }

private:
    const double* mine() const { return u_.data() + entries_.first_row * rank_; }

    const shards<C>& by_;
    const Dataset& entries_;
    std::size_t rank_;
    double lambda_, alpha_;
    alternating<C, Dataset> turns_;
    std::vector<double> u_, v_;  // of all rows, of all columns
};

}  // namespace gamut::learn::detail
