// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include <gamut/core/random.hpp>
#include <gamut/learn/detail/lloyd.hpp>
#include <gamut/learn/detail/run.hpp>

namespace gamut::learn::detail {

/// Steps of k-means on `batch` rows drawn with replacement: v_c counts the weight that centre c has seen,
///     v_c += sum w_i,   c += sum w_i (x_i - c) / v_c     over the batch's rows that are nearest to c
/// and one pass over all rows at the end, for the objective and the sizes. Per step one exact sum of k (p + 1) + 2 numbers.
/// The objectives on the way are the batches', in proportion to the rows; residual: how far centres moved, relative to their length.
template <communicator::Communicator C, class Dataset, class Fit>
void k_means_by_batches(const shards<C>& by, const Dataset& rows, const measured_rows<typename Dataset::matrix_type>& x,
                        const std::vector<double>& squares, centre_table& c, std::size_t batch, std::size_t passes,
                        run<C>& run, const core::random& draws, Fit& fit) {
    const std::size_t n = rows.rows(), p = c.p, k = c.k;
    std::vector<double> seen(k), totals(k * (p + 1) + 2);
    std::vector<std::vector<std::size_t>> chosen(by.count());
    typename measured_rows<typename Dataset::matrix_type>::workspace w;
    const double per_row = static_cast<double>(n) / static_cast<double>(batch);
    for (std::size_t iteration = 1;; ++iteration) {
        for (auto& of_shard : chosen) of_shard.clear();
        for (std::size_t b = 0; b < batch; ++b) {
            const auto row = static_cast<std::size_t>(draws.below((iteration - 1) * batch + b, n));
            const std::size_t shard = by.shard_of(row);
            if (by.owns(shard)) chosen[shard].push_back(row - by.first_row());
        }
        const shards<C> alone(by.ranks(), by.partition(), 1);
        alone.sum(totals, [&](std::size_t shard, data::range, std::size_t, double* partial) {
            const auto flush = [&] {
                x.multiply(w, c);
                for (std::size_t r = 0; r < w.which.size(); ++r) {
                    const std::size_t i = w.which[r];
                    std::size_t best = 0;
                    const auto far = [&](std::size_t a) { return c.squares[a] - 2 * w.products[r * k + a]; };
                    for (std::size_t a = 1; a < k; ++a)
                        if (far(a) < far(best)) best = a;
                    const auto weight = static_cast<double>(rows.weight(i));
                    x.add(x.sparse() ? nullptr : w.rows.data() + r * p, i, weight, partial + best * p);
                    partial[k * p + best] += weight;
                    partial[k * (p + 1)] += weight * std::max(0.0, squares[i] + far(best));
                }
                w.which.clear();
            };
            for (const std::size_t i : chosen[shard]) {
                x.take(w, i);
                w.which.push_back(i);
                if (w.which.size() == x.block) flush();
            }
            flush();
        });
        double moved = 0, length = 0;
        std::vector<double> next = c.values;
        for (std::size_t a = 0; a < k; ++a) {
            const double weight = totals[k * p + a];
            if (!(weight > 0)) continue;
            seen[a] += weight;
            for (std::size_t j = 0; j < p; ++j) {
                const double by_which = (totals[a * p + j] - weight * next[a * p + j]) / seen[a];
                next[a * p + j] += by_which;
                moved += by_which * by_which;
            }
        }
        for (const double v : next) length += v * v;
        c.set(std::move(next), k, p, x.sparse());
        if (run.ends(fit,
                     {.phase = "batches",
                      .iteration = iteration,
                      .objective = totals[k * (p + 1)] * per_row,
                      .residual = length > 0 ? std::sqrt(moved / length) : 0,
                      .nonzeros = k,
                      .passes = passes + static_cast<std::size_t>(static_cast<double>(iteration) / per_row)},
                     "the centres hardly move", core::status::stalled))
            break;
    }
    assignment<C, Dataset> all(by, rows, x, squares);
    const assigned found = all.pass(c);
    fit.objective = found.objective;
    fit.sizes = found.weights;
    ++fit.passes;
}

}  // namespace gamut::learn::detail
