// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/names.hpp>
#include <gamut/core/random.hpp>
#include <gamut/core/resume_from.hpp>
#include <gamut/fwd.hpp>
#include <gamut/learn/concept.hpp>
#include <gamut/learn/detail/kept.hpp>
#include <gamut/learn/detail/metric_matrix.hpp>
#include <gamut/learn/detail/pairs.hpp>
#include <gamut/learn/detail/run.hpp>
#include <gamut/learn/detail/shards.hpp>
#include <gamut/learn/detail/targets.hpp>
#include <gamut/learn/row_numbers.hpp>

namespace gamut::learn {

/// A linear map after which rows of a class are near each other: |L(x - x')| is the distance. rank x features.
template <class C> struct fitted_metric : outcome {
    static constexpr const char* name = "metric";

    explicit fitted_metric(const C& ranks = C()) : communicator(ranks) {}

    core::names features{};
    std::vector<std::string> classes{};
    std::string label{};
    std::vector<double> map{};  ///< L
    double lambda = 1;
    std::vector<std::size_t> offsets{};
    std::size_t pairs = 0;
    C communicator;
    int threads = 0;

    std::size_t rank() const { return features.empty() ? 0 : map.size() / features.size(); }

    /// L x for each row: what learn::nearest then works with. No message.
    template <data::DataSource S> row_numbers transform(const S& source) const {
        const auto rows = detail::load_targets(communicator, source, *this, false);
        row_numbers found{rows.first_row, rank(), {}};
        gamut::communicator::agree(communicator, [&] {
            found.values.assign(rows.local_rows() * rank(), 0.0);
            for (std::size_t i = 0; i < rows.local_rows(); ++i)
                for (std::size_t r = 0; r < rank(); ++r) {
                    double sum = 0;
                    detail::visit_row(rows.x, i,
                                      [&](std::size_t j, double v) { sum += map[r * features.size() + j] * v; });
                    found.values[i * rank() + r] = sum;
                }
        });
        return found;
    }

    /// On pairs of the source's rows, chosen as for the fit. loss: the mean objective per pair; accuracy: how often a similar pair is nearer
    /// than a different one (the area under the curve), over all such couples.
    template <data::DataSource S> learn::score score(const S& source) const {
        const auto rows = detail::load_targets(communicator, source, *this, true);
        const detail::shards by(communicator, rows.partition, 1);
        const detail::row_pairs all(by, rows, {offsets, pairs, 1});
        const std::size_t p = features.size();
        std::vector<double> found, totals(2);
        const auto distance2 = [&](std::size_t k) {
            std::vector<double> d(p);
            all.difference(k, d.data());
            double square = 0;
            for (std::size_t r = 0; r < rank(); ++r) {
                double sum = 0;
                for (std::size_t j = 0; j < p; ++j) sum += map[r * p + j] * d[j];
                square += sum * sum;
            }
            return square;
        };
        by.sum(totals, [&](std::size_t shard, data::range, std::size_t, double* partial) {
            const data::range mine = all.of_shard(shard);
            for (std::size_t k = mine.begin; k < mine.end; ++k) {
                const double d2 = distance2(k);
                partial[0] += all[k].weight * (all[k].similar ? d2 : lambda * std::max(0.0, 1 - d2));
                partial[1] += all[k].weight;
            }
        });
        const std::size_t most = std::max<std::size_t>(1, (offsets.empty() ? 2 * pairs : offsets.size()) * rows.rows());
        std::vector<double> slots(2 * most);  // a pair's distance + 1 and whether it is similar + 1; 0: there is none
        for (std::size_t shard = by.mine().begin; shard < by.mine().end; ++shard) {
            const data::range mine = all.of_shard(shard);
            std::size_t at = rows.partition.shard_begin(shard) * (most / std::max<std::size_t>(1, rows.rows()));
            for (std::size_t k = mine.begin; k < mine.end; ++k, ++at) {
                slots[2 * at] = distance2(k);
                slots[2 * at + 1] = all[k].similar ? 2 : 1;
            }
        }
        detail::everywhere(communicator, std::span<double>(slots));
        std::vector<std::pair<double, bool>> sorted;
        for (std::size_t k = 0; k < most; ++k)
            if (slots[2 * k + 1] > 0) sorted.emplace_back(slots[2 * k], slots[2 * k + 1] > 1.5);
        std::sort(sorted.begin(), sorted.end());
        double right = 0, similar = 0, before = 0;  // equally far: different ones first, so that ties count as wrong
        for (const auto& one : sorted) {
            if (one.second)
                similar += 1;
            else
                right += similar, before += 1;
        }
        learn::score result{.rows = rows.rows(), .loss = totals[1] > 0 ? totals[0] / totals[1] : 0};
        if (similar * before > 0) result.accuracy = right / (similar * before);
        return result;
    }

    template <class Self, class Visit> static void members(Self& fit, Visit&& visit) {
        outcome::members(fit, visit);
        visit("features", fit.features);
        visit("classes", fit.classes);
        visit("label", fit.label);
        visit("map", fit.map);
        visit("lambda", fit.lambda);
        visit("offsets", fit.offsets);
        visit("pairs", fit.pairs);
    }
    void validate() const {
        if (rank() == 0 || map.size() != rank() * features.size())
            throw core::data_error(
                core::text(map.size(), " numbers (", features.size(), " features) save the fit again"));
    }
};

/// A metric learnt from pairs of rows: similar ones (of one class) shall be near, different ones at least 1 apart,
///     minimise over L   sum over similar pairs |L d|^2  +  lambda sum over different pairs max(0, 1 - |L d|^2),     d = x_i - x_j
/// (Xing, Ng, Jordan and Russell, NIPS 2002, in the form of Petuum's DML). A pair weighs as much as the product of its rows' weights.
///     learn::metric{.rank = 8, .lambda = 1}.fit(source).transform(source)
/// rank 0: the convex problem in M = L'L by the alternating direction method of multipliers, up to 24 columns; at `converged` copies of
/// M agree within the tolerance; per iteration a pass over the pairs and an exact sum of p (p + 1) / 2 numbers. rank above 0: stochastic
/// gradients on L, Adam's steps (Kingma and Ba, ICLR 2015) that shrink to 0, `batch` pairs each, an exact sum of rank p numbers per
/// step; a heuristic, for the problem is not convex then. Every rank holds all rows. Pairs: see detail::pair_options.
template <class C> struct metric {
    std::size_t rank = 0;
    double lambda = 1;
    std::vector<std::size_t> offsets{};  ///< pairs of row i and (i + offset) mod n; empty:
    std::size_t pairs = 2;               ///< so many similar and different partners for each row, drawn
    std::size_t batch = 500;             ///< pairs per step, with a rank
    double rate = 0.02;                  ///< of the first step, relative to the start's numbers
    core::stop stop{.iterations = 2000, .tolerance = 1e-7};
    core::resume_from resume{};  ///< a checkpoint, or a folder of core::checkpoints, to go on from
    std::uint64_t seed = 0;
    int threads = 0;
    C communicator{};

    static constexpr std::size_t most_columns = 24;

    void validate() const {
        stop.validate("metric");
        if (!(lambda > 0 && std::isfinite(lambda)))
            throw core::option_error(core::text("metric: lambda is ", lambda, " (it must be above 0) try 1"));
        if (offsets.empty() && pairs == 0) throw core::option_error("metric: pairs is 0 (rows need partners) try 2");
        if (batch == 0) throw core::option_error("metric: batch is 0 (a step needs a pair) try 500");
        if (!(rate > 0 && std::isfinite(rate)))
            throw core::option_error(core::text("metric: rate is ", rate, " (it must be above 0) try 0.02"));
    }

    template <data::DataSource S, core::Observer... O> fitted_metric<C> fit(const S& source, O&&... observers) const {
        return detail::fit_together(
            communicator,
            [&](core::any_keeper observer) {
                gamut::communicator::agree(communicator, [&] { validate(); });
                const auto rows = detail::load_targets(communicator, source, learn::target::classes);
                if (rank > rows.columns() || rank > rows.rows())
                    throw core::data_error(core::text(rows.source, ": ", rows.rows(), " rows and ", rows.columns(),
                                                      " columns (rank ", rank, " is wanted) use a lower rank"));
                if (rank == 0 && rows.columns() > most_columns)
                    throw core::option_error(core::text("metric: rank is 0 and there are ", rows.columns(),
                                                        " columns (the convex problem takes ", most_columns,
                                                        ") set a rank, or take principal components first"));
                const detail::shards by(communicator, rows.partition,
                                        detail::threads_of(communicator, threads, rows, 8));
                const detail::row_pairs all(by, rows, {offsets, pairs, seed});
                fitted_metric<C> fit(communicator);
                fit.threads = threads;
                fit.features = rows.features;
                fit.classes = rows.classes;
                fit.label = rows.label;
                fit.lambda = lambda;
                fit.offsets = offsets;
                fit.pairs = pairs;
                detail::run<C> run(communicator, "metric", stop, observer);
                rank == 0 ? convex(by, rows, all, run, fit) : by_steps(by, rows, all, run, fit);
                return fit;
            },
            observers...);
    }

private:
    template <class Dataset>
    void convex(const detail::shards<C>& by, const Dataset& rows, const detail::row_pairs& all, detail::run<C>& run,
                fitted_metric<C>& fit) const {
        detail::metric_matrix<C> state(by, all, lambda);
        const auto kept = [&](auto& each) {
            state.describe(each);
            each("map", fit.map);
        };
        bool over = run.resume(fit, resume, rows, kept);
        for (std::size_t iteration = run.next(); !over; ++iteration) {
            fit.map = state.factor();  // what the objective is of
            const auto [objective, residual] = state.step();
            over = run.ends(fit,
                            {.phase = "convex",
                             .iteration = iteration,
                             .objective = objective,
                             .residual = residual,
                             .nonzeros = fit.map.size() / all.columns(),
                             .passes = iteration + 2},
                            "both copies of the matrix agree");
        }
    }

    template <class Dataset>
    void by_steps(const detail::shards<C>& by, const Dataset& rows, const detail::row_pairs& all, detail::run<C>& run,
                  fitted_metric<C>& fit) const {
        const std::size_t p = all.columns(), size = rank * p;
        std::vector<double> totals(size + 2), first(size), second(size), sizes(2);
        by.sum(sizes, [&](std::size_t shard, data::range, std::size_t, double* partial) {
            std::vector<double> d(p);
            const data::range mine = all.of_shard(shard);
            for (std::size_t k = mine.begin; k < mine.end; ++k) {
                all.difference(k, d.data());
                for (const double v : d) partial[0] += v * v;
                partial[1] += 1;
            }
        });
        const double count = std::max(sizes[1], 1.0), scale = 1 / std::sqrt(std::max(sizes[0] / count, 1e-300));
        const core::random start{.seed = seed, .stream = 3};
        fit.map.assign(size, 0.0);
        for (std::size_t k = 0; k < size; ++k)
            fit.map[k] =
                scale * (rank == p ? (k / p == k % p ? 1 : 0) : start.normal(k) / std::sqrt(static_cast<double>(rank)));
        const double share = std::min(1.0, static_cast<double>(batch) / count);
        const auto kept = [&](auto& each) {
            detail::keep_numbers(each, "map", fit.map);
            detail::keep_numbers(each, "first", first);
            detail::keep_numbers(each, "second", second);
        };
        bool over = run.resume(fit, resume, rows, kept);
        for (std::size_t iteration = run.next(); !over; ++iteration) {
            by.sum(totals, [&](std::size_t shard, data::range, std::size_t, double* partial) {
                std::vector<double> d(p), image(rank);
                const data::range mine = all.of_shard(shard);
                for (std::size_t k = mine.begin; k < mine.end; ++k) {
                    const std::uint64_t place = all[k].a * 4294967296u + all[k].b;  // of the pair, on any rank
                    if (core::random{.seed = seed, .stream = 5 + iteration}.uniform(place) >= share) continue;
                    all.difference(k, d.data());
                    double square = 0;
                    for (std::size_t r = 0; r < rank; ++r) {
                        image[r] = 0;
                        for (std::size_t j = 0; j < p; ++j) image[r] += fit.map[r * p + j] * d[j];
                        square += image[r] * image[r];
                    }
                    const double w = all[k].weight;
                    partial[size] += w * (all[k].similar ? square : lambda * std::max(0.0, 1 - square));
                    partial[size + 1] += 1;
                    if (!all[k].similar && square >= 1) continue;
                    const double factor = 2 * w * (all[k].similar ? 1 : -lambda);
                    for (std::size_t r = 0; r < rank; ++r)
                        for (std::size_t j = 0; j < p; ++j) partial[r * p + j] += factor * image[r] * d[j];
                }
            });
            const double left =
                1 - static_cast<double>(iteration - 1) / static_cast<double>(std::max<std::size_t>(1, stop.iterations));
            const auto t = static_cast<double>(iteration);
            const double of_first = 1 - std::pow(0.9, t), of_second = 1 - std::pow(0.999, t);
            double moved = 0, length = 0;
            for (std::size_t k = 0; k < size; ++k) {
                const double slope = totals[k] / std::max(totals[size + 1], 1.0);
                first[k] = 0.9 * first[k] + 0.1 * slope;
                second[k] = 0.999 * second[k] + 0.001 * slope * slope;
                const double step =
                    rate * scale * left * (first[k] / of_first) / (std::sqrt(second[k] / of_second) + 1e-300);
                fit.map[k] -= step;
                moved += step * step;
                length += fit.map[k] * fit.map[k];
            }
            over = run.ends(fit,
                            {.phase = "steps",
                             .iteration = iteration,
                             .objective = totals[size] / share,
                             .residual = length > 0 ? std::sqrt(moved / length) : 0,
                             .nonzeros = rank,
                             .passes = 1 + static_cast<std::size_t>(t * share)},
                            "the map hardly moves", core::status::stalled);
        }
    }
};

}  // namespace gamut::learn
