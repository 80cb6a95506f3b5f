// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/names.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/fwd.hpp>
#include <gamut/learn/concept.hpp>
#include <gamut/learn/detail/implicit_factors.hpp>
#include <gamut/learn/detail/rows.hpp>
#include <gamut/learn/detail/run.hpp>
#include <gamut/learn/detail/shards.hpp>

namespace gamut::learn {

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

    std::size_t width = 0;                                    ///< numbers per row and column
    double mean = 0;                                          ///< of all entries with biases, else 0
    double alpha = std::numeric_limits<double>::quiet_NaN();  ///< of descent::implicit
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

    /// loss: the mean squared error of the entries that the source names; r_squared. One pass, two exact sums. Of descent::implicit: the
    /// mean over all entries of c (p - u'v)^2; r_squared: by how much of that of factors 0 it is less. One pass, one exact sum.
    template <data::DataSource S> learn::score score(const S& source) const {
        const auto entries = load(source);
        if (std::isfinite(alpha)) return score_of_choices(entries);
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
        visit("alpha", fit.alpha);
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
    template <class Dataset> learn::score score_of_choices(const Dataset& entries) const {
        gamut::communicator::agree(communicator, [&] { detail::check_choices(entries); });
        const detail::shards by(communicator, entries.partition, 1);
        const auto sums = detail::implicit_loss(by, entries, column_factors, width, alpha, [&](std::size_t i) {
            return row_factors.data() + (entries.first_row + i) * width;
        });
        learn::score result{.rows = entries.rows(), .loss = sums.loss / sums.weight};
        if (sums.none > 0) result.r_squared = 1 - sums.loss / sums.none;
        return result;
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

}  // namespace gamut::learn
