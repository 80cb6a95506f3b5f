// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/array.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/parallel.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/write_together.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/data/folds.hpp>
#include <gamut/data/preparation.hpp>
#include <gamut/estimator.hpp>
#include <gamut/fitted_path.hpp>
#include <gamut/fwd.hpp>
#include <gamut/penalty/none.hpp>
#include <gamut/solver/path.hpp>
#include <gamut/solver/problem.hpp>

namespace gamut {

/// A point of a curve of scores: the smaller the better.
struct cross_validated {
    std::size_t kappa = 0;
    double mean = std::numeric_limits<double>::quiet_NaN(), standard_error = std::numeric_limits<double>::quiet_NaN();
};

/// The point with the least mean; of equals the one with the least kappa, then the first.
inline std::size_t least_mean(std::span<const cross_validated> curve) {
    std::size_t best = curve.size();
    for (std::size_t i = 0; i < curve.size(); ++i) {
        if (!std::isfinite(curve[i].mean)) continue;
        if (best == curve.size() || curve[i].mean < curve[best].mean ||
            (curve[i].mean == curve[best].mean && curve[i].kappa < curve[best].kappa))
            best = i;
    }
    if (best == curve.size())
        throw core::option_error("cross_validate: no finite score (nothing to choose from) look at the path's status");
    return best;
}

/// The point with the least kappa whose mean is within one standard error of the least mean (that of the least); of several the one
/// with the least mean.   Breiman, Friedman, Olshen, Stone, Classification and regression trees, 1984, section 3.4.3.
inline std::size_t one_standard_error(std::span<const cross_validated> curve) {
    std::size_t best = least_mean(curve);
    const double most = curve[best].mean + (std::isfinite(curve[best].standard_error) ? curve[best].standard_error : 0);
    for (std::size_t i = 0; i < curve.size(); ++i)
        if (curve[i].mean <= most && (curve[i].kappa < curve[best].kappa ||
                                      (curve[i].kappa == curve[best].kappa && curve[i].mean < curve[best].mean)))
            best = i;
    return best;
}

/// A path fitted to all rows, and how well paths fitted to parts of them predict the rest.
template <class Model, class T, class C> struct validated_path {
    fitted_path<Model, T, C> path;
    std::vector<double> fold_weights{};  ///< sums of sample weights
    std::vector<std::vector<double>>
        losses{};                          ///< mean loss per fold and entry, on the fold's rows, fitted to the others
    std::vector<cross_validated> curve{};  ///< per entry

    /// Entries: of the least mean, and of the least kappa that is within a standard error of it.
    std::size_t least() const { return least_mean(curve); }
    std::size_t one_standard_error() const { return gamut::one_standard_error(curve); }
    /// Refitted on all rows.
    fitted<Model, T, C> fit(std::size_t entry) const { return path.fit(entry); }

    /// The curve from losses and fold_weights.
    void average() {
        double total = 0;
        for (const double weight : fold_weights) total += weight;
        curve.clear();
        for (std::size_t i = 0; i < path.size(); ++i) {
            cross_validated point{path[i].kappa, 0, 0};
            const auto loss = [&](std::size_t g) {
                return i < losses[g].size() ? losses[g][i] : std::numeric_limits<double>::quiet_NaN();
            };
            for (std::size_t g = 0; g < losses.size(); ++g) point.mean += fold_weights[g] / total * loss(g);
            for (std::size_t g = 0; g < losses.size(); ++g) {
                const double off = loss(g) - point.mean;
                point.standard_error += fold_weights[g] / total * off * off;
            }
            point.standard_error = std::sqrt(point.standard_error / static_cast<double>(losses.size() - 1));
            curve.push_back(point);
        }
    }
};

/// The path as a table, with cv_mean and cv_standard_error. See save(fitted_path).
template <class Model, class T, class C> void save(const validated_path<Model, T, C>& found, const std::string& file) {
    communicator::write_together(found.path.base.communicator, file, [&] {
        return detail::table(found.path, ",cv_mean,cv_standard_error", [&](std::size_t i) {
            const auto number = [](double x) { return std::isfinite(x) ? core::all_digits(x) : std::string(); };
            return core::text(',', number(found.curve[i].mean), ',', number(found.curve[i].standard_error));
        });
    });
}

namespace detail {

/// How columns of [ X~ | 1 | y ] are standardised by sums over rows of their products: those of the rows, or the identity.
struct rescaling {
    std::vector<double> means, inverse;

    rescaling(const backend::dense_matrix<double>& products, bool standardized)
        : means(products.rows - 2),
          inverse(products.rows - 2, 1.0) {
        if (!standardized) return;
        const std::size_t p = means.size();
        for (std::size_t j = 0; j < p; ++j) {
            means[j] = products(j, p) / products(p, p);
            const double variance = products(j, j) / products(p, p) - means[j] * means[j];
            inverse[j] = variance > 1e-12 ? 1 / std::sqrt(variance) : 0;  // in units of all rows: a constant becomes 0
        }
    }

    /// The products of the columns so standardised.
    backend::dense_matrix<double> of(const backend::dense_matrix<double>& products) const {
        const std::size_t p = means.size(), one = p;
        backend::dense_matrix<double> out(p + 2, p + 2);
        const auto mean = [&](std::size_t a) { return a < p ? means[a] : 0.0; };
        const auto scale = [&](std::size_t a) { return a < p ? inverse[a] : 1.0; };
        for (std::size_t a = 0; a < p + 2; ++a)
            for (std::size_t b = 0; b < p + 2; ++b)
                out(a, b) = (products(a, b) - mean(a) * products(one, b) - products(a, one) * mean(b) +
                             mean(a) * mean(b) * products(one, one)) *
                            scale(a) * scale(b);
        return out;
    }

    /// Weights for the columns before, with the intercept that they need.
    std::vector<double> undone(std::span<const double> w) const {
        const std::size_t p = means.size();
        std::vector<double> out(p + 1);
        if (w.size() > p) out[p] = w[p];
        for (std::size_t j = 0; j < p; ++j) {
            out[j] = w[j] * inverse[j];
            out[p] -= means[j] * out[j];
        }
        return out;
    }
};

/// Mean loss of weights and intercept over the rows with these products: 1/2 |y - X~ w - b|^2 / Omega.
inline double mean_loss(const backend::dense_matrix<double>& products, std::span<const double> w, double label) {
    std::vector<double> v(products.rows);
    const std::size_t one = products.rows - 2;
    for (std::size_t j = 0; j < one; ++j) v[j] = -w[j];
    v[one] = label - w[one];
    v[one + 1] = 1;
    double sum = 0;
    for (std::size_t a = 0; a < v.size(); ++a) {
        if (v[a] == 0) continue;
        double row = 0;
        for (std::size_t b = 0; b < v.size(); ++b) row += products(a, b) * v[b];
        sum += v[a] * row;
    }
    return 0.5 * sum / products(one, one);
}

inline void require_weight(double weight, std::size_t fold, const std::string& source) {
    if (!(weight > 0))
        throw core::data_error(core::text(source, ": all rows of fold ", fold,
                                          " have weight 0 (nothing to measure on) use fewer folds, or another seed"));
}

/// Collective: all rows of a class must not be in one fold, or the fit to the others has never seen it: the loss has no minimum
/// there, and none on that fold that means anything. One message, none for a regression.
template <class C, class Dataset>
void require_classes_outside(const C& ranks, const Dataset& rows, const std::vector<std::uint32_t>& fold,
                             std::size_t folds) {
    if (rows.classes.empty()) return;
    std::vector<std::int64_t> counts(rows.classes.size() * folds);
    for (std::size_t i = 0; i < rows.local_rows(); ++i)
        counts[static_cast<std::size_t>(rows.y[i]) * folds + fold[i]] += rows.weight(i) > 0;
    ranks.all_reduce(std::span<std::int64_t>(counts), communicator::operation::sum);
    for (std::size_t k = 0; k < rows.classes.size(); ++k) {
        const auto* const of_class = counts.data() + k * folds;
        const auto found = folds - static_cast<std::size_t>(std::count(of_class, of_class + folds, 0));
        if (found == 1)
            throw core::data_error(core::text(
                rows.source, ": all rows of class '", rows.classes[k],
                "' are in one fold (what is fitted to the others has never seen it) drop the class, merge it with "
                "another, or give it two rows or more"));
    }
}

/// False if the problem must be solved over rows.
template <class Estimator, class Dataset, class Found>
bool validate_in_memory(const Estimator& e, const Dataset& rows, const std::vector<std::uint32_t>& fold, Found& found) {
    const auto problem = e.problem_of(rows);
    if constexpr (solver::path::in_memory<std::remove_cv_t<decltype(problem)>>) {
        const std::size_t folds = found.fold_weights.size(), p = rows.columns();
        if (!e.solver.affordable(problem, folds)) return false;
        const auto moments = problem.moments_by(fold, folds);
        backend::dense_matrix<double> total(p + 2, p + 2);
        for (const auto& part : moments.of_group)
            for (std::size_t a = 0; a < total.values.size(); ++a) total.values[a] += part.values[a];
        for (std::size_t g = 0; g < folds; ++g) {
            found.fold_weights[g] = moments.of_group[g](p, p);
            require_weight(found.fold_weights[g], g, rows.source);
            require_weight(total(p, p) - found.fold_weights[g], g, rows.source);
        }
        found.path = e.describe(problem, e.solver.from_products(problem, total, moments.label));
        const double shift = problem.has_intercept() ? 0 : moments.label;
        // every rank does the same, a fold on each of its threads
        communicator::agree(e.communicator, [&] {
            backend::parallel_for(
                0, folds, static_cast<std::size_t>(problem.threads()), [&](std::size_t g, std::size_t) {
                    backend::dense_matrix<double> rest = total;
                    for (std::size_t a = 0; a < rest.values.size(); ++a)
                        rest.values[a] -= moments.of_group[g].values[a];
                    const rescaling columns(rest, e.prepare.columns == data::columns::standardized);
                    const auto f =
                        quadratic::least_squares::of(columns.of(rest), moments.label, problem.has_intercept());
                    for (const auto& s : e.solver.of_moments(problem, f, 1))
                        found.losses[g].push_back(mean_loss(moments.of_group[g], columns.undone(s.weights), shift));
                });
        });
        return true;
    } else {
        return false;
    }
}

template <class Model, class Penalty, class Solver, class Backend, class C, class Dataset, class Found>
void validate_over_rows(const estimator<Model, Penalty, Solver, Backend, C>& e, Dataset& rows,
                        const std::vector<std::uint32_t>& fold, Found& found) {
    using T = typename Dataset::value_type;
    found.path = e.fit_rows(rows);
    std::vector<T> given(rows.local_rows());
    for (std::size_t i = 0; i < given.size(); ++i) given[i] = rows.weight(i);
    const auto weigh = [&](auto&& kept) {
        rows.weights.resize(given.size());
        for (std::size_t i = 0; i < given.size(); ++i) rows.weights[i] = kept(fold[i]) ? given[i] : T(0);
    };
    for (std::size_t g = 0; g < found.fold_weights.size(); ++g) {
        weigh([&](std::size_t f) { return f == g; });
        // sums of weights are agreed upon, so that all ranks throw
        const solver::problem<Model, Dataset, penalty::none, Backend, C> counted(e.model, rows, {}, e.backend,
                                                                                 e.communicator, true);
        found.fold_weights[g] = counted.total_weight();
        require_weight(counted.total_weight(), g, rows.source);
        weigh([&](std::size_t f) { return f != g; });
        const auto path = e.fit_rows(rows);
        weigh([&](std::size_t f) { return f == g; });
        const solver::problem<Model, Dataset, penalty::none, Backend, C> held_out(e.model, rows, {}, e.backend,
                                                                                  e.communicator, true);
        for (std::size_t i = 0; i < path.size(); ++i) {
            const auto fit = path.fit(i);
            std::vector<T> w(fit.weights.begin(), fit.weights.end());
            w.insert(w.end(), fit.intercept.begin(), fit.intercept.end());
            found.losses[g].push_back(held_out.value(backend::array<Backend>(std::span<const T>(w))));
        }
    }
}

}  // namespace detail

/// K-fold cross-validation of the path of an estimator whose solver is solver::path: the path is fitted to all rows, and K times to all
/// but a fold, standardised anew each time, and measured on the fold by the model's loss. The mean weighs folds as their rows;
/// its standard error is that of the folds' losses about it, / sqrt(K - 1), as in glmnet.
///
///     auto found = cross_validate(estimator{..., .solver = solver::path{.largest = 20}}, source, {.count = 10});
///     auto fit = found.fit(found.one_standard_error());
///
/// Folds of classifications have all classes in equal shares, unless `strata` says otherwise; see data/folds.hpp. A class of which all
/// rows are in one fold is a data_error.
/// Least squares in memory: one pass for everything. The second moments of a fold, taken from those of all rows, are those of the
/// others, and give the loss on the fold as well. Else K + 1 paths, each on rows of which those left out have weight 0, and a
/// pass for each loss. The same bits on any number of ranks.
template <class Model, class Penalty, class Solver, class Backend, class C, data::DataSource Source>
auto cross_validate(const estimator<Model, Penalty, Solver, Backend, C>& e, const Source& source,
                    data::fold_options options = {}) {
    static_assert(std::is_same_v<Solver, solver::path>,
                  "cross_validate: the estimator's solver must be solver::path (it compares the fits of a path)");
    using T = typename Backend::value_type;
    validated_path<Model, T, C> found;
    if constexpr (std::is_same_v<Solver, solver::path>) {
        auto rows = e.load(source);
        const std::vector<std::uint32_t> fold = data::folds(e.communicator, rows, options);
        detail::require_classes_outside(e.communicator, rows, fold, options.count);
        found.fold_weights.resize(options.count);
        found.losses.resize(options.count);
        if (!detail::validate_in_memory(e, rows, fold, found)) detail::validate_over_rows(e, rows, fold, found);
        found.average();
    }
    return found;
}

}  // namespace gamut
