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

#include <gamut/communicator/single.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/names.hpp>
#include <gamut/core/random.hpp>
#include <gamut/core/resume_from.hpp>
#include <gamut/fwd.hpp>
#include <gamut/learn/concept.hpp>
#include <gamut/learn/detail/k_means_batches.hpp>
#include <gamut/learn/detail/k_means_start.hpp>
#include <gamut/learn/detail/k_means_swaps.hpp>
#include <gamut/learn/detail/lloyd.hpp>
#include <gamut/learn/detail/run.hpp>
#include <gamut/learn/detail/shards.hpp>

namespace gamut::learn {

/// Where k-means begins.
enum class centres { spread, random };

/// What k-means says about the rows of one rank: per row its cluster, and the distance to its centre.
struct cluster_assignment {
    std::size_t first_row = 0;
    std::vector<std::size_t> clusters{};
    std::vector<double> distances{};
};

/// Centres of clusters, in the units of the columns as given.
template <class C> struct fitted_k_means : outcome {
    static constexpr const char* name = "k_means";

    explicit fitted_k_means(const C& ranks = C()) : communicator(ranks) {}

    std::size_t clusters = 0;
    core::names features{};
    std::vector<double> centres{};  ///< clusters x features
    std::vector<double> sizes{};    ///< weight of the training rows in each cluster
    C communicator;
    int threads = 0;

    /// The nearest centre of each row. One pass, no message.
    template <data::DataSource S> cluster_assignment predict(const S& source) const {
        const auto rows = detail::load_rows(communicator, source, &features);
        cluster_assignment result{rows.first_row, std::vector<std::size_t>(rows.local_rows()),
                                  std::vector<double>(rows.local_rows())};
        measure(rows, [&](std::size_t i, std::size_t own, double d2) {
            result.clusters[i] = own;
            result.distances[i] = std::sqrt(d2);
        });
        return result;
    }

    /// loss: the mean squared distance to the nearest centre. One pass, one exact sum.
    template <data::DataSource S> learn::score score(const S& source) const {
        const auto rows = detail::load_rows(communicator, source, &features);
        std::vector<double> d2(rows.local_rows()), totals(2);
        measure(rows, [&](std::size_t i, std::size_t, double d) { d2[i] = d; });
        const detail::shards by(communicator, rows.partition, 1);
        by.sum(totals, [&](std::size_t, data::range local, std::size_t, double* partial) {
            for (std::size_t i = local.begin; i < local.end; ++i) {
                partial[0] += static_cast<double>(rows.weight(i)) * d2[i];
                partial[1] += static_cast<double>(rows.weight(i));
            }
        });
        return {.rows = rows.rows(), .loss = totals[0] / totals[1]};
    }

    template <class Self, class Visit> static void members(Self& fit, Visit&& visit) {
        outcome::members(fit, visit);
        visit("clusters", fit.clusters);
        visit("features", fit.features);
        visit("centres", fit.centres);
        visit("sizes", fit.sizes);
    }
    void validate() const {
        if (clusters == 0 || centres.size() != clusters * features.size() || sizes.size() != clusters)
            throw core::data_error(core::text(centres.size(), " numbers and ", sizes.size(), " sizes (", clusters,
                                              " centres of ", features.size(), " features) save the fit again"));
    }

private:
    /// take(i, cluster, squared distance) for this rank's rows, in the order of the rows.
    template <class Dataset, class Take> void measure(const Dataset& rows, Take&& take) const {
        gamut::communicator::agree(communicator, [&] {
            const std::size_t p = features.size();
            std::vector<double> origin(detail::is_sparse(rows.x) ? 0 : p), about = centres;
            for (std::size_t j = 0; j < origin.size(); ++j) {
                for (std::size_t c = 0; c < clusters; ++c)
                    origin[j] += centres[c * p + j] / static_cast<double>(clusters);
                for (std::size_t c = 0; c < clusters; ++c) about[c * p + j] -= origin[j];
            }
            const detail::measured_rows x(rows.x, std::move(origin));
            detail::centre_table table;
            table.set(std::move(about), clusters, p, x.sparse());
            typename decltype(x)::workspace w;
            const auto flush = [&] {
                x.multiply(w, table);
                for (std::size_t r = 0; r < w.which.size(); ++r) {
                    std::size_t best = 0;
                    const auto far = [&](std::size_t c) { return table.squares[c] - 2 * w.products[r * clusters + c]; };
                    for (std::size_t c = 1; c < clusters; ++c)
                        if (far(c) < far(best)) best = c;
                    const double* const taken = x.sparse() ? nullptr : w.rows.data() + r * p;
                    take(w.which[r], best, x.to_one(taken, w.which[r], x.square(w.which[r]), table, best));
                }
                w.which.clear();
            };
            // in blocks that begin with the shards', so that a row has the same neighbours on any number of ranks
            const detail::shards by(communicator, rows.partition, 1);
            by.each([&](std::size_t, data::range local, std::size_t) {
                for (std::size_t i = local.begin; i < local.end; ++i) {
                    x.take(w, i);
                    w.which.push_back(i);
                    if (w.which.size() == x.block) flush();
                }
                flush();
            });
        });
    }
};

/// k-means:  minimise over k centres c  sum_i w_i min_c |x_i - c|^2.
///     learn::k_means{.clusters = 10, .restarts = 5}.fit(source)
/// Begins with rows that are far apart (k-means++ with the best of several trials per centre: Arthur and Vassilvitskii, SODA 2007), tries `swaps` replacements of single centres (Lattanzi and Sohler,
/// ICML 2019: 25 save many restarts) and takes Lloyd's steps, with bounds that spare most distances (Hamerly, SDM 2010), the others by blocks as matrix products. A cluster
/// without rows gets the row that is farthest from its centre. With `batch` rows per step instead: the centres' running means over
/// rows drawn with replacement (Sculley, Web-scale k-means clustering, WWW 2010), then one pass over all rows.
/// Guarantees: the objective never rises, and at `converged` with tolerance 0 no row is nearer to another centre, and each centre is the
/// mean of its rows: a local minimum. The start alone is within 8 (log k + 2) of the best in expectation (one trial).
/// Cost: a pass and three messages per centre to begin, then a pass and one exact sum of k (p + 1) numbers per iteration.
/// Residual: the share of the objective that the last step took away. Throws option_error; data_error for more clusters than rows.
template <class C> struct k_means {
    std::size_t clusters = 8;
    std::size_t restarts = 1;  ///< the best of so many runs
    learn::centres start = learn::centres::spread;
    std::size_t trials = 0;  ///< per centre of the start; 0: 2 + log k
    std::size_t swaps = 0;   ///< tries to replace a centre before the first step
    std::size_t batch = 0;   ///< rows per step; 0: all
    core::stop stop{.iterations = 300, .tolerance = 0};
    core::resume_from
        resume{};  ///< a checkpoint, or a folder of core::checkpoints, to go on from; of one run by all rows
    std::uint64_t seed = 0;
    int threads = 0;
    C communicator{};

    void validate() const {
        stop.validate("k_means");
        if (clusters == 0) throw core::option_error("k_means: clusters is 0 (rows need one to belong to) try 8");
        if (!resume.empty() && (restarts > 1 || batch > 0))
            throw core::option_error("k_means: resume with restarts or a batch (only one run by all rows keeps what it "
                                     "needs) set restarts = 1 and batch = 0");
        if (restarts == 0) throw core::option_error("k_means: restarts is 0 (one run is needed) try 1");
    }

    template <data::DataSource S, core::Observer... O> fitted_k_means<C> fit(const S& source, O&&... observers) const {
        return detail::fit_together(
            communicator,
            [&](core::any_keeper observer) {
                gamut::communicator::agree(communicator, [&] {
                    validate();
                    if (observer.keeps() && (restarts > 1 || batch > 0))
                        throw core::option_error(
                            "k_means: checkpoints with restarts or a batch (only one run by all rows keeps what it "
                            "needs) leave the checkpoints out, or set restarts = 1 and batch = 0");
                });
                const auto rows = detail::load_rows(communicator, source);
                if (clusters > rows.rows())
                    throw core::data_error(core::text(rows.source, ": ", rows.rows(), " rows (", clusters,
                                                      " clusters are wanted) use fewer clusters"));
                return fit_rows(rows, observer);
            },
            observers...);
    }

private:
    template <class Dataset> fitted_k_means<C> fit_rows(const Dataset& rows, core::any_keeper observer) const {
        const detail::shards by(communicator, rows.partition, detail::threads_of(communicator, threads, rows, 2));
        detail::measured_rows<typename Dataset::matrix_type> x(rows.x, detail::origin_of(by, rows));
        gamut::communicator::agree(communicator, [&] {
            x.keep_rough([&](auto&& some) {
                by.each([&](std::size_t, data::range local, std::size_t) { some(local.begin, local.end); });
            });
        });
        std::vector<double> squares(rows.local_rows());
        for (std::size_t i = 0; i < squares.size(); ++i) squares[i] = x.square(i);

        fitted_k_means<C> best(communicator);
        for (std::size_t r = 0; r < restarts; ++r) {
            fitted_k_means<C> one(communicator);
            one.threads = threads;
            one.clusters = clusters;
            one.features = rows.features;
            const core::random source{.seed = seed, .stream = 3 * r};
            const std::size_t tries =
                trials > 0 ? trials : 2 + static_cast<std::size_t>(std::log(static_cast<double>(clusters)));
            auto begin = start == learn::centres::spread
                             ? detail::spread_centres(by, rows, x, squares, clusters, tries, source)
                             : detail::random_centres(by, x, clusters, source);
            detail::centre_table c;
            c.set(std::move(begin), clusters, rows.columns(), x.sparse());
            detail::swap_centres(by, rows, x, squares, c, swaps, {.seed = seed, .stream = 3 * r + 2});
            const std::size_t passes = swaps + (start == learn::centres::spread ? clusters + 2 : 2);
            detail::run<C> run(communicator, "k_means", stop, observer);
            if (batch > 0)
                detail::k_means_by_batches(by, rows, x, squares, c, batch, passes, run,
                                           {.seed = seed, .stream = 3 * r + 1}, one);
            else
                by_steps(by, rows, x, squares, c, passes, run, one);
            one.centres = c.values;
            for (std::size_t k = 0; k < clusters && !x.sparse(); ++k)
                for (std::size_t j = 0; j < rows.columns(); ++j) one.centres[k * rows.columns() + j] += x.origin()[j];
            const bool stopped = one.status == core::status::stopped || one.status == core::status::time_limit;
            if (r == 0 || one.objective < best.objective) best = std::move(one);
            if (stopped) break;
        }
        return best;
    }

    template <class Dataset, class Rows>
    void by_steps(const detail::shards<C>& by, const Dataset& rows, const Rows& x, const std::vector<double>& squares,
                  detail::centre_table& c, std::size_t passes, detail::run<C>& run, fitted_k_means<C>& fit) const {
        detail::assignment<C, Dataset> state(by, rows, x, squares);
        double before = 0;
        detail::assigned found;
        const auto kept = [&](auto& each) {
            std::vector<double> centres = c.values;
            detail::keep_numbers(each, "centres", centres);
            c.set(std::move(centres), c.k, c.p, x.sparse());
            state.describe(each);
            found.describe(each);
            each("before", before);
            each("sizes", fit.sizes);
        };
        bool over = restarts == 1 && run.resume(fit, resume, rows, kept);
        for (std::size_t iteration = run.next(); !over; ++iteration) {
            if (iteration > 1) c.set(moved(by, x, state, c, std::move(found)), c.k, c.p, x.sparse());
            found = state.pass(c);
            fit.sizes = found.weights;
            std::size_t used = 0;
            for (const double w : found.weights) used += w > 0 ? 1 : 0;
            const double residual =
                iteration > 1 && found.objective > 0 ? (before - found.objective) / found.objective : 1;
            before = found.objective;
            over =
                run.ends(fit,
                         {.phase = "Lloyd",
                          .iteration = iteration,
                          .objective = found.objective,
                          .residual = found.changed == 0 ? 0.0 : std::max(residual, std::numeric_limits<double>::min()),
                          .nonzeros = used,
                          .passes = passes + iteration},
                         found.changed == 0 ? "no row changes its cluster" : "the objective hardly falls");
        }
    }

    /// The means of the clusters; those without rows go where rows are farthest from their centres.
    template <class Rows, class State>
    static std::vector<double> moved(const detail::shards<C>& by, const Rows& x, const State& state,
                                     const detail::centre_table& c, detail::assigned found) {
        std::vector<std::size_t> empty;
        for (std::size_t k = 0; k < c.k; ++k) {
            if (!(found.weights[k] > 0)) empty.push_back(k);
            for (std::size_t j = 0; j < c.p; ++j)
                found.sums[k * c.p + j] =
                    found.weights[k] > 0 ? found.sums[k * c.p + j] / found.weights[k] : c.values[k * c.p + j];
        }
        if (empty.empty()) return std::move(found.sums);
        auto far = state.farthest(c);
        std::sort(far.begin(), far.end(), [](const auto& a, const auto& b) {
            return a.first > b.first || (a.first == b.first && a.second < b.second);
        });
        std::vector<std::size_t> rows;
        for (std::size_t e = 0; e < empty.size() && e < far.size() && far[e].first > 0; ++e)
            rows.push_back(far[e].second);
        const auto values = detail::rows_anywhere(by, x, rows);
        for (std::size_t e = 0; e < rows.size(); ++e)
            std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(e * c.p), c.p,
                        found.sums.begin() + static_cast<std::ptrdiff_t>(empty[e] * c.p));
        return std::move(found.sums);
    }
};

}  // namespace gamut::learn
