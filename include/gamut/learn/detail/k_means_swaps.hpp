// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <gamut/core/random.hpp>
#include <gamut/learn/detail/centre_distances.hpp>
#include <gamut/learn/detail/k_means_start.hpp>

namespace gamut::learn::detail {

/// Local search between the start and Lloyd's steps: draws a row in proportion to w_i min_c |x_i - c|^2 and lets it replace the centre
/// whose place it takes best, if that lowers the objective. With d1, d2 the squared distances to the nearest and the second nearest
/// centre and dp to the row drawn, without centre q it would be
///     sum w min(d1, dp)  +  sum over the rows of q of w (min(d2, dp) - min(d1, dp))
/// Cost: per try a pass, two small all-reduces and an exact sum of k + 2 numbers; a swap costs a pass against all centres.
/// Lattanzi and Sohler, A better k-means++ algorithm via local search, ICML 2019.
template <communicator::Communicator C, class Dataset>
void swap_centres(const shards<C>& by, const Dataset& rows, const measured_rows<typename Dataset::matrix_type>& x,
                  const std::vector<double>& squares, centre_table& c, std::size_t tries, const core::random& source) {
    const std::size_t k = c.k, p = c.p, n = rows.local_rows();
    if (tries == 0 || k < 2) return;
    struct near {
        std::size_t own = 0;
        double first = 0, second = 0;
    };
    std::vector<near> nearest(n);
    std::vector<typename measured_rows<typename Dataset::matrix_type>::workspace> work(by.threads());
    const auto weight = [&](std::size_t i) { return static_cast<double>(rows.weight(i)); };
    const auto measure = [&] {
        return by.gather(1, [&](std::size_t, data::range local, std::size_t thread, double* out) {
            auto& w = work[thread];
            const auto flush = [&] {
                x.multiply(w, c);
                for (std::size_t r = 0; r < w.which.size(); ++r) {
                    const std::size_t i = w.which[r];
                    near best{0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
                    for (std::size_t a = 0; a < k; ++a) {
                        const double d = std::max(0.0, squares[i] - 2 * w.products[r * k + a] + c.squares[a]);
                        if (d < best.first)
                            best = {a, d, best.first};
                        else
                            best.second = std::min(best.second, d);
                    }
                    nearest[i] = best;
                    *out += weight(i) * best.first;
                }
                w.which.clear();
            };
            for (std::size_t i = local.begin; i < local.end; ++i) {
                x.take(w, i);
                w.which.push_back(i);
                if (w.which.size() == x.block) flush();
            }
            flush();
        });
    };
    std::vector<double> shard_mass = measure(), totals(k + 2);
    centre_table candidate;
    for (std::size_t t = 0; t < tries; ++t) {
        const double draw = source.uniform(t);
        const auto row = draw_rows(by, shard_mass, std::span<const double>(&draw, 1),
                                   [&](std::size_t i) { return weight(i) * nearest[i].first; });
        candidate.set(rows_anywhere(by, x, row), 1, p, x.sparse());
        by.sum(totals, [&](std::size_t, data::range local, std::size_t thread, double* partial) {
            auto& w = work[thread];
            for (std::size_t i = local.begin; i < local.end; ++i) {
                const double d = x.to_one(x.take(w, i), i, squares[i], candidate, 0),
                             here = std::min(nearest[i].first, d);
                partial[k] += weight(i) * here;
                partial[k + 1] += weight(i) * nearest[i].first;
                partial[nearest[i].own] += weight(i) * (std::min(nearest[i].second, d) - here);
            }
        });
        const auto out = static_cast<std::size_t>(
            std::min_element(totals.begin(), totals.begin() + static_cast<std::ptrdiff_t>(k)) - totals.begin());
        if (!(totals[k] + totals[out] < totals[k + 1] * (1 - 1e-9))) continue;
        auto values = std::move(c.values);
        std::copy_n(candidate.row(0), p, values.begin() + static_cast<std::ptrdiff_t>(out * p));
        c.set(std::move(values), k, p, x.sparse());
        shard_mass = measure();
    }
}

}  // namespace gamut::learn::detail
