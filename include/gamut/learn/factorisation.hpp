// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/names.hpp>
#include <gamut/fwd.hpp>
#include <gamut/learn/concept.hpp>
#include <gamut/learn/detail/entry_factors.hpp>
#include <gamut/learn/detail/run.hpp>
#include <gamut/learn/detail/shards.hpp>

namespace gamut::learn {

/// Whether rows and columns have a number each that is added to their entries.
enum class biases { none, rows_and_columns };
/// In which order numbers of the factors are improved.
enum class descent { components, alternating };

/// What factors say about the entries of one rank's rows, in the order of the rows and of what is stored of them.
struct entry_predictions {
    std::size_t first_row = 0;
    std::vector<std::size_t> rows{}, columns{};  ///< of all rows
    std::vector<double> values{};
};

/// Factors of all rows and columns, on every rank. With biases the last but one number of a row is 1 and that of a column its bias; the
/// last one is a row's bias, and 1.
template <class C> struct fitted_factorisation : outcome {
    static constexpr const char* name = "factorisation";

    explicit fitted_factorisation(const C& ranks = C()) : communicator(ranks) {}

    std::size_t width = 0;  ///< numbers per row and column
    double mean = 0;        ///< of all entries with biases, else 0
    core::names features{};
    std::vector<double> row_factors{}, column_factors{};  ///< rows x width, columns x width
    C communicator;
    int threads = 0;

    std::size_t rows() const { return width == 0 ? 0 : row_factors.size() / width; }

    /// mean + u_row'v_column
    double operator()(std::size_t row, std::size_t column) const {
        double sum = mean;
        for (std::size_t k = 0; k < width; ++k)
            sum += row_factors[row * width + k] * column_factors[column * width + k];
        return sum;
    }

    /// The entries that the source names (their values do not matter). Rows are the training rows, by their numbers. No message.
    template <data::DataSource S> entry_predictions predict(const S& source) const { return at_entries(load(source)); }

    /// loss: the mean squared error of the entries that the source names; r_squared. One pass, two exact sums.
    template <data::DataSource S> learn::score score(const S& source) const {
        const auto entries = load(source);
        const auto found = at_entries(entries).values;
        const detail::shards by(communicator, entries.partition, 1);
        std::vector<double> sums(3), spread(1);
        std::vector<std::size_t> first(entries.local_rows() + 1);
        for (std::size_t i = 0; i < entries.local_rows(); ++i)
            first[i + 1] = first[i] + backend::entries_of(entries.x, i, i + 1);
        by.sum(sums, [&](std::size_t, data::range local, std::size_t, double* partial) {
            for (std::size_t i = local.begin; i < local.end; ++i) {
                const auto w = static_cast<double>(entries.weight(i));
                std::size_t e = first[i];
                detail::visit_row(entries.x, i, [&](std::size_t, double value) {
                    const double rest = value - found[e++];
                    partial[0] += w;
                    partial[1] += w * value;
                    partial[2] += w * rest * rest;
                });
            }
        });
        const double centre = sums[1] / sums[0];
        by.sum(spread, [&](std::size_t, data::range local, std::size_t, double* partial) {
            for (std::size_t i = local.begin; i < local.end; ++i)
                detail::visit_row(entries.x, i, [&](std::size_t, double value) {
                    partial[0] += static_cast<double>(entries.weight(i)) * (value - centre) * (value - centre);
                });
        });
        learn::score result{.rows = entries.rows(), .loss = sums[2] / sums[0]};
        if (spread[0] > 0) result.r_squared = 1 - sums[2] / spread[0];
        return result;
    }

    template <class Self, class Visit> static void members(Self& fit, Visit&& visit) {
        outcome::members(fit, visit);
        visit("width", fit.width);
        visit("mean", fit.mean);
        visit("features", fit.features);
        visit("row_factors", fit.row_factors);
        visit("column_factors", fit.column_factors);
    }
    void validate() const {
        if (width == 0 || column_factors.size() != width * features.size() || row_factors.size() % width != 0 ||
            row_factors.empty())
            throw core::data_error(core::text(row_factors.size(), " and ", column_factors.size(), " numbers (", width,
                                              " for each row and each of ", features.size(),
                                              " columns) save the fit again"));
    }

private:
    template <data::DataSource S> auto load(const S& source) const {
        auto entries = detail::load_rows(communicator, source, &features);
        if (entries.rows() > rows())
            throw core::data_error(core::text(entries.source, ": ", entries.rows(), " rows (the fit knows ", rows(),
                                              ") fit again with these rows"));
        return entries;
    }
    template <class Dataset> entry_predictions at_entries(const Dataset& entries) const {
        entry_predictions found{entries.first_row, {}, {}, {}};
        gamut::communicator::agree(communicator, [&] {
            for (std::size_t i = 0; i < entries.local_rows(); ++i)
                detail::visit_row(entries.x, i, [&](std::size_t j, double) {
                    found.rows.push_back(entries.first_row + i);
                    found.columns.push_back(j);
                    found.values.push_back((*this)(entries.first_row + i, j));
                });
        });
        return found;
    }
};

/// Matrix factorisation of the entries that are given (what a sparse source does not store is unknown, not 0):
///     minimise  1/2 sum over given (i, j) of w_i (a_ij - u_i'v_j)^2  +  lambda / 2 (|U|^2 + |V|^2),      u_i, v_j of `rank` numbers
///     learn::factorisation{.rank = 10, .lambda = 5}.fit(data::triples<>{.path = "ratings.csv"})
/// With biases, mean + b_i + c_j + u_i'v_j, where b and c are penalised, too.
/// `components`: CCD++, one rank at a time on the residual (Yu, Hsieh, Si and Dhillon, ICDM 2012); per iteration and component
/// `inner` + 1 passes over the residual and exact sums of 2 columns numbers. `alternating`: all u, then all v, each a system of rank
/// equations (Zhou et al., AAIM 2008); per iteration two passes and an exact sum of columns rank (rank + 3) / 2 numbers.
/// A rank keeps the factors of its rows and of all columns. Guarantees: the objective never rises; with all entries given and lambda > 0
/// there are no minima but the least one. Residual: the share of the objective that the last iteration took away.
template <class C> struct factorisation {
    std::size_t rank = 8;
    double lambda = 1;
    learn::biases biases = learn::biases::none;
    learn::descent method = descent::components;
    std::size_t inner = 2;  ///< rounds per component
    core::stop stop{.iterations = 200, .tolerance = 1e-6};
    std::string resume{};  ///< a checkpoint, or a folder of core::checkpoints, to go on from
    std::uint64_t seed = 0;
    int threads = 0;
    C communicator{};

    void validate() const {
        stop.validate("factorisation");
        if (rank == 0) throw core::option_error("factorisation: rank is 0 (one component is needed) try 8");
        if (inner == 0) throw core::option_error("factorisation: inner is 0 (one round per component is needed) try 2");
        if (!(lambda >= 0 && std::isfinite(lambda)))
            throw core::option_error(core::text("factorisation: lambda is ", lambda, " (it must be 0 or more) try 1"));
        if (biases != learn::biases::none && method == descent::alternating)
            throw core::option_error("factorisation: biases with descent::alternating (only components improve one "
                                     "factor at a time) use descent::components");
    }

    template <data::DataSource S, core::Observer... O>
    fitted_factorisation<C> fit(const S& source, O&&... observers) const {
        return detail::fit_together(
            communicator,
            [&](core::any_observer observer) {
                gamut::communicator::agree(communicator, [&] { validate(); });
                const auto entries = detail::load_rows(communicator, source);
                if (rank > std::min(entries.rows(), entries.columns()))
                    throw core::data_error(core::text(entries.source, ": ", entries.rows(), " rows and ",
                                                      entries.columns(), " columns (rank ", rank,
                                                      " is wanted) use a lower rank"));
                return fit_entries(entries, observer);
            },
            observers...);
    }

private:
    template <class Dataset>
    fitted_factorisation<C> fit_entries(const Dataset& entries, core::any_observer observer) const {
        const detail::shards by(communicator, entries.partition,
                                detail::threads_of(communicator, threads, entries, 4 * rank));
        fitted_factorisation<C> fit(communicator);
        fit.threads = threads;
        fit.features = entries.features;
        const bool biased = biases != learn::biases::none;
        detail::entry_factors<C, Dataset> state(by, entries, rank, biased, lambda, seed);
        detail::run<C> run(communicator, "factorisation", stop, observer);
        double before = 0;
        std::size_t passes = 2;
        const auto kept = [&](auto& each) {
            state.describe(each);
            each("before", before);
            each("passes", passes);
        };
        bool over = run.resume(fit, resume, entries, kept);
        for (std::size_t iteration = run.next(); !over; ++iteration) {
            if (method == descent::components) {
                for (std::size_t k = 0; k < state.width(); ++k) state.improve_component(k, inner);
                passes += state.width() * (inner + 1);
            } else {
                state.improve_alternating();
                passes += 2;
            }
            const double objective = state.objective();
            const double residual = iteration == 1  ? 1
                                    : objective > 0 ? std::max(0.0, before - objective) / objective
                                                    : 0;
            before = objective;
            over = run.ends(fit,
                            {.phase = method == descent::components ? "CCD++" : "ALS",
                             .iteration = iteration,
                             .objective = objective,
                             .residual = residual,
                             .nonzeros = rank,
                             .passes = passes},
                            "the objective hardly falls");
        }
        fit.width = state.width();
        fit.mean = state.mean();
        fit.column_factors = state.column_factors();
        fit.row_factors = state.all_row_factors();
        return fit;
    }
};

}  // namespace gamut::learn
