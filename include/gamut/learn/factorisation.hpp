// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/rotation.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/consistency/bounded_staleness.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/resume_from.hpp>
#include <gamut/fwd.hpp>
#include <gamut/learn/concept.hpp>
#include <gamut/learn/detail/entry_factors.hpp>
#include <gamut/learn/detail/implicit_factors.hpp>
#include <gamut/learn/detail/rotating_descent.hpp>
#include <gamut/learn/detail/run.hpp>
#include <gamut/learn/detail/shards.hpp>
#include <gamut/learn/detail/table_descent.hpp>
#include <gamut/learn/fitted_factorisation.hpp>

namespace gamut::learn {

/// Whether rows and columns have a number each that is added to their entries.
enum class biases { none, rows_and_columns };
/// How factors are improved: a component at a time, all rows and all columns in turn, the same for choices, or entry by entry, through a
/// parameter server or as blocks of columns visit blocks of rows.
enum class descent { components, alternating, implicit, tables, rotation };

/// Matrix factorisation of the entries that are given (what a sparse source does not store is unknown, not 0):
///     minimise  1/2 sum over given (i, j) of w_i (a_ij - u_i'v_j)^2  +  lambda / 2 (|U|^2 + |V|^2),      u_i, v_j of `rank` numbers
///     learn::factorisation{.rank = 10, .lambda = 5}.fit(data::triples<>{.path = "ratings.csv"})
/// With biases, mean + b_i + c_j + u_i'v_j, where b and c are penalised, too.
/// `components`: CCD++, one rank at a time on the residual (Yu, Hsieh, Si and Dhillon, ICDM 2012); per iteration and component
/// `inner` + 1 passes over the residual and exact sums of 2 columns numbers. `alternating`: all u, then all v, each a system of rank
/// equations (Zhou et al., AAIM 2008); per iteration two passes and two all-reduces, of rows rank and of columns rank numbers, once the
/// entries of columns went where they are solved for (where all entries are given, an exact sum of columns rank + rank^2 / 2 instead).
/// `implicit`: entries say how often or how much something was chosen, and what is not stored was not (Hu, Koren and Volinsky, ICDM 2008):
///     minimise  1/2 sum over all (i, j) of w_i c_ij (p_ij - u_i'v_j)^2  +  lambda / 2 (|U|^2 + |V|^2),     c = 1 + alpha a,  p = 1 where a > 0
/// by alternating solutions, and V'V for what is not stored: the cost of `alternating` and an exact sum of rank^2 numbers.
/// `tables`: stochastic gradients through a parameter server (Petuum's; Ho et al., NIPS 2013; detail/table_descent.hpp): the columns' factors
/// are rows of a table, `nodes` blocks of rows read them, as fresh as `consistency` demands, for the next of `batch` rows. Per clock a
/// letter from every node to every rank, and up to two per column of the batch. With slack 0 the same bits on any ranks; else they depend on
/// who was when how fast, except on one rank and on communicator::sim. The blocks of a rank take turns on one thread. Ends `stalled` where
/// the objective hardly changes.
/// `rotation`: stochastic gradients without anything stale: columns' factors, cut into `nodes` blocks, visit the nodes (detail/rotating_descent.hpp);
/// per iteration and rank `nodes` blocks to a neighbour and an all-reduce of columns rank numbers. Ends as `tables` does, with the same bits.
/// A rank keeps the factors of its rows and of all columns, and with alternating solutions of all rows. Guarantees: but for `tables` and `rotation` the
/// objective never rises; with all entries given and lambda > 0 there are no minima but the least one. Residual: the share of the objective
/// that the last iteration took away.
template <class C> struct factorisation {
    std::size_t rank = 8;
    double lambda = 1;
    learn::biases biases = learn::biases::none;
    learn::descent method = descent::components;
    std::size_t inner = 2;  ///< rounds per component
    double alpha = 1;       ///< of implicit: confidence of a choice
    // of tables, and nodes, rate, decay and check_every of rotation:
    gamut::consistency::bounded_staleness consistency{.slack = 0};
    std::size_t nodes = 8;  ///< blocks of rows, each a worker
    std::size_t batch =
        0;  ///< rows per clock, over all nodes together; 0: so many that no column is given more than eight times
    double rate = 0.1;            ///< of steps, in units of the entries' spread
    double decay = 0.98;          ///< of the rate, per iteration
    std::size_t check_every = 1;  ///< iterations until the objective is known, for which tables wait for each other
    gamut::communicator::route route = gamut::communicator::route::ring;  ///< of rotation: how blocks travel
    core::stop stop{.iterations = 200, .tolerance = 1e-6};
    core::resume_from resume{};  ///< a checkpoint, or a folder of core::checkpoints, to go on from
    std::uint64_t seed = 0;
    int threads = 0;
    C communicator{};

    void validate() const {
        stop.validate("factorisation");
        if (rank == 0) throw core::option_error("factorisation: rank is 0 (one component is needed) try 8");
        if (inner == 0) throw core::option_error("factorisation: inner is 0 (one round per component is needed) try 2");
        if (!(lambda >= 0 && std::isfinite(lambda)))
            throw core::option_error(core::text("factorisation: lambda is ", lambda, " (it must be 0 or more) try 1"));
        if (biases != learn::biases::none && (method == descent::alternating || method == descent::implicit))
            throw core::option_error(core::text(
                "factorisation: biases with descent::", method == descent::implicit ? "implicit" : "alternating",
                " (it improves all of a row's factors at once) use descent::components"));
        if (method == descent::implicit && !(alpha >= 0 && std::isfinite(alpha)))
            throw core::option_error(core::text("factorisation: alpha is ", alpha, " (it must be 0 or more) try 1"));
        if (method != descent::tables && method != descent::rotation) return;
        if (nodes == 0) throw core::option_error("factorisation: nodes is 0 (one block of rows is needed) try 8");
        if (check_every == 0)
            throw core::option_error("factorisation: check_every is 0 (one iteration is needed) try 1");
        if (!(rate > 0 && std::isfinite(rate)))
            throw core::option_error(core::text("factorisation: rate is ", rate, " (it must be above 0) try 0.1"));
        if (!(decay > 0 && decay <= 1))
            throw core::option_error(
                core::text("factorisation: decay is ", decay, " (it must be above 0, and at most 1) try 0.98"));
        if constexpr (!gamut::communicator::PairwiseCommunicator<C>)
            if (method == descent::rotation)
                throw core::option_error("factorisation: descent::rotation on ranks without exchange (blocks travel "
                                         "from rank to rank) use another method, or a communicator of the library");
        if (method != descent::tables) return;
        if constexpr (!gamut::communicator::PostalCommunicator<C>)
            throw core::option_error(
                "factorisation: descent::tables on ranks without letters (a parameter server posts "
                "them) use another method, or one of the library's communicators");
    }

    template <data::DataSource S, core::Observer... O>
    fitted_factorisation<C> fit(const S& source, O&&... observers) const {
        return detail::fit_together(
            communicator,
            [&](core::any_keeper observer) {
                gamut::communicator::agree(communicator, [&] { validate(); });
                data::request wanted;
                wanted.labels = false;
                wanted.blocks = method == descent::tables || method == descent::rotation ? nodes : 0;
                const auto entries = source.load(communicator, wanted);
                if (rank > std::min(entries.rows(), entries.columns()))
                    throw core::data_error(core::text(entries.source, ": ", entries.rows(), " rows and ",
                                                      entries.columns(), " columns (rank ", rank,
                                                      " is wanted) use a lower rank"));
                fitted_factorisation<C> fit(communicator);
                fit.threads = threads;
                fit.features = entries.features;
                const detail::shards by(communicator, entries.partition,
                                        detail::threads_of(communicator, threads, entries, 4 * rank));
                detail::run<C> run(communicator, "factorisation", stop, observer);
                if (method == descent::implicit)
                    fit_choices(entries, by, run, fit);
                else
                    fit_entries(entries, by, run, fit);
                return fit;
            },
            observers...);
    }

private:
    template <class Dataset>
    void fit_entries(const Dataset& entries, const detail::shards<C>& by, detail::run<C>& run,
                     fitted_factorisation<C>& fit) const {
        detail::entry_factors<C, Dataset> state(by, entries, rank, biases != learn::biases::none, lambda, seed);
        if (method == descent::components) {
            iterate(state, entries, run, fit, "CCD++", 2, state.width() * (inner + 1), [&](std::size_t) {
                for (std::size_t k = 0; k < state.width(); ++k) state.improve_component(k, inner);
                return std::size_t(1);
            });
        } else if (method == descent::alternating) {
            iterate(state, entries, run, fit, "ALS", 2, 2, [&](std::size_t) {
                state.improve_alternating();
                return std::size_t(1);
            });
        } else if (method == descent::rotation) {
            if constexpr (gamut::communicator::PairwiseCommunicator<C>) {
                std::optional<detail::rotating_descent<C, Dataset>> descent;  // as below
                iterate(state, entries, run, fit, "SGD", 2, 1, [&](std::size_t iteration) {
                    if (!descent)
                        descent.emplace(by, entries, state, detail::rotation_options{rate, decay, lambda, seed, route},
                                        iteration - 1);
                    const std::size_t epochs = epochs_from(iteration);
                    for (std::size_t e = 0; e < epochs; ++e) descent->run();
                    return epochs;
                });
            }
        } else if constexpr (gamut::communicator::PostalCommunicator<C>) {
            std::optional<detail::table_descent<C, Dataset>>
                descent;  // begins where a checkpoint may have brought the factors
            iterate(state, entries, run, fit, "SGD", 2, 1, [&](std::size_t iteration) {
                if (!descent)
                    descent.emplace(by, entries, state,
                                    detail::table_options{batch, rate, decay, lambda, seed, consistency},
                                    iteration - 1);
                const std::size_t epochs = epochs_from(iteration);
                descent->run(epochs, [] {});
                return epochs;
            });
        }
        fit.width = state.width();
        fit.mean = state.mean();
        fit.column_factors = state.column_factors();
        fit.row_factors = state.all_row_factors();
    }
    template <class Dataset>
    void fit_choices(const Dataset& entries, const detail::shards<C>& by, detail::run<C>& run,
                     fitted_factorisation<C>& fit) const {
        gamut::communicator::agree(communicator, [&] { detail::check_choices(entries); });
        detail::implicit_factors<C, Dataset> state(by, entries, rank, lambda, alpha, seed);
        iterate(state, entries, run, fit, "implicit ALS", 1, 2, [&](std::size_t) {
            state.improve();
            return std::size_t(1);
        });
        fit.width = rank;
        fit.alpha = alpha;
        fit.column_factors = state.column_factors();
        fit.row_factors = state.row_factors();
    }

    /// Until the objective is known again.
    std::size_t epochs_from(std::size_t iteration) const {
        return std::min(check_every, std::max(stop.iterations, iteration) - iteration + 1);
    }

    /// improve(iteration) makes so many iterations as it returns, each of `per` passes.
    template <class State, class Dataset, class Improve>
    void iterate(State& state, const Dataset& entries, detail::run<C>& run, fitted_factorisation<C>& fit,
                 const char* phase, std::size_t passes, std::size_t per, Improve&& improve) const {
        double before = 0;
        const auto kept = [&](auto& each) {
            state.describe(each);
            each("before", before);
            each("passes", passes);
        };
        bool over = run.resume(fit, resume, entries, kept);
        const bool descends = method != descent::tables && method != descent::rotation;
        for (std::size_t iteration = run.next(); !over; ++iteration) {
            const std::size_t made = improve(iteration);
            passes += made * per;
            const bool first = iteration == 1;
            iteration += made - 1;
            const double objective = state.objective();
            const double change = descends ? std::max(0.0, before - objective) : std::abs(before - objective);
            const double residual = first ? 1 : objective > 0 ? change / objective : 0;
            before = objective;
            over = run.ends(fit,
                            {.phase = phase,
                             .iteration = iteration,
                             .objective = objective,
                             .residual = residual,
                             .nonzeros = rank,
                             .passes = passes},
                            descends ? "the objective hardly falls" : "the objective hardly changes",
                            descends ? core::status::converged : core::status::stalled);
        }
    }
};

}  // namespace gamut::learn
