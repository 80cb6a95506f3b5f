// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <gamut/learn/detail/centre_distances.hpp>
#include <gamut/learn/detail/kept.hpp>

namespace gamut::learn::detail {

/// What a pass over the rows says about centres c:  objective = sum w_i |x_i - c(i)|^2 with c(i) the centre of row i, the rows'
/// sums and weights by centre, and how many rows changed theirs.
struct assigned {
    double objective = 0;
    std::size_t changed = 0;
    std::vector<double> sums, weights;

    template <class Each> void describe(Each& each) {
        each("objective", objective);
        each("changed", changed);
        each("sums", sums);
        each("weights", weights);
    }
};

/// The assignment of this rank's rows, kept from pass to pass with Hamerly's bounds: upper, the distance to the own centre, and lower,
/// at most the distance to any other. A row whose upper is at most its lower, or half of what its centre is from the nearest other one,
/// keeps its centre at the cost of one distance; the others are measured against all centres, block by block.
template <communicator::Communicator C, class Dataset> class assignment {
public:
    using rows_type = measured_rows<typename Dataset::matrix_type>;

    assignment(const shards<C>& by, const Dataset& rows, const rows_type& x, const std::vector<double>& squares)
        : by_(by),
          rows_(rows),
          x_(x),
          squares_(squares),
          own_(rows.local_rows(), none),
          lower_(rows.local_rows(), 0.0),
          work_(by.threads()) {}

    const std::vector<std::int32_t>& own() const { return own_; }

    /// What must outlive an interruption (solver/state.hpp): bounds, too, for they say which distances are computed, and how.
    template <class Each> void describe(Each& each) {
        keep_rows(each, "own", by_.ranks(), rows_, own_);
        keep_rows(each, "lower", by_.ranks(), rows_, lower_);
        each("previous", previous_);
    }

    /// The pass over all rows. Collective: one exact sum of k (p + 1) + 2 numbers.
    assigned pass(const centre_table& c) {
        const std::size_t k = c.k, p = c.p;
        prepare(c);
        assigned result;
        std::vector<double> totals(k * (p + 1) + 2);
        by_.sum(totals, [&](std::size_t, data::range local, std::size_t thread, double* partial) {
            auto& w = work_[thread];
            w.which.clear();
            for (std::size_t i = local.begin; i < local.end; ++i) look_at(i, c, w, partial);
            measure(c, w, partial);
        });
        previous_ = c.values;
        result.objective = totals[k * (p + 1)];
        result.changed = static_cast<std::size_t>(totals[k * (p + 1) + 1]);
        result.weights.assign(totals.begin() + static_cast<std::ptrdiff_t>(k * p),
                              totals.begin() + static_cast<std::ptrdiff_t>(k * (p + 1)));
        totals.resize(k * p);
        result.sums = std::move(totals);
        return result;
    }

    /// The row of each shard that is farthest from its centre: distance and number among all, shard after shard. Collective.
    std::vector<std::pair<double, std::size_t>> farthest(const centre_table& c) const {
        const auto found = by_.gather(2, [&](std::size_t, data::range local, std::size_t, double* out) {
            std::vector<double> row(c.p);
            for (std::size_t i = local.begin; i < local.end; ++i) {
                if (!(rows_.weight(i) > 0)) continue;
                if (!x_.sparse()) x_.copy(i, row.data());
                const double d =
                    x_.to_one(x_.sparse() ? nullptr : row.data(), i, squares_[i], c, static_cast<std::size_t>(own_[i]));
                if (d <= out[0]) continue;
                out[0] = d;
                out[1] = static_cast<double>(by_.first_row() + i);
            }
        });
        std::vector<std::pair<double, std::size_t>> all;
        for (std::size_t s = 0; s < by_.count(); ++s)
            all.emplace_back(found[2 * s], static_cast<std::size_t>(found[2 * s + 1]));
        return all;
    }

private:
    static constexpr std::int32_t none = -1;
    static constexpr double safe = 1 + 1e-12;  // bounds are rounded; on the safe side

    /// How far centres have moved, and how far each is from the nearest other.
    void prepare(const centre_table& c) {
        half_.assign(c.k, std::numeric_limits<double>::infinity());
        std::vector<double> products(c.k * c.k);
        backend::host<double>::gemm(false, true, c.k, c.k, c.p, 1.0, c.values.data(), c.p, c.values.data(), c.p, 0.0,
                                    products.data(), c.k);
        for (std::size_t a = 0; a < c.k; ++a)
            for (std::size_t b = 0; b < c.k; ++b) {
                if (a == b) continue;
                const double d2 =
                    c.squares[a] + c.squares[b] - 2 * products[a * c.k + b] - 1e-13 * (c.squares[a] + c.squares[b]);
                half_[a] = std::min(half_[a], 0.5 * std::sqrt(std::max(0.0, d2)) / safe);
            }
        first_ = second_ = 0;
        moved_most_ = 0;
        if (previous_.empty()) return;
        for (std::size_t a = 0; a < c.k; ++a) {
            const double moved = safe * std::sqrt(distance2(c.row(a), previous_.data() + a * c.p, c.p));
            if (moved > first_) {
                second_ = std::exchange(first_, moved);
                moved_most_ = a;
            } else {
                second_ = std::max(second_, moved);
            }
        }
    }

    void look_at(std::size_t i, const centre_table& c, typename rows_type::workspace& w, double* partial) {
        const double* const taken = x_.take(w, i);
        if (own_[i] != none) {
            const auto own = static_cast<std::size_t>(own_[i]);
            lower_[i] -= own == moved_most_ ? second_ : first_;
            const double d2 = x_.to_one(taken, i, squares_[i], c, own);
            double upper = safe * std::sqrt(d2);
            if (x_.sparse()) upper = std::sqrt(d2 + 1e-13 * (squares_[i] + c.largest));
            if (upper <= std::max(lower_[i], half_[own])) return add(i, own, d2, taken, c, partial);
        }
        w.which.push_back(i);
        if (w.which.size() == rows_type::block) measure(c, w, partial);
    }

    /// The rows of the block against all centres.
    void measure(const centre_table& c, typename rows_type::workspace& w, double* partial) {
        if (w.which.empty()) return;
        x_.rough() ? x_.multiply_roughly(w, c) : x_.multiply(w, c);
        for (std::size_t r = 0; r < w.which.size(); ++r) {
            const std::size_t i = w.which[r];
            const double* const taken = x_.sparse() ? nullptr : w.rows.data() + r * c.p;
            const double rounding = 1e-13 * (squares_[i] + c.largest);
            if (x_.rough()) {
                const auto near =
                    backend::run<two_least>(c.rough_squares.data(), w.rough_products.data() + r * c.k, c.k);
                const double doubt = x_.doubt(squares_[i], c.largest);
                if (static_cast<double>(near.next) - static_cast<double>(near.least) > 2 * doubt) {
                    settle(i, near.best, static_cast<double>(near.next) - doubt - rounding, taken, c, partial);
                    continue;
                }
                x_.multiply_one(w, taken, c);
            }
            const double* const z = w.products.data() + (x_.rough() ? 0 : r * c.k);
            std::size_t best = 0;
            double least = std::numeric_limits<double>::infinity(), next = least;
            for (std::size_t a = 0; a < c.k; ++a) {
                const double d = c.squares[a] - 2 * z[a];
                if (d < least) {
                    next = std::exchange(least, d);
                    best = a;
                } else if (d < next) {
                    next = d;
                }
            }
            if (own_[i] != none) {  // stays where another is no nearer
                const auto own = static_cast<std::size_t>(own_[i]);
                if (best != own && !(least < c.squares[own] - 2 * z[own] - rounding)) {
                    next = least;
                    best = own;
                }
            }
            settle(i, best, next - rounding, taken, c, partial);
        }
        w.which.clear();
    }

    /// Row i belongs to `best`; |x|^2 + next is at most its squared distance to any other centre.
    void settle(std::size_t i, std::size_t best, double next, const double* taken, const centre_table& c,
                double* partial) {
        if (own_[i] != static_cast<std::int32_t>(best)) partial[c.k * (c.p + 1) + 1] += 1;
        own_[i] = static_cast<std::int32_t>(best);
        lower_[i] = std::sqrt(std::max(0.0, squares_[i] + next)) / safe;
        add(i, best, x_.to_one(taken, i, squares_[i], c, best), taken, c, partial);
    }

    void add(std::size_t i, std::size_t own, double d2, const double* taken, const centre_table& c, double* partial) {
        const auto weight = static_cast<double>(rows_.weight(i));
        x_.add(taken, i, weight, partial + own * c.p);
        partial[c.k * c.p + own] += weight;
        partial[c.k * (c.p + 1)] += weight * d2;
    }

    const shards<C>& by_;
    const Dataset& rows_;
    const rows_type& x_;
    const std::vector<double>& squares_;
    std::vector<std::int32_t> own_;
    std::vector<double> lower_, half_, previous_;
    double first_ = 0, second_ = 0;
    std::size_t moved_most_ = 0;
    std::vector<typename rows_type::workspace> work_;
};

}  // namespace gamut::learn::detail
