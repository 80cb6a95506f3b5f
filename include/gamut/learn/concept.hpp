// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gamut/backend/matrix.hpp>
#include <gamut/communicator/concept.hpp>
#include <gamut/core/observe.hpp>
#include <gamut/core/result.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/concept.hpp>

/// Learners: options with defaults in, a fitted thing out.
///     learn::k_means groups{.clusters = 10};                                   // .communicator = communicator::mpi{} on ranks
///     const auto fit = groups.fit(data::csv{.path = "digits.csv"}, core::progress{});
///     fit.predict(source), fit.score(source), save(fit, "groups.json")         // learn/model_file.hpp
/// Every sum over rows is a partial per shard and an exact sum of partials, every draw is counted and not made in order, so a
/// fit has the same bits on any number of ranks and threads. What fails on one rank throws the same error on all.
namespace gamut::learn {

/// How a fit came about: the part that all fitted things share.
struct outcome {
    core::status status = core::status::converged;
    std::string message{};
    double objective = std::numeric_limits<double>::quiet_NaN();  ///< what the learner minimises, on the training rows
    std::vector<core::record> history{};
    std::size_t iterations = 0, passes = 0;
    double seconds = 0;

    /// Shows what a file keeps: visit("name", member) for each. Fitted things add their own.
    template <class Self, class Visit> static void members(Self& fit, Visit&& visit) {
        visit("status", fit.status);
        visit("message", fit.message);
        visit("objective", fit.objective);
        visit("iterations", fit.iterations);
        visit("passes", fit.passes);
    }
};

/// How good a fit is on some rows, over all ranks, weighted by the sample weights. What does not apply is NaN.
struct score {
    static constexpr double none = std::numeric_limits<double>::quiet_NaN();
    std::size_t rows = 0;
    double loss = none;       ///< the learner's own, per unit of weight: said at each
    double accuracy = none;   ///< share of rows whose class is right
    double r_squared = none;  ///< 1 - residual / total sum of squares
};

namespace detail {

using example_source = data::arrays<backend::dense_matrix<double>>;

struct any_visit {
    template <class T> void operator()(const char*, T&) const {}
};

template <class F>
concept Predicts = requires(const F& fit, const example_source& source) {
    fit.predict(source);
};
template <class F>
concept Transforms = requires(const F& fit, const example_source& source) {
    fit.transform(source);
};

}  // namespace detail

/// What a fit returns: the outcome, predict (an answer per row) or transform (numbers per row), and what a file needs.
///   F::name                      which learner, for files
///   F::members(fit, visit)       visit("name", member) for all that a file keeps
///   fit.validate()               throws data_error where members do not fit together
///   fit.communicator
template <class F>
concept Fitted = std::derived_from<F, outcome> &&
    (detail::Predicts<F> || detail::Transforms<F>)&&requires(F& fit, const F& constant) {
    { F::name } -> std::convertible_to<const char*>;
    F::members(fit, detail::any_visit{});
    F::members(constant, detail::any_visit{});
    constant.validate();
    requires communicator::Communicator<std::remove_cvref_t<decltype(fit.communicator)>>;
};

/// Options with defaults: an aggregate that can fit.
///   learner.validate()                   throws option_error
///   learner.fit(source, observers...)    collective; not converging is a status
///   learner.communicator                 who shares the work
template <class L>
concept Learner = std::copyable<L> &&
    requires(const L& learner, const detail::example_source& source, core::progress& observer) {
    learner.validate();
    { learner.fit(source) } -> Fitted;
    { learner.fit(source, observer) } -> Fitted;
    requires communicator::Communicator<std::remove_cvref_t<decltype(learner.communicator)>>;
};

/// Without model_file.hpp: says so.
template <Fitted F, class... None> void save(const F&, const std::string&, const None&...) {
    static_assert(sizeof...(None) > 0 && sizeof(F) == 0,
                  "save: include <gamut/learn/model_file.hpp> for what learners fitted as files");
}

}  // namespace gamut::learn
