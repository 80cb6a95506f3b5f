// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
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
#include <gamut/learn/detail/lasso_code.hpp>
#include <gamut/learn/detail/run.hpp>
#include <gamut/learn/detail/shards.hpp>
#include <gamut/learn/row_numbers.hpp>

namespace gamut::learn {

/// A dictionary: atoms x features, no atom longer than 1.
template <class C> struct fitted_sparse_coding : outcome {
    static constexpr const char* name = "sparse_coding";

    explicit fitted_sparse_coding(const C& ranks = C()) : communicator(ranks) {}

    std::size_t atoms = 0;
    double lambda = 0;
    core::names features{};
    std::vector<double> dictionary{};  ///< atoms x features
    C communicator;
    int threads = 0;

    /// The codes of each row:  argmin over c of  1/2 |x - c'D|^2 + lambda |c|_1,  to a duality gap of 1e-12 |x|^2. No message.
    template <data::DataSource S> row_numbers transform(const S& source) const {
        return codes_of(detail::load_rows(communicator, source, &features));
    }

    /// loss: the mean of  1/2 |x - c'D|^2 + lambda |c|_1  at the best codes. One pass, one exact sum.
    template <data::DataSource S> learn::score score(const S& source) const {
        const auto rows = detail::load_rows(communicator, source, &features);
        std::vector<double> costs(rows.local_rows()), totals(2);
        codes_of(rows, costs.data());
        const detail::shards by(communicator, rows.partition, 1);
        by.sum(totals, [&](std::size_t, data::range local, std::size_t, double* partial) {
            for (std::size_t i = local.begin; i < local.end; ++i) {
                partial[0] += static_cast<double>(rows.weight(i)) * costs[i];
                partial[1] += static_cast<double>(rows.weight(i));
            }
        });
        return {.rows = rows.rows(), .loss = totals[0] / totals[1]};
    }

    template <class Self, class Visit> static void members(Self& fit, Visit&& visit) {
        outcome::members(fit, visit);
        visit("atoms", fit.atoms);
        visit("lambda", fit.lambda);
        visit("features", fit.features);
        visit("dictionary", fit.dictionary);
    }
    void validate() const {
        if (atoms == 0 || dictionary.size() != atoms * features.size() || !(lambda >= 0))
            throw core::data_error(core::text(dictionary.size(), " numbers (", atoms, " atoms of ", features.size(),
                                              " features, lambda ", lambda, ") save the fit again"));
    }

private:
    template <class Dataset> row_numbers codes_of(const Dataset& rows, double* costs = nullptr) const {
        row_numbers found{rows.first_row, atoms, std::vector<double>(rows.local_rows() * atoms)};
        gamut::communicator::agree(communicator, [&] {
            const auto basis = detail::transposed(dictionary, atoms, features.size());
            const auto gram = detail::gram_of(basis, features.size(), atoms);
            const detail::shards by(communicator, rows.partition,
                                    detail::threads_of(communicator, threads, rows, atoms));
            detail::each_product(by, rows, basis, atoms, [&](std::size_t i, const double* z) {
                double square = 0;
                detail::visit_row(rows.x, i, [&](std::size_t, double v) { square += v * v; });
                const double cost = detail::lasso_code(gram, z, square, lambda, 1e-12, found.values.data() + i * atoms);
                if (costs) costs[i] = cost;
            });
        });
        return found;
    }
};

/// Sparse coding:  minimise  sum_i w_i (1/2 |x_i - c_i'D|^2 + lambda |c_i|_1)  over codes c and a dictionary D of atoms with |d_k| <= 1.
///     learn::sparse_coding{.atoms = 32, .lambda = 0.5}.fit(source).transform(source)
/// In turns: codes by coordinate descent to a duality gap, from where they were; atoms one by one, each the best for all codes and other
/// atoms (Mairal, Bach, Ponce and Sapiro, Online learning for matrix factorization and sparse coding, JMLR 11, 2010, algorithm 2, on all
/// rows). Begins with rows drawn at random; an atom that nobody uses becomes a row that is drawn anew.
/// Guarantees: the objective never rises (but where an unused atom is replaced it stays); codes of a fit are within the gap of the best.
/// Cost per iteration: a pass and an exact sum of atoms (p + atoms) numbers. Residual: the share of the objective that the last
/// iteration took away. Throws data_error for more atoms than rows.
/// `batch` above 0: online (Mairal et al., JMLR 11, 2010, section 3): rows in an order drawn anew for each iteration, `batch` at a time; with
/// the codes c of the t-th batch
///     A = b A + sum w c c',   B = b B + sum w x c',   b = (1 - 1/t)^forget,   then one round over the atoms with A and B
/// Cost per iteration: two passes (one for the objective), an exact sum of atoms (p + atoms) numbers for each batch and one more. The
/// objective may rise; ends `stalled` where it hardly changes.
template <class C> struct sparse_coding {
    std::size_t atoms = 16;
    double lambda = 0.1;
    std::size_t batch = 0;  ///< rows per step; 0: all of them
    double forget = 5;      ///< with batches: how soon old ones count less
    core::stop stop{.iterations = 300, .tolerance = 1e-5};
    core::resume_from resume{};  ///< a checkpoint, or a folder of core::checkpoints, to go on from
    std::uint64_t seed = 0;
    int threads = 0;
    C communicator{};

    void validate() const {
        stop.validate("sparse_coding");
        if (atoms == 0) throw core::option_error("sparse_coding: atoms is 0 (one is needed) try 16");
        if (!(lambda >= 0 && std::isfinite(lambda)))
            throw core::option_error(
                core::text("sparse_coding: lambda is ", lambda, " (it must be 0 or more) try 0.1"));
        if (batch > 0 && !(forget >= 0 && std::isfinite(forget)))
            throw core::option_error(core::text("sparse_coding: forget is ", forget, " (it must be 0 or more) try 5"));
    }

    template <data::DataSource S, core::Observer... O>
    fitted_sparse_coding<C> fit(const S& source, O&&... observers) const {
        return detail::fit_together(
            communicator,
            [&](core::any_keeper observer) {
                gamut::communicator::agree(communicator, [&] { validate(); });
                const auto rows = detail::load_rows(communicator, source);
                if (atoms > rows.rows())
                    throw core::data_error(core::text(rows.source, ": ", rows.rows(), " rows (", atoms,
                                                      " atoms are wanted) use fewer atoms"));
                return fit_rows(rows, observer);
            },
            observers...);
    }

private:
    template <class Dataset> fitted_sparse_coding<C> fit_rows(const Dataset& rows, core::any_keeper observer) const {
        const std::size_t p = rows.columns(), k = atoms, n = rows.rows();
        const detail::shards by(communicator, rows.partition, detail::threads_of(communicator, threads, rows, k));
        fitted_sparse_coding<C> fit(communicator);
        fit.threads = threads;
        fit.atoms = atoms;
        fit.lambda = lambda;
        fit.features = rows.features;
        const auto order = core::permutation({.seed = seed}, n);
        std::uint64_t next_row = 0;
        const auto new_atoms = [&](std::size_t count) {  // rows of length 1
            std::vector<double> out(count * p);
            for (std::size_t a = 0; a < count; ++a) {
                const std::size_t row = order[next_row++ % n];
                if (by.owns(by.shard_of(row))) detail::copy_row(rows.x, row - by.first_row(), out.data() + a * p);
            }
            detail::everywhere(communicator, std::span<double>(out));
            for (std::size_t a = 0; a < count; ++a) {
                double square = 0;
                for (std::size_t j = 0; j < p; ++j) square += out[a * p + j] * out[a * p + j];
                for (std::size_t j = 0; j < p; ++j) out[a * p + j] /= square > 0 ? std::sqrt(square) : 1;
            }
            return out;
        };
        std::vector<double> basis = detail::transposed(new_atoms(k), k, p), codes(rows.local_rows() * k),
                            squares(rows.local_rows());
        for (std::size_t i = 0; i < squares.size(); ++i)
            detail::visit_row(rows.x, i, [&](std::size_t, double v) { squares[i] += v * v; });

        detail::run<C> run(communicator, "sparse_coding", stop, observer);
        double before = 0;
        detail::code_sums sums{.products = std::vector<double>(p * k), .squares = std::vector<double>(k * k)};
        const auto state = [&](auto& each) {
            detail::keep_numbers(each, "dictionary", basis);
            detail::keep_rows(each, "codes", communicator, rows, codes);
            detail::keep_numbers(each, "products", sums.products);
            detail::keep_numbers(each, "squares", sums.squares);
            each("before", before);
            each("next_row", next_row);
        };
        bool over = run.resume(fit, resume, rows, state);
        for (std::size_t iteration = run.next(); !over; ++iteration) {
            if (batch > 0) {
                if (iteration > 1) replace_unused(basis, sums, p, k, new_atoms);
                const detail::row_batches batches({.seed = seed, .stream = iteration}, n, batch);
                for (std::size_t b = 0; b < batches.count(); ++b) {
                    const auto gram = detail::gram_of(basis, p, k);
                    const auto some = detail::code_batch(
                        by, rows, batches[b], basis, k, codes, [&](std::size_t i, const double* z, double* c) {
                            return detail::lasso_code(gram, z, squares[i], lambda, 1e-7, c);
                        });
                    const double t = static_cast<double>((iteration - 1) * batches.count() + b + 1);
                    remember(sums, some, std::pow(1 - 1 / t, forget));
                    improve(basis, sums, p, k, 1);
                }
            } else if (iteration > 1) {
                improve(basis, sums, p, k, 10);
                replace_unused(basis, sums, p, k, new_atoms);
            }
            const auto gram = detail::gram_of(basis, p, k);
            auto all = detail::code_pass(by, rows, basis, k, codes, [&](std::size_t i, const double* z, double* c) {
                return detail::lasso_code(gram, z, squares[i], lambda, 1e-7, c);
            });
            const double objective = all.cost,
                         change = batch > 0 ? std::abs(before - objective) : std::max(0.0, before - objective);
            const double residual = iteration == 1 ? 1 : objective > 0 ? change / objective : 0;
            before = objective;
            std::size_t used = 0;
            for (std::size_t a = 0; a < k; ++a) used += all.squares[a * k + a] > 0 ? 1 : 0;
            if (batch == 0) sums = std::move(all);
            over = run.ends(fit,
                            {.phase = batch > 0 ? "batches" : "all rows",
                             .iteration = iteration,
                             .objective = objective,
                             .residual = residual,
                             .nonzeros = used,
                             .passes = (batch > 0 ? 2 : 1) * iteration},
                            batch > 0 ? "the objective hardly changes" : "the objective hardly falls",
                            batch > 0 ? core::status::stalled : core::status::converged);
        }
        fit.dictionary = detail::transposed(basis, p, k);
        return fit;
    }

    /// Atoms that no row uses become rows that are drawn anew.
    template <class NewAtoms>
    static void replace_unused(std::vector<double>& basis, const detail::code_sums& sums, std::size_t p, std::size_t k,
                               NewAtoms&& new_atoms) {
        std::vector<std::size_t> unused;
        for (std::size_t a = 0; a < k; ++a)
            if (!(sums.squares[a * k + a] > 0)) unused.push_back(a);
        if (unused.empty()) return;
        const auto fresh = new_atoms(unused.size());
        for (std::size_t f = 0; f < unused.size(); ++f)
            for (std::size_t j = 0; j < p; ++j) basis[j * k + unused[f]] = fresh[f * p + j];
    }

    /// sums = share sums + more
    static void remember(detail::code_sums& sums, const detail::code_sums& more, double share) {
        for (std::size_t e = 0; e < sums.products.size(); ++e)
            sums.products[e] = share * sums.products[e] + more.products[e];
        for (std::size_t e = 0; e < sums.squares.size(); ++e)
            sums.squares[e] = share * sums.squares[e] + more.squares[e];
    }

    /// Each atom in turn:  d_a += (sum x c_a - D' sum c c_a) / sum c_a^2,  then back to length 1 if it is longer.
    static void improve(std::vector<double>& basis, const detail::code_sums& sums, std::size_t p, std::size_t k,
                        int rounds) {
        std::vector<double> next(p);
        for (int round = 0; round < rounds; ++round)
            for (std::size_t a = 0; a < k; ++a) {
                const double* const s = sums.squares.data() + a * k;
                if (!(s[a] > 0)) continue;
                double square = 0;
                for (std::size_t j = 0; j < p; ++j) {
                    double rest = sums.products[j * k + a];
                    for (std::size_t b = 0; b < k; ++b) rest -= s[b] * basis[j * k + b];
                    next[j] = basis[j * k + a] + rest / s[a];
                    square += next[j] * next[j];
                }
                const double length = std::max(1.0, std::sqrt(square));
                for (std::size_t j = 0; j < p; ++j) basis[j * k + a] = next[j] / length;
            }
    }
};

}  // namespace gamut::learn
