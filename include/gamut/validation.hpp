// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/core/result.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/fitted.hpp>
#include <gamut/fwd.hpp>
#include <gamut/model/concept.hpp>

namespace gamut {

/// How `validation` watches a fit.
struct validation_options {
    std::size_t patience = 10;  ///< stops after so many scores in a row without a gain; 0: never
    double least_gain = 0;      ///< a loss that is smaller by no more than this is no gain
    std::size_t every = 1;      ///< iterations between scores
};

/// Observer: scores the weights of a fit on rows that it does not see, stops when their loss gets no better, and keeps the best.
///     validation watch(classifier, others, {.patience = 5});
///     classifier.fit(train, watch);
///     watch.best().predict(test);
/// Networks, too, but those with means over rows (batch_norm), which are known when a fit has ended.
/// The rows are read once, by all ranks, when the fit begins; a score is one pass over them and a few sums. Pass it by reference.
/// Prechelt, Early stopping, but when? 1998.
template <class Model, class T, class C, class Source> class validation {
public:
    using fit_type = std::conditional_t<model::is_network<Model>, fitted_network<Model, T, C>, fitted<Model, T, C>>;
    struct scored {
        std::size_t iteration = 0;
        gamut::score score{};
    };

    template <class Estimator>
    validation(const Estimator&, Source source, const validation_options& how = {})
        : source_(std::move(source)),
          how_(how) {
        if (how.every == 0) throw core::option_error("validation: every is 0 (some iterations must be scored) try 1");
        if (!(how.least_gain >= 0))
            throw core::option_error(
                core::text("validation: least_gain is ", how.least_gain, " (it must be 0 or more) try 0"));
    }

    /// Called by estimator::fit on all ranks.
    void begin(fit_type without_weights) {
        fit_ = std::make_unique<fit_type>(std::move(without_weights));
        rows_.emplace(fit_->load(source_));
        best_.clear();
        history_.clear();
        best_loss_ = std::numeric_limits<double>::infinity();
        best_iteration_ = without_gain_ = 0;
    }

    bool operator()(const core::record& now) {
        if (!fit_)
            throw core::option_error(
                "validation: no fit has begun (it makes models of what estimator::fit sees) pass it to fit");
        if (now.iteration % how_.every != 0) return false;
        std::vector<double> weights = now.weights();
        fit_->set_weights(weights);
        const gamut::score found = fit_->score_rows(*rows_);
        history_.push_back({now.iteration, found});
        const bool gained = found.loss < best_loss_ - how_.least_gain || best_.empty();
        if (gained) {
            best_loss_ = std::isnan(found.loss) ? std::numeric_limits<double>::infinity() : found.loss;
            best_iteration_ = now.iteration;
            best_ = std::move(weights);
        }
        without_gain_ = gained ? 0 : without_gain_ + 1;
        return how_.patience > 0 && without_gain_ >= how_.patience;
    }

    /// The model with the smallest loss on these rows.
    fit_type best() const {
        if (best_.empty())
            throw core::option_error(
                "validation: nothing was scored yet (the best of none is none) pass it to fit first");
        fit_type model = *fit_;
        model.set_weights(best_);
        model.iterations = best_iteration_;
        return model;
    }
    std::size_t best_iteration() const { return best_iteration_; }
    double best_loss() const { return best_loss_; }
    const std::vector<scored>& history() const { return history_; }

private:
    using rows_type = decltype(std::declval<const fit_type&>().load(std::declval<const Source&>()));

    Source source_;
    validation_options how_;
    std::unique_ptr<fit_type> fit_;  // no optional: a communicator may have no default
    std::optional<rows_type> rows_;
    std::vector<double> best_;
    std::vector<scored> history_;
    double best_loss_ = std::numeric_limits<double>::infinity();
    std::size_t best_iteration_ = 0, without_gain_ = 0;
};

template <class Model, class Penalty, class Solver, class Backend, class C, class Source>
validation(const estimator<Model, Penalty, Solver, Backend, C>&, Source, validation_options = {})
    -> validation<Model, typename Backend::value_type, C, Source>;

}  // namespace gamut
