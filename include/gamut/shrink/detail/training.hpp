// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/together.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/observe.hpp>
#include <gamut/core/result.hpp>
#include <gamut/core/text.hpp>
#include <gamut/fitted_network.hpp>
#include <gamut/model/concept.hpp>
#include <gamut/shrink/held_problem.hpp>
#include <gamut/shrink/tensor.hpp>

/// How an estimator goes on with a network that it, or another one of the same layers, has fitted.
namespace gamut::shrink::detail {

/// work(problem, tensors) for the rows of a source, on all ranks together.
template <class Estimator, class Source, class Work>
auto with_problem(const Estimator& e, const Source& source, const Work& work) {
    using model = std::remove_cvref_t<decltype(e.model)>;
    static_assert(gamut::model::is_network<model>, "shrink: needs an estimator of a network; see docs/networks.md");
    return communicator::together(e.communicator, [&] {
        const auto rows = e.load(source);
        const auto problem = e.problem_of(rows);
        return work(problem, tensors_of(e.model, problem.blocks_of_parameters()));
    });
}

/// Refuses a fit of other layers, columns or classes, or one whose weights are for columns in other units. The same on all ranks.
template <class Problem, class Fit> void check_fit(const Problem& problem, const Fit& fit) {
    communicator::agree(problem.communicator(), [&] {
        const auto& rows = problem.dataset();
        if (fit.blocks != problem.blocks_of_parameters() || fit.weights.size() != problem.dimension())
            throw core::shape_error(core::text("shrink: a fit of ", fit.weights.size(),
                                               " weights (the estimator's network has ", problem.dimension(),
                                               ", or its blocks have other shapes) give the network's own fit"));
        if (fit.features != rows.features || fit.classes != rows.classes)
            throw core::data_error(core::text(rows.source, ": ", rows.features.size(), " columns and ",
                                              rows.classes.size(),
                                              " classes (not those of the fit, or in another order) give the source "
                                              "that it was fitted to"));
        if (fit.scaling.means != problem.scaling().means || fit.scaling.scales != problem.scaling().scales)
            throw core::data_error(core::text(rows.source,
                                              ": its columns have other means or deviations than those of the fit (its "
                                              "weights are in units of these) give the rows that it was fitted to"));
        check_finite(fit.weights);
    });
}

/// How the last of several runs ended, and what all of them took.
struct costs {
    std::size_t iterations = 0, passes = 0;
    double seconds = 0;

    template <class Array> void add_to(core::result<Array>& last) {
        iterations = last.iterations += iterations;
        passes = last.passes += passes;
        seconds = last.seconds += seconds;
    }
};

/// Whether an observer or a clock has ended a run, or it has failed: then no further one begins.
template <class Array> bool is_over(const core::result<Array>& found) {
    return found.status == core::status::stopped || found.status == core::status::time_limit ||
           found.status == core::status::diverged;
}

/// One run of the estimator's solver from these weights, held by a rule; what it found is placed.
template <class Estimator, class Problem, class Rule, class... O>
auto run_held(const Estimator& e, const Problem& problem, const Rule& rule, std::span<const double> from,
              O&... observers) {
    using array = typename Problem::array;
    communicator::agree(problem.communicator(), [&] {
        if constexpr (requires { e.solver.resume.empty(); })
            if (!e.solver.resume.empty())
                throw core::option_error("shrink: the solver's resume is set (each of several runs begins with weights "
                                         "of its own, and would go on with others) leave it empty");
        if ((core::is_keeper(observers) || ...))
            throw core::option_error("shrink: checkpoints (several runs would mix in a folder) save the result");
    });
    const std::vector<typename Problem::value_type> start(from.begin(), from.end());
    const held_problem<Problem, Rule> held(problem, rule, array(std::span(start)));
    auto found = e.solver.minimize(held, observers...);
    held.settle(found.weights);
    return found;
}

template <class Array> std::vector<double> numbers_of(const Array& w) {
    const auto values = w.download();
    return {values.begin(), values.end()};
}

}  // namespace gamut::shrink::detail
