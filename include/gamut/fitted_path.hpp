// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/write_together.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/text.hpp>
#include <gamut/criterion/aic.hpp>
#include <gamut/criterion/bic.hpp>
#include <gamut/criterion/concept.hpp>
#include <gamut/criterion/ebic.hpp>
#include <gamut/criterion/gic.hpp>
#include <gamut/fitted.hpp>
#include <gamut/fwd.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/penalty/concept.hpp>

namespace gamut {

/// A path of fitted models: one for each l2 and kappa, in this order (solver/path.hpp), or one for each falling strength of the
/// penalty (solver/strengths.hpp).
///
///     auto path = estimator{.model = model::linear{}, .penalty = penalty::l0{}, .solver = solver::path{.largest = 20}}.fit(source);
///     auto fit = path.best(criterion::bic{});
template <class Model, class T, class C> struct fitted_path {
    /// What is known about one of them. The weights that are not 0 alone are kept: fit(i) makes the whole.
    struct entry {
        std::size_t kappa = 0;
        double l2 = 0;
        double strength = std::numeric_limits<double>::quiet_NaN();  ///< of a path of strengths; then no kappa and l2
        double objective = 0;                                        ///< loss + penalty
        double lower_bound = 0;                                      ///< of the least objective; NaN: none was computed
        /// degrees_of_freedom of a path of strengths: the weights that are not 0, intercepts included, which is unbiased for
        /// the lasso (Zou, Hastie and Tibshirani 2007) and a rule of thumb for other penalties
        double loss = 0, degrees_of_freedom = 0;
        core::status status = core::status::converged;
        std::string message{};
        std::size_t iterations = 0, passes = 0;
        double seconds = 0;
        std::size_t chosen = 0;  ///< what kappa counts (weights, rows, groups) and is not 0, of what competes
        std::vector<std::size_t> support{};                     ///< features
        std::vector<std::pair<std::size_t, double>> weights{};  ///< as the penalty saw them, intercepts included
    };

    fitted<Model, T, C> base{};  ///< what all of them share
    std::vector<entry> entries{};
    double rows = 0;  ///< sum of the sample weights
    std::vector<std::size_t> free{};
    penalty::detail::units units{};  ///< what kappa counts

    std::size_t size() const { return entries.size(); }
    const entry& operator[](std::size_t i) const { return entries[i]; }

    /// The fitted model of entry i.
    fitted<Model, T, C> fit(std::size_t i) const {
        const entry& e = entries.at(i);
        fitted<Model, T, C> whole = base;
        whole.set_weights(solver_weights(i));
        whole.status = e.status;
        whole.message = e.message;
        whole.objective = e.objective;
        whole.lower_bound = e.lower_bound;
        whole.iterations = e.iterations;
        whole.passes = e.passes;
        whole.seconds = e.seconds;
        return whole;
    }

    std::vector<double> solver_weights(std::size_t i) const {
        std::vector<double> w(dimension);
        for (const auto& [place, weight] : entries.at(i).weights) w[place] = weight;
        return w;
    }

    /// What criteria look at. The loss is taken to be a mean negative log-likelihood, that of model::linear to be of errors of
    /// unknown variance: its deviance is rows * log(RSS / rows).
    criterion::information information(std::size_t i) const {
        const entry& e = entries.at(i);
        criterion::information known{2 * rows * e.loss, e.degrees_of_freedom, rows, 0, e.chosen};
        for (std::size_t u = 0; u < units.count(); ++u)
            known.candidates += is_free(units.first(u) / base.outputs) ? 0 : 1;
        if constexpr (std::is_same_v<Model, model::linear>) known.deviance = rows * std::log(std::max(2 * e.loss, 0.0));
        return known;
    }

    /// The entry with the smallest criterion, the first of equals: criterion::aic, bic, ebic, gic, or any function of a
    /// criterion::information.
    template <criterion::Criterion F> std::size_t choice(const F& f) const {
        std::size_t best = entries.size();
        double least = std::numeric_limits<double>::infinity();
        for (std::size_t i = 0; i < entries.size(); ++i) {
            const double value = f(information(i));
            if (best == entries.size() || value < least || std::isnan(least)) best = i, least = value;
        }
        if (best == entries.size()) throw core::option_error("fitted_path: nothing to choose from (the path is empty)");
        return best;
    }
    template <criterion::Criterion F> fitted<Model, T, C> best(const F& f) const { return fit(choice(f)); }

    bool is_of_strengths() const { return !entries.empty() && !std::isnan(entries[0].strength); }

    /// Takes what solver::path or solver::strengths found.
    template <class At> void add(const At& at) {
        entry e;
        if constexpr (requires { at.kappa; }) {
            e.kappa = at.kappa;
            e.l2 = at.l2;
            e.degrees_of_freedom = at.degrees_of_freedom;
        } else {
            e.strength = at.strength;
        }
        e.loss = at.loss;
        e.objective = at.result.objective;
        e.lower_bound = at.result.lower_bound;
        e.status = at.result.status;
        e.message = at.result.message;
        e.iterations = at.result.iterations;
        e.passes = at.result.passes;
        e.seconds = at.result.seconds;
        const auto w = at.result.weights.download();
        dimension = w.size();
        const std::size_t counted = base.features.size() * base.outputs;
        std::size_t last = units.count();  // unit
        for (std::size_t place = 0; place < w.size(); ++place) {
            if (w[place] == 0) continue;
            e.weights.emplace_back(place, static_cast<double>(w[place]));
            if (place >= counted) continue;
            const std::size_t feature = place / base.outputs;
            if (e.support.empty() || e.support.back() != feature) e.support.push_back(feature);
            if (const std::size_t unit = units.of(place); unit != last) {
                last = unit;
                e.chosen += is_free(feature) ? 0 : 1;
            }
        }
        if (!std::isnan(e.strength)) e.degrees_of_freedom = static_cast<double>(e.weights.size());
        entries.push_back(std::move(e));
    }

    std::size_t dimension = 0;  ///< of the solver's weights

private:
    bool is_free(std::size_t feature) const { return std::find(free.begin(), free.end(), feature) != free.end(); }
};

namespace detail {

/// A cell of a CSV file: quoted where it must be.
inline std::string cell(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == text.npos) return text;
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"') quoted += '"';
        quoted += c == '\n' || c == '\r' ? ' ' : c;
    }
    return quoted + '"';
}

/// Weight e * outputs + k of the path as a column of a table.
template <class Path> std::string weight_name(const Path& path, std::size_t place) {
    const std::size_t c = path.base.outputs, counted = path.base.features.size() * c;
    const std::string& row = place < counted ? path.base.features[place / c] : std::string("intercept");
    return c == 1 ? row
                  : core::text(row, " of ",
                               path.base.classes.empty() ? core::text(place % c) : path.base.classes[place % c]);
}

/// Weights, of those that compete, that any entry uses.
template <class Path> std::vector<std::size_t> used_weights(const Path& path) {
    std::vector<std::size_t> used;
    for (const auto& e : path.entries)
        for (const auto& [place, weight] : e.weights)
            if (place < path.base.features.size() * path.base.outputs) used.push_back(place);
    std::sort(used.begin(), used.end());
    used.erase(std::unique(used.begin(), used.end()), used.end());
    return used;
}

/// The table of a path as CSV; extra(i): more cells behind the criteria, under `extra_names`.
template <class Path, class Extra>
std::string table(const Path& path, std::string_view extra_names, const Extra& extra) {
    const bool strengths = path.is_of_strengths();
    std::string text =
        core::text(strengths ? "strength" : "kappa,l2",
                   ",objective,lower_bound,loss,degrees_of_freedom,aic,bic,ebic,gic", extra_names, ",status,features");
    const std::vector<std::size_t> used = used_weights(path);
    const std::size_t c = path.base.outputs;
    for (const std::size_t place : used) text += ',' + cell(weight_name(path, place));
    for (std::size_t k = 0; k < c; ++k) text += ',' + cell(weight_name(path, path.base.features.size() * c + k));
    text += '\n';
    const auto number = [](double x) { return std::isfinite(x) ? core::all_digits(x) : std::string(); };  // else empty
    for (std::size_t i = 0; i < path.size(); ++i) {
        const auto& e = path.entries[i];
        const criterion::information known = path.information(i);
        text += strengths ? core::all_digits(e.strength) : core::text(e.kappa, ',', core::all_digits(e.l2));
        text += core::text(',', number(e.objective), ',', number(e.lower_bound), ',', number(e.loss), ',',
                           number(e.degrees_of_freedom), ',', number(criterion::aic{}(known)), ',',
                           number(criterion::bic{}(known)), ',', number(criterion::ebic{}(known)), ',',
                           number(criterion::gic{}(known)), extra(i), ',', core::name(e.status), ',');
        std::string names;
        for (const std::size_t j : e.support) names += (names.empty() ? "" : " + ") + path.base.features[j];
        text += cell(names);
        const auto fit = path.fit(i);
        for (const std::size_t place : used) text += ',' + number(fit.weights[place]);
        for (const double intercept : fit.intercept) text += ',' + number(intercept);
        text += '\n';
    }
    return text;
}

}  // namespace detail

/// Writes the path as a table, a row per entry: kappa and l2, or the strength, objective, lower bound, loss, degrees of freedom, the four criteria, status,
/// the features, and the weights (for the columns as given) of all that are ever used. The file appears whole or not at all.
/// Collective.
template <class Model, class T, class C> void save(const fitted_path<Model, T, C>& path, const std::string& file) {
    communicator::write_together(path.base.communicator, file,
                                 [&] { return detail::table(path, "", [](std::size_t) { return std::string(); }); });
}

}  // namespace gamut
