// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
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
#include <gamut/learn/detail/code_batch.hpp>
#include <gamut/learn/detail/code_pass.hpp>
#include <gamut/learn/detail/kept.hpp>
#include <gamut/learn/detail/run.hpp>
#include <gamut/learn/detail/second_moments.hpp>
#include <gamut/learn/detail/shards.hpp>
#include <gamut/learn/row_numbers.hpp>

namespace gamut::learn {

namespace detail {

/// Coordinate descent on  1/2 c'Qc - z'c  with c >= 0: `sweeps` rounds over the k entries.
inline void nonnegative_sweeps(const double* q, const double* z, double* c, std::size_t k, std::size_t sweeps) {
    for (std::size_t s = 0; s < sweeps; ++s) {
        double moved = 0, size = 0;
        for (std::size_t a = 0; a < k; ++a) {
            const double* const row = q + a * k;
            if (!(row[a] > 0)) continue;
            double slope = -z[a];
            for (std::size_t b = 0; b < k; ++b) slope += row[b] * c[b];
            const double next = std::max(0.0, c[a] - slope / row[a]);
            moved = std::max(moved, std::abs(next - c[a]));
            size = std::max(size, next);
            c[a] = next;
        }
        if (moved <= 1e-15 * size) return;
    }
}

/// c = c z / Qc, entry by entry: `sweeps` times. Never makes 1/2 c'Qc - z'c larger, where Q, z and c have no number below 0.
inline void multiplicative_sweeps(const double* q, const double* z, double* c, std::size_t k, std::size_t sweeps) {
    std::vector<double> below(k);
    for (std::size_t s = 0; s < sweeps; ++s) {
        for (std::size_t a = 0; a < k; ++a) below[a] = dot(q + a * k, c, k);
        for (std::size_t a = 0; a < k; ++a)
            if (below[a] > 0) c[a] *= std::max(0.0, z[a]) / below[a];
    }
}

}  // namespace detail

/// How coefficients and parts are improved: by coordinate descent, by factors above 0, or parts by steps on batches of rows.
enum class updates { coordinates, multiplicative, projected };

/// Rows as sums of parts with coefficients of at least 0: parts x features, no number below 0.
template <class C> struct fitted_nonnegative_factorisation : outcome {
    static constexpr const char* name = "nonnegative_factorisation";

    explicit fitted_nonnegative_factorisation(const C& ranks = C()) : communicator(ranks) {}

    std::size_t rank = 0;
    core::names features{};
    std::vector<double> parts{};  ///< rank x features
    C communicator;
    int threads = 0;

    /// The best coefficients of each row for these parts: nonnegative least squares by coordinate descent. No message.
    template <data::DataSource S> row_numbers transform(const S& source) const {
        return codes_of(detail::load_rows(communicator, source, &features));
    }

    /// loss: half the mean squared distance of rows to the best sum of parts. One pass, one exact sum.
    template <data::DataSource S> learn::score score(const S& source) const {
        const auto rows = detail::load_rows(communicator, source, &features);
        const detail::shards by(communicator, rows.partition, 1);
        const auto [weight, squares] = detail::squares_about_zero(by, rows);
        auto codes = codes_of(rows).values;
        const auto basis = detail::transposed(parts, rank, features.size());
        const auto sums =
            detail::code_pass(by, rows, basis, rank, codes, [](std::size_t, const double*, double*) { return 0.0; });
        const double twice = squares - 2 * detail::inner(sums.products, basis) +
                             detail::inner(sums.squares, detail::gram_of(basis, features.size(), rank));
        return {.rows = rows.rows(),
                .loss = std::max(0.0, twice) / 2 / weight,
                .r_squared = 1 - std::max(0.0, twice) / squares};
    }

    template <class Self, class Visit> static void members(Self& fit, Visit&& visit) {
        outcome::members(fit, visit);
        visit("rank", fit.rank);
        visit("features", fit.features);
        visit("parts", fit.parts);
    }
    void validate() const {
        if (rank == 0 || parts.size() != rank * features.size())
            throw core::data_error(core::text(parts.size(), " numbers (", rank, " parts of ", features.size(),
                                              " features) save the fit again"));
        for (const double v : parts)
            if (!(v >= 0))
                throw core::data_error(core::text("a part has ", v, " (none is below 0) save the fit again"));
    }

private:
    template <class Dataset> row_numbers codes_of(const Dataset& rows) const {
        row_numbers found{rows.first_row, rank, std::vector<double>(rows.local_rows() * rank)};
        gamut::communicator::agree(communicator, [&] {
            const auto basis = detail::transposed(parts, rank, features.size());
            const auto gram = detail::gram_of(basis, features.size(), rank);
            const detail::shards by(communicator, rows.partition,
                                    detail::threads_of(communicator, threads, rows, rank));
            detail::each_product(by, rows, basis, rank, [&](std::size_t i, const double* z) {
                detail::nonnegative_sweeps(gram.data(), z, found.values.data() + i * rank, rank, 1000);
            });
        });
        return found;
    }
};

/// Nonnegative matrix factorisation:  minimise  1/2 sum_i w_i |x_i - c_i'H|^2  over coefficients c_i >= 0 and parts H >= 0, rank x p.
///     learn::nonnegative_factorisation{.rank = 10}.fit(source).parts
/// `coordinates`: descent block by block, HALS (Cichocki and Phan, IEICE 2009), with as many sweeps per product with the data as cost
/// little beside it (Gillis and Glineur, Neural Computation 24, 2012). `multiplicative`: C = C XH' / CHH', H = H C'X / C'CH, entry by entry
/// (Lee and Seung, NIPS 2000), with as many sweeps; slower, and a number never becomes 0 exactly.
/// Cost of both per iteration: a pass (two products of rank p per row) and one exact sum of rank (p + rank) numbers.
/// `projected`: stochastic gradients (Petuum's): rows in an order drawn anew for each iteration, `batch` at a time; their coefficients by
/// coordinate descent, then one step  H = max(0, H - s C'(CH - X) / tr C'C),  s = rate decay^(iteration - 1). Cost per iteration: two
/// passes, an exact sum of rank (p + rank) numbers for each batch and one more. Ends `stalled` where the objective hardly changes.
/// Sparse rows are read as they are. Guarantees: but for `projected` the objective never rises; every number is at least 0; limits are
/// stationary points (of `multiplicative` as a rule), not always the least. Residual: the share of the objective that the last iteration
/// took away. Throws data_error for numbers below 0, and for more parts than rows or columns.
template <class C> struct nonnegative_factorisation {
    std::size_t rank = 8;
    learn::updates method = updates::coordinates;
    std::size_t sweeps = 0;   ///< over coefficients, and over parts, per pass; 0: what costs little
    std::size_t batch = 256;  ///< rows per step, of projected
    double rate = 1;          ///< of its first steps, at most 2
    double decay = 0.98;      ///< of the rate, per iteration
    core::stop stop{.iterations = 500, .tolerance = 1e-6};
    core::resume_from resume{};  ///< a checkpoint, or a folder of core::checkpoints, to go on from
    std::uint64_t seed = 0;
    int threads = 0;
    C communicator{};

    void validate() const {
        stop.validate("nonnegative_factorisation");
        if (rank == 0) throw core::option_error("nonnegative_factorisation: rank is 0 (one part is needed) try 8");
        if (method != updates::projected) return;
        if (batch == 0) throw core::option_error("nonnegative_factorisation: batch is 0 (one row is needed) try 256");
        if (!(rate > 0 && rate <= 2))
            throw core::option_error(
                core::text("nonnegative_factorisation: rate is ", rate, " (it must be above 0, and at most 2) try 1"));
        if (!(decay > 0 && decay <= 1))
            throw core::option_error(core::text("nonnegative_factorisation: decay is ", decay,
                                                " (it must be above 0, and at most 1) try 0.98"));
    }

    template <data::DataSource S, core::Observer... O>
    fitted_nonnegative_factorisation<C> fit(const S& source, O&&... observers) const {
        return detail::fit_together(
            communicator,
            [&](core::any_keeper observer) {
                gamut::communicator::agree(communicator, [&] { validate(); });
                const auto rows = detail::load_rows(communicator, source);
                if (rank > std::min(rows.rows(), rows.columns()))
                    throw core::data_error(core::text(rows.source, ": ", rows.rows(), " rows and ", rows.columns(),
                                                      " columns (", rank, " parts are wanted) use fewer parts"));
                gamut::communicator::agree(communicator, [&] { check_signs(rows); });
                return fit_rows(rows, observer);
            },
            observers...);
    }

private:
    template <class Dataset> static void check_signs(const Dataset& rows) {
        for (std::size_t i = 0; i < rows.local_rows(); ++i)
            detail::visit_row(rows.x, i, [&](std::size_t j, double v) {
                if (v < 0)
                    throw core::data_error(core::text(rows.source, ": row ", rows.first_row + i, ", column '",
                                                      rows.features[j], "' is ", v,
                                                      " (all are at least 0) shift or clip it"));
            });
    }

    template <class Dataset>
    fitted_nonnegative_factorisation<C> fit_rows(const Dataset& rows, core::any_keeper observer) const {
        const std::size_t p = rows.columns(), k = rank;
        const detail::shards by(communicator, rows.partition, detail::threads_of(communicator, threads, rows, k));
        fitted_nonnegative_factorisation<C> fit(communicator);
        fit.threads = threads;
        fit.rank = rank;
        fit.features = rows.features;
        const auto [weight, squares] = detail::squares_about_zero(by, rows);
        const double scale = std::sqrt(std::sqrt(squares / weight / static_cast<double>(p)) /
                                       static_cast<double>(k));  // of numbers whose sums fit the rows
        const core::random of_codes{.seed = seed, .stream = 0}, of_parts{.seed = seed, .stream = 1};
        std::vector<double> codes(rows.local_rows() * k), parts(p * k);
        for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = scale * of_codes.uniform(rows.first_row * k + i);
        for (std::size_t i = 0; i < parts.size(); ++i) parts[i] = scale * of_parts.uniform(i);
        const auto cheap = [&](std::size_t size) {
            return sweeps > 0 ? sweeps : std::clamp<std::size_t>(1 + size / (4 * k), 1, 8);
        };
        const std::size_t of_rows = cheap(p), of_columns = cheap(rows.rows());

        detail::run<C> run(communicator, "nonnegative_factorisation", stop, observer);
        double before = squares / 2;
        const auto state = [&](auto& each) {
            detail::keep_numbers(each, "parts", parts);
            detail::keep_rows(each, "coefficients", communicator, rows, codes);
            each("before", before);
        };
        bool over = run.resume(fit, resume, rows, state);
        for (std::size_t iteration = run.next(); !over; ++iteration) {
            if (method == updates::projected) step_by_batches(by, rows, iteration, of_rows, parts, codes);
            const auto gram = detail::gram_of(parts, p, k);
            const auto improve =
                method == updates::multiplicative ? detail::multiplicative_sweeps : detail::nonnegative_sweeps;
            const auto sums =
                detail::code_pass(by, rows, parts, k, codes, [&](std::size_t, const double* z, double* c) {
                    improve(gram.data(), z, c, k, of_rows);
                    return 0.0;
                });
            for (std::size_t j = 0; method != updates::projected && j < p; ++j)
                improve(sums.squares.data(), sums.products.data() + j * k, parts.data() + j * k, k, of_columns);
            const double objective = std::max(0.0, squares - 2 * detail::inner(sums.products, parts) +
                                                       detail::inner(sums.squares, detail::gram_of(parts, p, k))) /
                                     2;
            const bool descends = method != updates::projected;
            const double change = descends ? std::max(0.0, before - objective) : std::abs(before - objective);
            const double residual = objective > 0 ? change / objective : 0;
            before = objective;
            std::size_t used = 0;
            for (const double v : parts) used += v > 0 ? 1 : 0;
            over = run.ends(fit,
                            {.phase = !descends                           ? "projected"
                                      : method == updates::multiplicative ? "multiplicative"
                                                                          : "HALS",
                             .iteration = iteration,
                             .objective = objective,
                             .residual = residual,
                             .nonzeros = used,
                             .passes = (descends ? 1 : 2) * iteration + 1},
                            descends ? "the objective hardly falls" : "the objective hardly changes",
                            descends ? core::status::converged : core::status::stalled);
        }
        fit.parts = detail::transposed(parts, p, k);
        return fit;
    }

    /// All rows, a batch at a time: their coefficients, then a step of the parts.
    template <class Dataset>
    void step_by_batches(const detail::shards<C>& by, const Dataset& rows, std::size_t iteration, std::size_t of_rows,
                         std::vector<double>& parts, std::vector<double>& codes) const {
        const std::size_t p = rows.columns(), k = rank;
        const double step = rate * std::pow(decay, static_cast<double>(iteration - 1));
        const detail::row_batches batches({.seed = seed, .stream = 1 + iteration}, rows.rows(), batch);
        for (std::size_t b = 0; b < batches.count(); ++b) {
            const auto gram = detail::gram_of(parts, p, k);
            const auto sums =
                detail::code_batch(by, rows, batches[b], parts, k, codes, [&](std::size_t, const double* z, double* c) {
                    detail::nonnegative_sweeps(gram.data(), z, c, k, of_rows);
                    return 0.0;
                });
            double trace = 0;
            for (std::size_t a = 0; a < k; ++a) trace += sums.squares[a * k + a];
            if (!(trace > 0)) continue;
            std::vector<double> slope(k);
            for (std::size_t j = 0; j < p; ++j) {
                double* const h = parts.data() + j * k;
                for (std::size_t a = 0; a < k; ++a)
                    slope[a] = detail::dot(sums.squares.data() + a * k, h, k) - sums.products[j * k + a];
                for (std::size_t a = 0; a < k; ++a) h[a] = std::max(0.0, h[a] - step / trace * slope[a]);
            }
        }
    }
};

}  // namespace gamut::learn
