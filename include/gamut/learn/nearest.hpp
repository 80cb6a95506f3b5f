// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gamut/backend/parallel.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/names.hpp>
#include <gamut/fwd.hpp>
#include <gamut/learn/concept.hpp>
#include <gamut/learn/detail/centre_distances.hpp>
#include <gamut/learn/detail/made_once.hpp>
#include <gamut/learn/detail/rough_distances.hpp>
#include <gamut/learn/detail/run.hpp>
#include <gamut/learn/detail/shards.hpp>
#include <gamut/learn/detail/targets.hpp>

namespace gamut::learn {

/// The nearest training rows of each row of one rank: rows x neighbours, the nearest first, equally near ones in their order; and what
/// they say, the most frequent class or the mean (empty without labels).
struct neighbours_found {
    std::size_t first_row = 0, neighbours = 0;
    std::vector<std::size_t> indices{};
    std::vector<double> distances{};
    std::vector<double> values{};  ///< per row the mean of the numbers, or the class as an index into `classes`
    std::vector<std::string> classes{};
    std::size_t rows() const { return neighbours == 0 ? 0 : indices.size() / neighbours; }
};

/// All training rows, on every rank.
template <class C> struct fitted_nearest : outcome {
    static constexpr const char* name = "nearest";

    explicit fitted_nearest(const C& ranks = C()) : communicator(ranks) {}

    std::size_t neighbours = 1;
    core::names features{};
    std::vector<double> values{};  ///< training rows x features
    std::vector<double> labels{};  ///< per row a number, or a class's index; empty: none
    std::vector<double> weights{};
    std::vector<std::string> classes{};
    std::string label{};
    C communicator;
    int threads = 0;

    /// Blocks of rows against blocks of training rows as a matrix product, and the exact distance to those that may be among the
    /// nearest. No message.
    template <data::DataSource S> neighbours_found predict(const S& source) const {
        return look(detail::load_targets(communicator, source, *this, false));
    }

    /// accuracy or r_squared of what the neighbours say; without labels, loss: the mean squared distance to the neighbours.
    template <data::DataSource S> learn::score score(const S& source) const {
        const auto rows = detail::load_targets(communicator, source, *this, !labels.empty());
        const auto found = look(rows);
        if (!labels.empty()) return detail::score_values(communicator, rows, classes, found.values);
        const detail::shards by(communicator, rows.partition, 1);
        std::vector<double> totals(2);
        by.sum(totals, [&](std::size_t, data::range local, std::size_t, double* partial) {
            for (std::size_t i = local.begin; i < local.end; ++i)
                for (std::size_t k = 0; k < neighbours; ++k) {
                    const double d = found.distances[i * neighbours + k];
                    partial[0] += static_cast<double>(rows.weight(i)) * d * d;
                    partial[1] += static_cast<double>(rows.weight(i));
                }
        });
        return {.rows = rows.rows(), .loss = totals[0] / totals[1]};
    }

    template <class Self, class Visit> static void members(Self& fit, Visit&& visit) {
        outcome::members(fit, visit);
        visit("neighbours", fit.neighbours);
        visit("features", fit.features);
        visit("values", fit.values);
        visit("labels", fit.labels);
        visit("weights", fit.weights);
        visit("classes", fit.classes);
        visit("label", fit.label);
    }
    void validate() const {
        const std::size_t n = features.empty() ? 0 : values.size() / features.size();
        if (n == 0 || values.size() != n * features.size() || neighbours == 0 || neighbours > n ||
            (!labels.empty() && labels.size() != n) || (!weights.empty() && weights.size() != n))
            throw core::data_error(core::text(values.size(), " numbers and ", labels.size(), " labels (",
                                              features.size(), " features, ", neighbours,
                                              " neighbours) save the fit again"));
        for (const double y : labels)
            if (!classes.empty() && !(y >= 0 && y < static_cast<double>(classes.size())))
                throw core::data_error(
                    core::text("label ", y, " (there are ", classes.size(), " classes) save the fit again"));
    }

private:
    template <class Dataset> neighbours_found look(const Dataset& rows) const {
        neighbours_found found{rows.first_row, neighbours, {}, {}, {}, classes};
        gamut::communicator::agree(communicator, [&] {
            const std::size_t n = rows.local_rows();
            found.indices.resize(n * neighbours);
            found.distances.resize(n * neighbours);
            if (!labels.empty()) found.values.resize(n);
            constexpr std::size_t block = 256;
            const std::size_t all = values.size() / features.size();
            const auto threads_here =
                static_cast<std::size_t>(std::max(1, detail::threads_of(communicator, threads, rows, all)));
            const auto copy = rough(threads_here);
            // fewer rows at a time where there are few, so that all threads have some
            const std::size_t each = std::clamp<std::size_t>((n + threads_here - 1) / threads_here, 1, block);
            backend::parallel_for(0, (n + each - 1) / each, threads_here, [&](std::size_t b, std::size_t) {
                const std::size_t begin = b * each, end = std::min(n, begin + each);
                look_at(rows, begin, end, *copy, found);
            });
        });
        return found;
    }

    /// All training rows in single precision: two passes over them, once as long as they stay the same, which one pass tells.
    std::shared_ptr<const detail::rough_distances> rough(std::size_t workers) const {
        return rough_.get(detail::hash_of(values, features.size()), [&] {
            return detail::rough_distances(values.data(), values.size() / features.size(), features.size(), workers);
        });
    }

    /// Rows [begin, end): which training rows are among the nearest does not depend on blocks, for exact distances decide.
    template <class Dataset>
    void look_at(const Dataset& rows, std::size_t begin, std::size_t end, const detail::rough_distances& rough,
                 neighbours_found& found) const {
        constexpr std::size_t block = 512;
        const std::size_t p = features.size(), all = values.size() / p, count = end - begin;
        std::vector<double> x(count * p);
        std::vector<std::vector<std::pair<double, std::size_t>>> best(count);  // ascending
        for (std::size_t r = 0; r < count; ++r) detail::copy_row(rows.x, begin + r, x.data() + r * p);
        detail::rough_distances::workspace work;
        rough.take(work, x.data(), count);
        for (std::size_t first = 0; first < all; first += block) {
            const std::size_t width = std::min(block, all - first);
            rough.multiply(work, first, width);
            for (std::size_t r = 0; r < count; ++r) {
                auto& near = best[r];
                const auto within = [&] {
                    return near.size() < neighbours ? std::numeric_limits<double>::infinity() : near.back().first;
                };
                rough.each(work, r, first, width, within(), [&](std::size_t t) {
                    const std::pair candidate{detail::distance2(x.data() + r * p, values.data() + t * p, p), t};
                    if (near.size() == neighbours && !(candidate < near.back())) return within();
                    if (near.size() == neighbours) near.pop_back();
                    near.insert(std::upper_bound(near.begin(), near.end(), candidate), candidate);
                    return within();
                });
            }
        }
        for (std::size_t r = 0; r < count; ++r) {
            std::vector<double> votes(std::max<std::size_t>(1, classes.size()));
            double weight = 0;
            for (std::size_t k = 0; k < neighbours; ++k) {
                const auto [d2, which] = best[r][k];
                found.indices[(begin + r) * neighbours + k] = which;
                found.distances[(begin + r) * neighbours + k] = std::sqrt(d2);
                if (labels.empty()) continue;
                const double w = weights.empty() ? 1 : weights[which];
                weight += w;
                votes[classes.empty() ? 0 : static_cast<std::size_t>(labels[which])] +=
                    classes.empty() ? w * labels[which] : w;
            }
            if (labels.empty()) continue;
            found.values[begin + r] =
                classes.empty() ? (weight > 0 ? votes[0] / weight : 0)
                                : static_cast<double>(std::max_element(votes.begin(), votes.end()) - votes.begin());
        }
    }

    detail::made_once<detail::rough_distances> rough_{};
    template <class> friend struct nearest;
};

/// Nearest neighbours by brute force: for a row x the k training rows with the least |x - x_i|, and what their labels say: the most
/// frequent class (the first of equally frequent ones), or the mean, weighted by the sample weights.
///     learn::nearest{.neighbours = 5, .target = learn::target::classes}.fit(source)
/// The whole training set becomes known to every rank, one all-reduce of n (p + 2) numbers; queries are what ranks share. A query costs
/// n products of p numbers as a part of a matrix product, in single precision, which leaves few rows to measure exactly, and no message.
/// Exact: the same neighbours, to the last bit, whatever the blocks and ranks. Throws option_error; data_error for more neighbours than rows.
template <class C> struct nearest {
    std::size_t neighbours = 5;
    learn::target target = learn::target::none;
    int threads = 0;
    C communicator{};

    void validate() const {
        if (neighbours == 0) throw core::option_error("nearest: neighbours is 0 (one is needed) try 5");
    }

    template <data::DataSource S, core::Observer... O> fitted_nearest<C> fit(const S& source, O&&... observers) const {
        return detail::fit_together(
            communicator,
            [&](core::any_keeper observer) {
                gamut::communicator::agree(communicator, [&] { validate(); });
                const auto rows = detail::load_targets(communicator, source, target);
                if (neighbours > rows.rows())
                    throw core::data_error(core::text(rows.source, ": ", rows.rows(), " rows (", neighbours,
                                                      " neighbours are wanted) use fewer neighbours"));
                fitted_nearest<C> fit(communicator);
                fit.threads = threads;
                fit.neighbours = neighbours;
                fit.features = rows.features;
                fit.classes = rows.classes;
                fit.label = rows.label;
                const std::size_t n = rows.rows(), p = rows.columns();
                const bool weighted = detail::has_weights(communicator, rows);
                gamut::communicator::agree(communicator, [&] {
                    fit.values.resize(n * p);
                    if (target != learn::target::none) fit.labels.resize(n);
                    if (weighted) fit.weights.resize(n);
                    for (std::size_t i = 0; i < rows.local_rows(); ++i) {
                        detail::copy_row(rows.x, i, fit.values.data() + (rows.first_row + i) * p);
                        if (!fit.labels.empty()) fit.labels[rows.first_row + i] = static_cast<double>(rows.y[i]);
                        if (weighted) fit.weights[rows.first_row + i] = static_cast<double>(rows.weight(i));
                    }
                });
                for (auto* const all : {&fit.values, &fit.labels, &fit.weights})
                    detail::everywhere(communicator, std::span<double>(*all));
                gamut::communicator::agree(communicator, [&] {
                    fit.rough(
                        static_cast<std::size_t>(std::max(1, detail::threads_of(communicator, threads, rows, p))));
                });
                detail::run<C> run(communicator, "nearest", {}, observer);
                run.ends(fit, {.iteration = 1, .objective = 0, .residual = 0, .nonzeros = n, .passes = 1},
                         "all rows are known");
                return fit;
            },
            observers...);
    }
};

}  // namespace gamut::learn
