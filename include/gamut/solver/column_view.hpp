// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/kernel.hpp>
#include <gamut/backend/parallel.hpp>
#include <gamut/backend/row_access.hpp>
#include <gamut/backend/row_slopes.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/data/owned_columns.hpp>
#include <gamut/model/concept.hpp>

namespace gamut::solver {

/// A model whose loss of a row never bends more than `largest_curvature` in x'w: one output, and steps along a coordinate that
/// never rise without a line search.
template <class M>
concept BoundedCurvature = model::Model<M> && !model::MultiOutput<M> && requires {
    { M::largest_curvature } -> std::convertible_to<double>;
};

namespace detail {

/// out[k] = stored[rows[k]]'u
template <class Matrix> struct column_products {
    using T = typename Matrix::value_type;
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(const backend::row_access<Matrix>* x, const std::size_t* rows, std::size_t count,
                                 const T* u, double* out) {
        for (std::size_t k = 0; k < count; ++k) out[k] = static_cast<double>(x->template product<Bytes>(rows[k], u));
    }
};

/// z += t stored[row]
template <class Matrix> struct column_addition {
    using T = typename Matrix::value_type;
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(const backend::row_access<Matrix>* x, std::size_t row, double t, double* z) {
        if constexpr (std::is_same_v<T, double>)
            x->template add<Bytes>(row, t, nullptr, z);
        else
            x->visit(row, [&](std::size_t i, auto entry) { z[i] += t * static_cast<double>(entry); });
    }
};

}  // namespace detail

/// What methods see of a problem that hold whole columns and the products of all rows with the weights: the loss and its slopes
/// there, products with own columns, and sums of columns over all ranks. Numbers that one rank knows become everybody's by a sum
/// in which the others have zeros, which is exact; sums of n numbers are exact sums with a partial per block of columns. So all
/// bits are the same on any number of ranks and threads.
template <class Model, class Matrix> class column_view {
public:
    using T = typename Matrix::value_type;
    using formula = decltype(model::loss_formula(std::declval<const Model&>()));
    /// The loss's second derivatives are at most this times X~'Omega X~ / Omega.
    static constexpr double largest_curvature = Model::largest_curvature;

    /// Collective: one sum of p numbers. means: what was taken off the columns without the problem knowing, or nothing.
    template <communicator::Communicator C>
    column_view(const C& ranks, const Model& m, data::owned_columns<Matrix> columns, std::vector<double> means,
                double total_weight, int threads)
        : columns_(std::move(columns)),
          taken_off_(std::move(means)),
          threads_(static_cast<std::size_t>(std::max(threads, 1))),
          slopes_(model::loss_formula(m),
                  {columns_.labels().data(), columns_.weights().empty() ? nullptr : columns_.weights().data(),
                   total_weight},
                  columns_.rows(), threads) {
        std::exception_ptr failure;
        try {
            squares_.assign(columns_.columns() + 1, 0.0);
            shares_.assign(columns_.rows(), static_cast<T>(1 / total_weight));
            for (std::size_t i = 0; i < columns_.weights().size(); ++i)
                shares_[i] = static_cast<T>(static_cast<double>(columns_.weights()[i]) / total_weight);
            measure_squares();
        } catch (...) {
            failure = std::current_exception();
        }
        share(ranks, squares_, failure);
        squares_.pop_back();
    }

    const data::owned_columns<Matrix>& columns() const { return columns_; }
    /// sum of omega_i x~_ij^2 / Omega.
    std::span<const double> squares() const { return squares_; }

    /// What the intercept of the problem is above that for these columns, with the weights w.
    double intercept_shift(std::span<const double> w) const {
        double shift = 0;
        for (std::size_t j = 0; j < taken_off_.size(); ++j) shift += taken_off_[j] * w[j];
        return -shift;
    }

    /// Loss and slopes where rows have the products z_i + offset. No message: every rank knows all rows' products.
    auto evaluate(std::span<const double> z, double offset, std::span<T> slopes) {
        return slopes_.evaluate(z, offset, slopes);
    }

    /// values: last entry a lane for failures; the others are 0 but on one rank. One all-reduce.
    template <communicator::Communicator C>
    static void share(const C& ranks, std::span<double> values, const std::exception_ptr& failure) {
        if (failure) std::fill(values.begin(), values.end(), 0.0);
        if (!values.empty()) values.back() = failure ? 1 : 0;
        ranks.all_reduce(values, communicator::operation::sum);
        if (!values.empty() && values.back() != 0) communicator::agree(ranks, failure);
    }

    /// out[k] = x~_j'a for j = chosen[k] if this rank owns it, and 0 otherwise; sum: that of a. No message.
    void products(std::span<const std::size_t> chosen, const T* a, double sum, double* out) const {
        const backend::row_access<Matrix> x(columns_.stored());
        const std::size_t first = columns_.own_columns().begin;
        backend::parallel_for(0, chosen.size(), threads_, [&](std::size_t k, std::size_t) {
            const std::size_t j = chosen[k];
            out[k] = 0;
            if (!columns_.owns(j)) return;
            const std::size_t row = j - first;
            backend::run<detail::column_products<Matrix>>(&x, &row, std::size_t(1), a, out + k);
            out[k] = columns_.factor(j) * out[k] - columns_.center(j) * sum;
        });
    }

    /// z += sum over k of steps[k] times the stored part of column chosen[k], which ascend, and offset the rest: afterwards
    /// z + offset has moved by the sum of steps[k] x~_j. few: sparse columns travel to all ranks and are added there; else, and for
    /// dense ones, one global sum of n numbers with a partial per block.
    template <communicator::Communicator C>
    void add(const C& ranks, std::span<const std::size_t> chosen, std::span<const double> steps, bool few,
             std::span<double> z, double& offset) {
        for (std::size_t k = 0; k < chosen.size(); ++k) offset -= steps[k] * columns_.center(chosen[k]);
        if constexpr (!data::owned_columns<Matrix>::dense)
            if (few) {
                const Matrix all = ranks.size() > 1 ? columns_.gather(ranks, chosen) : Matrix{};
                const backend::row_access<Matrix> x(ranks.size() > 1 ? all : columns_.stored());
                for (std::size_t k = 0; k < chosen.size(); ++k)
                    backend::run<detail::column_addition<Matrix>>(&x, ranks.size() > 1 ? k : chosen[k],
                                                                  columns_.factor(chosen[k]) * steps[k], z.data());
                return;
            }
        const std::size_t n = columns_.rows(), first = columns_.own_columns().begin;
        const backend::row_access<Matrix> x(columns_.stored());
        std::exception_ptr failure;
        std::size_t count = 0;
        try {
            groups_.clear();  // of chosen columns: those of one own block
            for (std::size_t k = 0; k < chosen.size(); ++k) {
                if (!columns_.owns(chosen[k])) continue;
                if (groups_.empty() || columns_.block_of(chosen[k]) != columns_.block_of(chosen[groups_.back().begin]))
                    groups_.push_back({k, k});
                groups_.back().end = k + 1;
            }
            count = groups_.size();
            if (partials_.size() < count * n) partials_.resize(count * n);
            total_.resize(n);
            backend::parallel_for(0, count, threads_, [&](std::size_t g, std::size_t) {
                double* const partial = partials_.data() + g * n;
                std::fill_n(partial, n, 0.0);
                for (std::size_t k = groups_[g].begin; k < groups_[g].end; ++k)
                    backend::run<detail::column_addition<Matrix>>(&x, chosen[k] - first,
                                                                  columns_.factor(chosen[k]) * steps[k], partial);
            });
        } catch (...) {
            failure = std::current_exception();
        }
        communicator::sum(ranks, std::span<const double>(partials_).first(failure ? 0 : count * n), count, total_,
                          failure);
        for (std::size_t i = 0; i < n; ++i) z[i] += total_[i];
    }

    /// wanted(a, b) of pairs of `columns` (which ascend), a < b, each with one end in `travelling` at least: found(a, b, value) gets
    /// sum of omega_i x~_ij x~_ik / Omega for j = columns[a], k = columns[b]. The columns columns[t], t in `travelling`, go to all ranks;
    /// who owns the other one multiplies. One all-reduce of |travelling| |columns| numbers.
    template <communicator::Communicator C, class Wanted, class Found>
    void products_of_pairs(const C& ranks, std::span<const std::size_t> columns,
                           std::span<const std::size_t> travelling, Wanted&& wanted, Found&& found) {
        const std::size_t m = columns.size(), n = columns_.rows();
        std::exception_ptr failure;
        std::vector<std::size_t> names;
        for (const std::size_t t : travelling) names.push_back(columns[t]);
        const bool alone = ranks.size() == 1;
        const Matrix sent = alone ? Matrix{} : columns_.gather(ranks, names);
        std::vector<double> values(travelling.size() * m + 1, 0.0);
        std::vector<std::size_t> place(m, m);  // in `travelling`, or m
        for (std::size_t t = 0; t < travelling.size(); ++t) place[travelling[t]] = t;
        try {
            const backend::row_access<Matrix> others(alone ? columns_.stored() : sent), own(columns_.stored());
            const std::size_t first = columns_.own_columns().begin;
            std::vector<backend::aligned_vector<T>> dense(std::min(threads_, travelling.size()));
            for (auto& u : dense) u.assign(n, T(0));
            backend::parallel_for(0, travelling.size(), threads_, [&](std::size_t t, std::size_t thread) {
                auto& u = dense[thread];
                const std::size_t a = travelling[t], row = alone ? columns[a] : t;
                double sum = 0;  // of u
                bool ready = false;
                for (std::size_t b = 0; b < m; ++b) {
                    if (b == a || (place[b] != m && b < a)) continue;  // both travel: the first of them counts
                    if (!columns_.owns(columns[b]) || !wanted(std::min(a, b), std::max(a, b))) continue;
                    if (!ready) {  // u = Omega x~_a / Omega, its stored part
                        others.visit(row, [&](std::size_t i, T entry) {
                            u[i] = shares_[i] * entry * static_cast<T>(columns_.factor(columns[a]));
                            sum += static_cast<double>(u[i]);
                        });
                        ready = true;
                    }
                    const std::size_t j = columns[b], mine = j - first;
                    double& value = values[t * m + b];
                    backend::run<detail::column_products<Matrix>>(&own, &mine, std::size_t(1),
                                                                  static_cast<const T*>(u.data()), &value);
                    // (f x - c)'Omega(g y - d) = f g x'Omega y - d f x'Omega 1 - c g y'Omega 1 + c d, with the means of x, y
                    value = columns_.factor(j) * value - columns_.center(j) * sum -
                            columns_.center(columns[a]) * mean_of(j);
                }
                if (ready) others.visit(row, [&](std::size_t i, T) { u[i] = T(0); });
            });
        } catch (...) {
            failure = std::current_exception();
        }
        share(ranks, values, failure);
        for (std::size_t t = 0; t < travelling.size(); ++t)
            for (std::size_t b = 0; b < m; ++b) {
                const std::size_t a = travelling[t];
                if (b == a || (place[b] != m && b < a) || !wanted(std::min(a, b), std::max(a, b))) continue;
                found(std::min(a, b), std::max(a, b), values[t * m + b]);
            }
    }

private:
    /// sum of omega_i x~_ij / Omega: 0 but for rounding where columns are standardised with these rows' means.
    double mean_of(std::size_t j) const { return means_[j - columns_.own_columns().begin]; }

    void measure_squares() {
        const data::range own = columns_.own_columns();
        const backend::row_access<Matrix> x(columns_.stored());
        double total = 0;
        for (const T s : shares_) total += static_cast<double>(s);
        means_.assign(own.size(), 0.0);
        backend::parallel_for(own.begin, own.end, threads_, [&](std::size_t j, std::size_t) {
            const double factor = columns_.factor(j), center = columns_.center(j);
            double sum = 0, mean = 0, seen = 0;
            x.visit(j - own.begin, [&](std::size_t i, T entry) {
                const double s = static_cast<double>(shares_[i]),
                             deviation = factor * static_cast<double>(entry) - center;
                sum += s * deviation * deviation;
                mean += s * deviation;
                seen += s;
            });
            const double rest = std::max(0.0, total - seen);  // rows where nothing is stored
            squares_[j] = sum + rest * center * center;
            means_[j - own.begin] = mean - rest * center;
        });
    }

    data::owned_columns<Matrix> columns_;
    std::vector<double> taken_off_;
    std::size_t threads_;
    backend::row_slopes<T, formula> slopes_;
    std::vector<double> squares_, means_;
    backend::aligned_vector<T> shares_;  // omega_i / Omega
    std::vector<data::range> groups_;
    std::vector<double> partials_, total_;
};

}  // namespace gamut::solver
