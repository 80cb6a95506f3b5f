// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <gamut/core/random.hpp>
#include <gamut/learn/detail/centre_distances.hpp>

namespace gamut::learn::detail {

/// Rows of the whole, wherever they lie, about the origin: out, rows.size() x p. Collective: one all-reduce.
template <communicator::Communicator C, class Matrix>
std::vector<double> rows_anywhere(const shards<C>& by, const measured_rows<Matrix>& x,
                                  const std::vector<std::size_t>& rows) {
    std::vector<double> out(rows.size() * x.columns());
    for (std::size_t r = 0; r < rows.size(); ++r)
        if (by.owns(by.shard_of(rows[r]))) x.copy(rows[r] - by.first_row(), out.data() + r * x.columns());
    everywhere(by.ranks(), std::span<double>(out));
    return out;
}

/// Rows drawn with probabilities in proportion to their masses, which only their rank knows: the shards' sums of masses are
/// known to all. The draw u in [0, 1) takes the row at which the sum of masses in the order of the rows passes u times the total.
/// Collective: one all-reduce of as many numbers as draws.
template <communicator::Communicator C, class Mass>
std::vector<std::size_t> draw_rows(const shards<C>& by, const std::vector<double>& shard_mass,
                                   std::span<const double> draws, Mass&& mass) {
    double total = 0;
    for (const double m : shard_mass) total += m;
    std::vector<std::int64_t> chosen(draws.size(), 0);
    for (std::size_t d = 0; d < draws.size(); ++d) {
        double left = draws[d] * total;
        std::size_t shard = 0, last = 0;  // last: with any mass
        for (std::size_t s = 0; s < shard_mass.size(); ++s)
            if (shard_mass[s] > 0) last = s;
        while (shard < last && left >= shard_mass[shard]) left -= shard_mass[shard++];
        if (!by.owns(shard)) continue;
        const data::range rows = by.local_rows(shard);
        std::size_t found = rows.begin;
        for (std::size_t i = rows.begin; i < rows.end; ++i) {
            const double m = mass(i);
            if (!(m > 0)) continue;
            found = i;
            left -= m;
            if (left < 0) break;
        }
        chosen[d] = static_cast<std::int64_t>(by.first_row() + found);
    }
    by.ranks().all_reduce(std::span<std::int64_t>(chosen), communicator::operation::sum);
    return {chosen.begin(), chosen.end()};
}

/// k-means++ with several trials per centre: each next centre is the best of `trials` rows drawn with probabilities in proportion to
/// w_i min_c |x_i - c|^2. Collective: per centre one pass and three all-reduces (draws, rows, potentials of the shards).
template <communicator::Communicator C, class Dataset>
std::vector<double> spread_centres(const shards<C>& by, const Dataset& rows,
                                   const measured_rows<typename Dataset::matrix_type>& x,
                                   const std::vector<double>& squares, std::size_t k, std::size_t trials,
                                   const core::random& source) {
    const std::size_t p = x.columns(), n = rows.local_rows();
    std::vector<double> centres, nearest(n, 1.0), distances(n * trials);
    std::uint64_t next_draw = 0;
    const auto mass = [&](std::size_t i) { return static_cast<double>(rows.weight(i)) * nearest[i]; };
    std::vector<double> shard_mass = by.gather(1, [&](std::size_t, data::range local, std::size_t, double* out) {
        for (std::size_t i = local.begin; i < local.end; ++i) *out += mass(i);
    });
    centre_table candidates;
    std::vector<typename measured_rows<typename Dataset::matrix_type>::workspace> work(by.threads());
    for (std::size_t c = 0; c < k; ++c) {
        const std::size_t count = c == 0 ? 1 : trials;
        std::vector<double> draws(count);
        for (double& u : draws) u = source.uniform(next_draw++);
        candidates.set(rows_anywhere(by, x, draw_rows(by, shard_mass, draws, mass)), count, p, x.sparse());
        const auto potentials = by.gather(count, [&](std::size_t, data::range local, std::size_t thread, double* out) {
            auto& w = work[thread];
            if (x.rough()) {  // most rows are nearer to a centre than to any candidate, and single precision sees it
                w.rows.resize(p);
                for (std::size_t begin = local.begin; begin < local.end; begin += x.block) {
                    const std::size_t end = std::min(local.end, begin + x.block);
                    x.multiply_roughly(w, candidates, begin, end - begin);
                    for (std::size_t i = begin; i < end; ++i) {
                        const float* const z = w.rough_products.data() + (i - begin) * count;
                        bool copied = false;
                        for (std::size_t t = 0; t < count; ++t) {
                            const double both = squares[i] + candidates.squares[t];
                            double d = c == 0 ? std::numeric_limits<double>::infinity() : nearest[i];
                            if (!(both - 2 * static_cast<double>(z[t]) - x.doubt(squares[i], candidates.squares[t]) >=
                                  d)) {
                                if (!copied) x.copy(i, w.rows.data());
                                copied = true;
                                d = std::min(d, distance2(w.rows.data(), candidates.row(t), p));
                            }
                            distances[i * trials + t] = d;
                            out[t] += static_cast<double>(rows.weight(i)) * d;
                        }
                    }
                }
                return;
            }
            const auto flush = [&] {
                x.multiply(w, candidates);
                for (std::size_t r = 0; r < w.which.size(); ++r)
                    for (std::size_t t = 0; t < count; ++t) {
                        const std::size_t i = w.which[r];
                        const double rounding = 1e-14 * (squares[i] + candidates.squares[t]);
                        double d = squares[i] - 2 * w.products[r * count + t] + candidates.squares[t];
                        d = d <= rounding ? 0 : d;  // the candidate itself, and rows like it
                        distances[i * trials + t] = c == 0 ? d : std::min(nearest[i], d);
                        out[t] += static_cast<double>(rows.weight(i)) * distances[i * trials + t];
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
        std::size_t best = 0;
        std::vector<double> totals(count, 0.0);
        for (std::size_t s = 0; s < by.count(); ++s)
            for (std::size_t t = 0; t < count; ++t) totals[t] += potentials[s * count + t];
        for (std::size_t t = 1; t < count; ++t)
            if (totals[t] < totals[best]) best = t;
        for (std::size_t s = 0; s < by.count(); ++s) shard_mass[s] = potentials[s * count + best];
        for (std::size_t i = 0; i < n; ++i) nearest[i] = distances[i * trials + best];
        centres.insert(centres.end(), candidates.row(best), candidates.row(best) + p);
    }
    return centres;
}

/// k different rows, every set equally likely. Collective: one all-reduce.
template <communicator::Communicator C, class Matrix>
std::vector<double> random_centres(const shards<C>& by, const measured_rows<Matrix>& x, std::size_t k,
                                   const core::random& source) {
    std::vector<std::size_t> chosen;  // Floyd's sample
    const std::size_t n = by.partition().rows;
    for (std::size_t j = n - k; j < n; ++j) {
        const auto t = static_cast<std::size_t>(source.below(j, j + 1));
        chosen.push_back(std::find(chosen.begin(), chosen.end(), t) == chosen.end() ? t : j);
    }
    return rows_anywhere(by, x, chosen);
}

}  // namespace gamut::learn::detail
