// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gamut/autodiff/gradient.hpp>
#include <gamut/backend/host.hpp>
#include <gamut/backend/sweep.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/communicator/sum.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/names.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/fwd.hpp>
#include <gamut/model/concept.hpp>
#include <gamut/penalty/none.hpp>
#include <gamut/solver/problem.hpp>

namespace gamut {

/// What a model says about the rows of one rank.
///   values       rows x outputs: numbers, or the probability of the second of two classes, or of each class
///   threshold    a value above it means the second of two classes
struct predictions {
    std::size_t rows = 0, outputs = 1, first_row = 0;
    std::vector<double> values;
    std::vector<std::string> classes;
    double threshold = 0.5;

    double value(std::size_t row, std::size_t output = 0) const { return values[row * outputs + output]; }
    /// The most probable class, as an index into `classes`.
    std::size_t class_index(std::size_t row) const {
        if (outputs == 1) return value(row) > threshold ? 1 : 0;
        const auto first = values.begin() + static_cast<std::ptrdiff_t>(row * outputs);
        return static_cast<std::size_t>(std::max_element(first, first + static_cast<std::ptrdiff_t>(outputs)) - first);
    }
    const std::string& class_name(std::size_t row) const { return classes[class_index(row)]; }
};

/// How good predictions are, over the rows of all ranks, weighted by the sample weights. What does not apply is NaN.
struct score {
    static constexpr double none = std::numeric_limits<double>::quiet_NaN();
    std::size_t rows = 0;
    double loss = none;      ///< the model's own: log-loss for classes, half the mean squared error for linear
    double accuracy = none;  ///< share of rows whose class is right
    double r_squared =
        none;  ///< 1 - residual / total sum of squares; NaN where y is constant: there is nothing to explain
};

/// A fitted model: what was found, how, and what is needed to predict. Weights are for the columns as given.
template <class Model, class T, class C> struct fitted {
    static_assert(communicator::Communicator<C>, "fitted: needs a communicator; see gamut/communicator/concept.hpp");

    Model model{};
    std::size_t outputs = 1;
    std::vector<double> weights{};    ///< features x outputs, row-major
    std::vector<double> intercept{};  ///< one per output; zeros if there is none
    core::names features{};
    std::vector<std::string> classes{};
    std::string label{};
    data::standardization scaling{};       ///< that the penalty saw; empty: none
    std::vector<double> solver_weights{};  ///< as the penalty saw them, with the intercepts last

    core::status status = core::status::converged;
    std::string message{};
    double objective = std::numeric_limits<double>::quiet_NaN();    ///< loss + penalty
    double lower_bound = std::numeric_limits<double>::quiet_NaN();  ///< of the least objective; NaN: none was computed
    std::vector<core::record> history{};
    std::size_t iterations = 0, passes = 0;
    double seconds = 0;

    C communicator{};
    int threads = 1;

    /// How much of the objective may be too much, at most; NaN if there is no lower bound.
    double gap() const { return core::relative_gap(objective, lower_bound); }

    /// Takes the weights of a solver: those that the penalty saw, intercepts last. Needs outputs, features and scaling.
    void set_weights(std::vector<double> of_solver) {
        const std::size_t p = features.size();
        solver_weights = std::move(of_solver);
        weights.assign(solver_weights.begin(), solver_weights.begin() + static_cast<std::ptrdiff_t>(p * outputs));
        intercept.assign(outputs, 0.0);
        for (std::size_t k = p * outputs; k < solver_weights.size(); ++k)
            intercept[k - p * outputs] = solver_weights[k];
        if (scaling.scales.empty()) return;
        for (std::size_t j = 0; j < p; ++j)
            for (std::size_t k = 0; k < outputs; ++k) {
                double& weight = weights[j * outputs + k];
                weight /= scaling.scales[j];
                intercept[k] -= scaling.means[j] * weight;
            }
    }

    /// Features with a weight that is not 0, in the order of the columns.
    std::vector<std::size_t> support() const {
        std::vector<std::size_t> chosen;
        for (std::size_t j = 0; j < features.size(); ++j)
            if (std::any_of(weights.begin() + static_cast<std::ptrdiff_t>(j * outputs),
                            weights.begin() + static_cast<std::ptrdiff_t>((j + 1) * outputs),
                            [](double w) { return w != 0; }))
                chosen.push_back(j);
        return chosen;
    }

    /// Predictions for this rank's rows of a source; labels are not needed. Collective.
    template <data::DataSource S> gamut::predictions predict(const S& source) const {
        return predict_rows(source.load(communicator, request(false)));
    }

    /// The quality of the predictions on a source with labels. Collective: the same on all ranks.
    template <data::DataSource S> gamut::score score(const S& source) const { return score_rows(load(source)); }

    /// This rank's rows of a source with labels, as score_rows takes them. Collective.
    template <data::DataSource S> auto load(const S& source) const { return source.load(communicator, request(true)); }

    /// The same for rows that are loaded already, by all ranks together.
    template <class Matrix> gamut::score score_rows(const data::dataset<Matrix>& rows) const {
        using dataset = data::dataset<Matrix>;
        using backend = backend::host<typename dataset::value_type>;
        const solver::problem<Model, dataset, penalty::none, backend, C> loss(
            model, rows, {}, backend{.threads = threads}, communicator, true);
        gamut::score result;
        result.rows = rows.rows();
        const auto all = all_weights<typename dataset::value_type>();
        result.loss = loss.value(gamut::backend::array<backend>(std::span<const typename dataset::value_type>(all)));

        const gamut::predictions guess = predict_rows(rows);
        const bool constant = classes.empty() && is_constant(rows);
        const double mean =
            classes.empty() ? totals<1>(rows, [&](std::size_t i, double w, double* t) { t[0] += w * rows.y[i]; })[0] /
                                  loss.total_weight()
                            : 0;
        const auto sums = totals<2>(rows, [&](std::size_t i, double w, double* t) {
            if (!classes.empty()) {
                t[0] += w * (static_cast<double>(guess.class_index(i)) == static_cast<double>(rows.y[i]) ? 1 : 0);
            } else {
                const double residual = rows.y[i] - guess.value(i), deviation = rows.y[i] - mean;
                t[0] += w * residual * residual;
                t[1] += w * deviation * deviation;
            }
        });
        if (!classes.empty())
            result.accuracy = sums[0] / loss.total_weight();
        else if (!constant)
            result.r_squared = 1 - sums[0] / sums[1];
        return result;
    }

private:
    data::request request(bool labels) const {
        data::request wanted;
        wanted.classification = !classes.empty();
        wanted.labels = labels;
        wanted.features = features;
        wanted.classes = classes;
        wanted.label = label;
        return wanted;
    }

    template <class U> std::vector<U> all_weights() const {
        std::vector<U> all(weights.begin(), weights.end());
        all.insert(all.end(), intercept.begin(), intercept.end());
        return all;
    }

    template <class Dataset> gamut::predictions predict_rows(const Dataset& rows) const {
        using U = typename Dataset::value_type;
        using formula = decltype(model::loss_formula(model));
        gamut::predictions result{rows.local_rows(), outputs, rows.first_row, {}, classes, model::threshold<Model>};
        communicator::agree(communicator, [&] {
            const backend::sweep<U, typename Dataset::matrix_type, formula> products(
                rows.x, {nullptr, nullptr, 1, rows.offsets.empty() ? nullptr : rows.offsets.data()},
                {0, rows.local_rows()}, model::loss_formula(model), outputs, threads);
            const std::vector<U> w = all_weights<U>();
            std::vector<U> z(rows.local_rows() * outputs);
            products.multiply(w.data(), w.data() + weights.size(), products.all(), z.data());
            const auto prediction = model::prediction_formula(model);
            std::vector<U> scratch(autodiff::scratch_of<decltype(prediction)> * outputs);
            result.values.resize(z.size());
            for (std::size_t i = 0; i < result.rows; ++i) {
                autodiff::rows<U> row(outputs, z.data() + i * outputs, nullptr, scratch.data());
                for (std::size_t k = 0; k < outputs; ++k)
                    result.values[i * outputs + k] = static_cast<double>(prediction.value(row, k));
            }
        });
        return result;
    }

    /// Whether all rows that count have the same y. Collective: one message.
    template <class Dataset> [[gnu::cold]] bool is_constant(const Dataset& rows) const {
        constexpr double least = -std::numeric_limits<double>::infinity();
        double ends[] = {least, least};  // of y and of -y
        for (std::size_t i = 0; i < rows.local_rows(); ++i) {
            if (!(rows.weight(i) > 0)) continue;
            ends[0] = std::max(ends[0], static_cast<double>(rows.y[i]));
            ends[1] = std::max(ends[1], -static_cast<double>(rows.y[i]));
        }
        communicator.all_reduce(std::span<double>(ends), gamut::communicator::operation::maximum);
        return ends[0] + ends[1] <= 0;
    }

    /// N sums over all rows, by shards, so that they don't depend on the ranks.
    template <std::size_t N, class Dataset, class F> std::vector<double> totals(const Dataset& rows, F&& add) const {
        const auto mine = rows.partition.shards_of(static_cast<std::size_t>(communicator.rank()),
                                                   static_cast<std::size_t>(communicator.size()));
        std::vector<double> partials(mine.size() * N), sums(N);
        for (std::size_t s = mine.begin; s < mine.end; ++s)
            for (std::size_t i = rows.partition.shard_begin(s); i < rows.partition.shard_begin(s + 1); ++i)
                add(i - rows.first_row, static_cast<double>(rows.weight(i - rows.first_row)),
                    partials.data() + (s - mine.begin) * N);
        gamut::communicator::sum(communicator, partials, mine.size(), sums);
        return sums;
    }
};

/// Without model_file.hpp: says so.
template <class Model, class T, class C, class... None>
void save(const fitted<Model, T, C>&, const std::string&, const None&...) {
    static_assert(sizeof...(None) > 0 && sizeof(Model) == 0,
                  "save: include <gamut/model_file.hpp> for models as files");
}

}  // namespace gamut
