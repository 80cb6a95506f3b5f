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

#include <gamut/backend/host.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/names.hpp>
#include <gamut/fwd.hpp>
#include <gamut/learn/concept.hpp>
#include <gamut/learn/detail/centre_distances.hpp>
#include <gamut/learn/detail/run.hpp>
#include <gamut/learn/detail/second_moments.hpp>
#include <gamut/learn/detail/shards.hpp>
#include <gamut/learn/row_numbers.hpp>

namespace gamut::learn {

/// Where the axes of principal components cross: at the columns' means, or at 0 (the singular value decomposition).
enum class origin { mean, zero };
/// How they are found: from all second moments, by iterating a subspace, or as the number of columns suggests.
enum class decomposition { automatic, moments, subspace };

/// Directions of most variance, of length 1, the most important first; in each the entry that is largest in size is positive.
template <class C> struct fitted_principal_components : outcome {
    static constexpr const char* name = "principal_components";

    explicit fitted_principal_components(const C& ranks = C()) : communicator(ranks) {}

    core::names features{};
    std::vector<double> mean{};             ///< where the axes cross
    std::vector<double> directions{};       ///< components x features
    std::vector<double> singular_values{};  ///< of the rows about the origin, each times the root of its weight
    std::vector<double> variances{};        ///< singular values squared over the sum of the weights
    double total_variance = 0;              ///< of all directions, those left out included
    C communicator;
    int threads = 0;

    std::size_t components() const { return singular_values.size(); }

    /// The rows' coordinates along the directions. One pass, no message.
    template <data::DataSource S> row_numbers transform(const S& source) const {
        const auto rows = detail::load_rows(communicator, source, &features);
        row_numbers result{rows.first_row, components(), std::vector<double>(rows.local_rows() * components())};
        project(rows, [&](std::size_t i, const double*, const double* along) {
            std::copy_n(along, components(), result.values.data() + i * components());
        });
        return result;
    }

    /// loss: the mean squared distance from the rows to the subspace; r_squared: the share of the squares about the origin that lies in
    /// it. One pass, one exact sum.
    template <data::DataSource S> learn::score score(const S& source) const {
        const auto rows = detail::load_rows(communicator, source, &features);
        std::vector<double> beside(rows.local_rows()), whole(rows.local_rows()), totals(3);
        project(rows, [&](std::size_t i, const double* row, const double* along) {
            std::vector<double> rest(row, row + features.size());
            for (std::size_t k = 0; k < components(); ++k)
                for (std::size_t j = 0; j < rest.size(); ++j) rest[j] -= along[k] * directions[k * rest.size() + j];
            for (std::size_t j = 0; j < rest.size(); ++j) {
                beside[i] += rest[j] * rest[j];
                whole[i] += row[j] * row[j];
            }
        });
        const detail::shards by(communicator, rows.partition, 1);
        by.sum(totals, [&](std::size_t, data::range local, std::size_t, double* partial) {
            for (std::size_t i = local.begin; i < local.end; ++i) {
                const auto w = static_cast<double>(rows.weight(i));
                partial[0] += w * beside[i];
                partial[1] += w * whole[i];
                partial[2] += w;
            }
        });
        return {.rows = rows.rows(), .loss = totals[0] / totals[2], .r_squared = 1 - totals[0] / totals[1]};
    }

    template <class Self, class Visit> static void members(Self& fit, Visit&& visit) {
        outcome::members(fit, visit);
        visit("features", fit.features);
        visit("mean", fit.mean);
        visit("directions", fit.directions);
        visit("singular_values", fit.singular_values);
        visit("variances", fit.variances);
        visit("total_variance", fit.total_variance);
    }
    void validate() const {
        if (features.empty() || mean.size() != features.size() || components() == 0 ||
            variances.size() != components() || directions.size() != components() * features.size())
            throw core::data_error(core::text(directions.size(), " numbers (", components(), " directions of ",
                                              features.size(), " features) save the fit again"));
    }

private:
    /// take(i, row about the origin, coordinates) for this rank's rows.
    template <class Dataset, class Take> void project(const Dataset& rows, Take&& take) const {
        gamut::communicator::agree(communicator, [&] {
            std::vector<double> row(features.size()), along(components());
            for (std::size_t i = 0; i < rows.local_rows(); ++i) {
                detail::copy_row(rows.x, i, row.data());
                for (std::size_t j = 0; j < row.size(); ++j) row[j] -= mean[j];
                for (std::size_t k = 0; k < components(); ++k)
                    along[k] = detail::dot(row.data(), directions.data() + k * row.size(), row.size());
                take(i, row.data(), along.data());
            }
        });
    }
};

/// Principal components: the k directions v of length 1, orthogonal to each other, that maximise  sum_i w_i ((x_i - m)'v)^2, one after
/// another, with m the mean, or 0: then they and the singular values are those of the singular value decomposition.
///     learn::principal_components{.components = 2}.fit(source).transform(source)
/// `moments`: eigenvectors of the exact second moments; one pass (two with the mean), exact sums of p^2 / 2 numbers, p^3 operations.
/// `subspace`: a random subspace of components + oversampling dimensions, multiplied by X'X again and again (Halko, Martinsson and
/// Tropp, SIAM Review 53, 2011); a pass and an exact sum of p (components + oversampling) numbers per iteration. `automatic` takes
/// moments up to 1024 columns. Guarantees: moments to rounding, singular values to 1e-15 (largest / value)^2 of themselves; at
/// `converged` of subspace |X'X v - s^2 v| <= tolerance s_1^2 for each direction. objective: the squares that lie beside the subspace.
/// Throws option_error; data_error for more components than rows or columns.
template <class C> struct principal_components {
    std::size_t components = 2;  ///< 0: as many as there are
    learn::origin origin = learn::origin::mean;
    decomposition method = decomposition::automatic;
    std::size_t oversampling = 10;
    core::stop stop{.iterations = 200, .tolerance = 1e-8};  ///< of subspace
    std::uint64_t seed = 0;
    int threads = 0;
    C communicator{};

    void validate() const { stop.validate("principal_components"); }

    template <data::DataSource S, core::Observer... O>
    fitted_principal_components<C> fit(const S& source, O&&... observers) const {
        return detail::fit_together(
            communicator,
            [&](core::any_keeper observer) {
                gamut::communicator::agree(communicator, [&] { validate(); });
                const auto rows = detail::load_rows(communicator, source);
                const std::size_t most = std::min(rows.rows(), rows.columns());
                if (components > most)
                    throw core::data_error(core::text(rows.source, ": ", rows.rows(), " rows and ", rows.columns(),
                                                      " columns (", components,
                                                      " components are wanted) use fewer components"));
                return fit_rows(rows, components == 0 ? most : components, observer);
            },
            observers...);
    }

private:
    template <class Dataset>
    fitted_principal_components<C> fit_rows(const Dataset& rows, std::size_t k, core::any_keeper observer) const {
        const std::size_t p = rows.columns();
        const detail::shards by(communicator, rows.partition, detail::threads_of(communicator, threads, rows, 8));
        fitted_principal_components<C> fit(communicator);
        fit.threads = threads;
        fit.features = rows.features;
        fit.mean.assign(p, 0.0);
        if (origin == learn::origin::mean) fit.mean = detail::means_of(by, rows);
        const auto [weight, squares] = detail::total_squares(by, rows, fit.mean);
        detail::run<C> run(communicator, "principal_components", stop, observer);
        const bool from_moments = method == decomposition::moments || (method == decomposition::automatic && p <= 1024);
        const std::size_t width = std::min(p, k + oversampling);
        std::vector<double> vectors, values;
        if (from_moments) {
            vectors = detail::second_moments(by, rows, fit.mean);
            values.resize(p);
            if (!backend::host<double>::eigen(p, vectors.data(), values.data()))
                throw core::data_error(core::text(
                    rows.source, ": the second moments are not finite (values are too large) scale the columns"));
            take(fit, vectors, values, p, k, weight, squares);
            run.ends(fit,
                     {.phase = "moments",
                      .iteration = 1,
                      .objective = fit.objective,
                      .residual = 0,
                      .nonzeros = k,
                      .passes = 3},
                     "from all second moments");
            return fit;
        }
        detail::subspace<C, Dataset> space(by, rows, fit.mean, width, seed);
        for (std::size_t iteration = 1;; ++iteration) {
            const double residual = space.step(k);
            take(fit, space.directions(), space.values(), width, k, weight, squares);
            if (run.ends(fit,
                         {.phase = "subspace",
                          .iteration = iteration,
                          .objective = fit.objective,
                          .residual = residual,
                          .nonzeros = k,
                          .passes = 2 + iteration},
                         "the subspace is invariant, within the tolerance"))
                return fit;
        }
    }

    /// The last k of `count` ascending eigenvalues and their vectors become the fit's components.
    static void take(fitted_principal_components<C>& fit, const std::vector<double>& vectors,
                     const std::vector<double>& values, std::size_t count, std::size_t k, double weight,
                     double squares) {
        const std::size_t p = fit.features.size();
        fit.directions.assign(k * p, 0.0);
        fit.singular_values.assign(k, 0.0);
        fit.variances.assign(k, 0.0);
        fit.total_variance = squares / weight;
        fit.objective = squares;
        for (std::size_t c = 0; c < k; ++c) {
            const double* const v = vectors.data() + (count - 1 - c) * p;
            std::size_t largest = 0;
            for (std::size_t j = 1; j < p; ++j)
                if (std::abs(v[j]) > std::abs(v[largest])) largest = j;
            for (std::size_t j = 0; j < p; ++j) fit.directions[c * p + j] = v[largest] < 0 ? -v[j] : v[j];
            const double value = std::max(0.0, values[count - 1 - c]);
            fit.singular_values[c] = std::sqrt(value);
            fit.variances[c] = value / weight;
            fit.objective -= value;
        }
        fit.objective = std::max(0.0, fit.objective);
    }
};

}  // namespace gamut::learn
