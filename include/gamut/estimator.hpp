// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/communicator/together.hpp>
#include <gamut/core/observe.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/data/preparation.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/fitted.hpp>
#include <gamut/fitted_path.hpp>
#include <gamut/fwd.hpp>
#include <gamut/model/check_labels.hpp>
#include <gamut/model/concept.hpp>
#include <gamut/penalty/concept.hpp>
#include <gamut/solver/default_for.hpp>
#include <gamut/solver/erased_problem.hpp>
#include <gamut/solver/problem.hpp>

namespace gamut {

/// How an estimator fits a model that is a network: in network.hpp, which programs with networks include.
template <class Model> struct network_fitting;

/// minimise over w   loss(model(w; X), y) + penalty(w)   by a solver, on a backend, shared by a communicator:
///
///     estimator sparse{.model = model::logistic{}, .penalty = penalty::l0{.kappa = 10, .l2 = 1e-3}};
///     auto fit = sparse.fit(data::libsvm{"train.svm"});
///
/// What is left out takes its default: no penalty, the solver that suits model and penalty (least_squares or lbfgs where both are smooth, disadmm for
/// l0, coordinate for others that make zeros, dual for the hinge with l2, admm for the rest), the host in double precision, one process.
/// The penalty sees standardised columns unless `prepare` says otherwise; fitted weights are for the columns as given.
template <class Model, class Penalty, class Solver, class Backend, class Communicator> struct estimator {
    Model model{};
    Penalty penalty{};
    Solver solver{};
    Backend backend{};
    Communicator communicator{};
    data::preparation prepare{};

    /// Reads the source, fits, and returns the fitted model; the same on all ranks. Not converging is a status, not an error.
    /// Observers are shown every iteration: core::progress{}, core::json_lines{path}, or any callable with a const
    /// core::record&, which may return true to stop. One with begin(fit) is given a fit without weights first, so that it can
    /// make models of the weights it sees, as gamut::validation does.
    /// With solver::path or solver::strengths it returns a gamut::fitted_path: a fit for each kappa, or each strength.
    /// Throws option_error, data_error, shape_error or communicator_error, the same one on all ranks.
    template <class Source, class... Observers>
    [[gnu::cold]] auto fit(const Source& source, Observers&&... observers) const {
        if constexpr (is_possible<Source, Observers...>()) {
            return gamut::communicator::together(communicator, [&] { return fit_rows(load(source), observers...); });
        } else {
            return fitted<Model>{};  // the compiler has said why
        }
    }

    /// This rank's rows of the source, in as many blocks as the solver wants.
    template <class Source> [[gnu::cold]] auto load(const Source& source) const {
        data::request wanted;
        wanted.classification = model::is_classification<Model>;
        if constexpr (requires { solver.blocks; }) wanted.blocks = solver.blocks;
        if constexpr (model::is_network<Model>)
            if (wanted.blocks == 0) wanted.blocks = model.blocks;
        gamut::communicator::agree(communicator, [&] {
            if constexpr (requires { model.validate(); }) model.validate();
        });
        return source.load(communicator, wanted);
    }

    /// The same for rows that are loaded already, by all ranks together.
    template <class Matrix, class... Observers>
    [[gnu::cold]] auto fit_rows(const data::dataset<Matrix>& rows, Observers&&... observers) const {
        using T = typename Backend::value_type;
        const auto problem = problem_of(rows);
        constexpr bool is_linear = requires { problem.layout(); };  // a network's weights are no features by outputs
        [[maybe_unused]] const auto begin = [&](auto& observer) {
            if constexpr (is_linear || model::is_network<Model>)
                if constexpr (requires { observer.begin(unfitted(problem)); }) observer.begin(unfitted(problem));
        };
        (begin(observers), ...);
        static_assert(
            requires { solver.minimize(problem, observers...); },
            "estimator: solver needs minimize(problem, observers...); see gamut/solver/concept.hpp");
        auto found = solver::minimize(solver, problem, observers...);
        if constexpr (std::is_same_v<decltype(found), solver::refused>) {
            return fitted<Model, T, Communicator>{};  // the compiler will say why
        } else if constexpr (!requires { describe(problem, std::move(found)); }) {
            static_assert(
                std::is_void_v<decltype(found)>,
                "estimator: this solver's result is not a core::result, nor a path of kappas or strengths call its "
                "minimize(problem) yourself; see gamut/solver/concept.hpp");
            return fitted<Model, T, Communicator>{};
        } else {
            return describe(problem, std::move(found));
        }
    }

    /// What a solver is given for these rows, which must live as long as that.
    template <class Matrix> [[gnu::cold]] auto problem_of(const data::dataset<Matrix>& rows) const {
        using T = typename Backend::value_type;
        static_assert(
            std::is_same_v<typename Matrix::value_type, T>,
            "estimator: data and backend differ in precision; write data::csv<float>{...} with backend::host<float>{}");
        gamut::communicator::agree(communicator, [&] {
            model::check_labels<Model>(rows);
            penalty::validate(penalty, {rows.columns(), model::outputs_of(model, rows.classes.size())});
        });
        if constexpr (model::is_network<Model>) {
            return network_fitting<Model>::problem_of(*this, rows);
        } else {
            return product_problem_of(rows);
        }
    }

    /// What a solver found for the problem, as a fitted model.
    template <class Problem, class Array>
    [[gnu::cold]] auto describe(const Problem& problem, core::result<Array> found) const {
        if constexpr (model::is_network<Model>) {
            return network_fitting<Model>::describe(*this, problem, std::move(found));
        } else {
            return describe_product(problem, std::move(found));
        }
    }
    /// The same for solver::path.
    template <class Problem, class Array>
    [[gnu::cold]] auto describe(const Problem& problem, const std::vector<solver::at_kappa<Array>>& found) const {
        fitted_path<Model, typename Backend::value_type, Communicator> path{.base = unfitted(problem)};
        path.rows = problem.total_weight();
        path.free = problem.penalty_term().free;
        path.units = problem.penalty_term().units_of(problem.layout());
        for (const auto& at : found) path.add(at);
        return path;
    }

    /// The same for solver::strengths.
    template <class Problem, class Array>
    [[gnu::cold]] auto describe(const Problem& problem, const std::vector<solver::at_strength<Array>>& found) const {
        fitted_path<Model, typename Backend::value_type, Communicator> path{.base = unfitted(problem)};
        path.rows = problem.total_weight();
        path.units = {problem.layout().size(), 1};
        for (const auto& at : found) path.add(at);
        return path;
    }

private:
    /// Fails to compile, in one sentence, when the five or what they are given make no sense. Asked for in a constant
    /// expression, so that the sentence comes before whatever else would go wrong.
    template <class Source, class... Observers> static constexpr bool is_possible() {
        static_assert(gamut::backend::Backend<Backend>,
                      "estimator: backend needs value_type, map, sum, ...; see gamut/backend/concept.hpp");
        static_assert(gamut::communicator::Communicator<Communicator>,
                      "estimator: communicator needs rank, size, all_reduce, ...; see gamut/communicator/concept.hpp");
        static_assert(data::DataSource<Source>,
                      "fit: needs a source of rows such as data::csv{\"file.csv\"}; see gamut/data/concept.hpp");
        static_assert((core::Observer<Observers> && ...),
                      "fit: an observer must be callable with a const core::record& and return nothing or bool; see "
                      "gamut/core/observe.hpp");
        if constexpr (!model::is_network<Model>) model::explain<Model>();
        penalty::explain<Penalty, typename Backend::value_type>();
        return gamut::backend::Backend<Backend> && gamut::communicator::Communicator<Communicator> &&
               data::DataSource<Source> && (core::Observer<Observers> && ...) &&
               (model::is_network<Model> ||
                model::Model<Model>)&&penalty::Penalty<Penalty, typename Backend::value_type>;
    }

    template <class Matrix> [[gnu::cold]] auto product_problem_of(const data::dataset<Matrix>& rows) const {
        using dataset = data::dataset<Matrix>;
        const bool intercept = prepare.intercept == data::intercept::free;
        const int threads = backend.threads_of(communicator.local_size());
        data::standardization scaling;
        if (prepare.columns == data::columns::standardized) {
            scaling = data::standardize(communicator, rows, threads);
        } else if (intercept) {
            // columns as given, but about their means: only the intercept changes, and solvers need far fewer iterations
            scaling = data::standardize(communicator, rows, threads);
            std::fill(scaling.scales.begin(), scaling.scales.end(), 1.0);
        }
        return solver::problem<Model, dataset, Penalty, Backend, Communicator>(
            model, rows, penalty, backend, communicator, intercept, std::move(scaling));
    }
    template <class Problem, class Array>
    [[gnu::cold]] auto describe_product(const Problem& problem, core::result<Array> found) const {
        auto fit = unfitted(problem);
        const auto w = found.weights.download();
        fit.set_weights({w.begin(), w.end()});
        fit.status = found.status;
        fit.message = std::move(found.message);
        fit.objective = found.objective;
        fit.lower_bound = found.lower_bound;
        fit.history = std::move(found.history);
        fit.iterations = found.iterations;
        fit.passes = found.passes;
        fit.seconds = found.seconds;
        return fit;
    }

    template <class Problem> [[gnu::cold]] auto unfitted(const Problem& problem) const {
        if constexpr (model::is_network<Model>) {
            return network_fitting<Model>::unfitted(*this, problem);
        } else {
            using T = typename Backend::value_type;
            fitted<Model, T, Communicator> fit{.communicator = communicator};
            fit.model = model;
            fit.outputs = problem.layout().outputs;
            fit.features = problem.dataset().features;
            fit.classes = problem.dataset().classes;
            fit.label = problem.dataset().label;
            fit.scaling = problem.scaling();
            fit.threads = gamut::backend::host<T>{}.threads_of(communicator.local_size());
            return fit;
        }
    }
};

}  // namespace gamut
