// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/communicator/agree.hpp>
#include <gamut/core/result.hpp>
#include <gamut/data/cifar.hpp>
#include <gamut/data/frames.hpp>
#include <gamut/data/idx.hpp>
#include <gamut/data/preparation.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/estimator.hpp>
#include <gamut/fitted_network.hpp>
#include <gamut/network/augment.hpp>
#include <gamut/network/average_pool.hpp>
#include <gamut/network/batch_norm.hpp>
#include <gamut/network/branches.hpp>
#include <gamut/network/classifier.hpp>
#include <gamut/network/convolution.hpp>
#include <gamut/network/dense.hpp>
#include <gamut/network/dropout.hpp>
#include <gamut/network/embedding.hpp>
#include <gamut/network/flatten.hpp>
#include <gamut/network/gelu.hpp>
#include <gamut/network/hinge.hpp>
#include <gamut/network/layer_norm.hpp>
#include <gamut/network/max_pool.hpp>
#include <gamut/network/picture.hpp>
#include <gamut/network/regressor.hpp>
#include <gamut/network/relu.hpp>
#include <gamut/network/residual.hpp>
#include <gamut/network/sequential.hpp>
#include <gamut/network/sigmoid.hpp>
#include <gamut/network/tanh.hpp>
#include <gamut/solver/formula_problem.hpp>
#include <gamut/solver/sgd.hpp>

/// Networks as models of an estimator:
///
///     const estimator net{.model = network::classifier{network::dense{128}, network::relu{}, network::dense{10}},
///                         .penalty = penalty::l2{1e-4},
///                         .solver = solver::sgd{.rate = 0.05, .momentum = 0.9, .batch = 64}};
///     const auto fit = net.fit(data::csv{.path = "digits.csv"});
///
/// What it returns is a gamut::fitted_network. Columns are standardised unless `prepare` says otherwise; penalties see what multiplies,
/// not biases. The bits of a fit are the same on any number of ranks and threads; see docs/networks.md.
namespace gamut {

/// An estimator whose model is a network asks here.
template <class Model> struct network_fitting {
    template <class Estimator, class Matrix>
    [[gnu::cold]] static auto problem_of(const Estimator& e, const data::dataset<Matrix>& rows) {
        using backend = std::remove_cvref_t<decltype(e.backend)>;
        using T = typename backend::value_type;
        using program = std::remove_const_t<decltype(e.model.loss_program(0))>;
        using problem =
            solver::formula_problem<program, data::dataset<Matrix>, std::remove_cvref_t<decltype(e.penalty)>, backend,
                                    std::remove_cvref_t<decltype(e.communicator)>,
                                    needs_hessian<std::remove_cvref_t<decltype(e.solver)>>>;
        communicator::agree(e.communicator, [&] {
            e.model.check_outputs(rows.columns(), model::outputs_of(e.model, rows.classes.size()));
        });
        data::standardization scaling;
        if (e.prepare.columns == data::columns::standardized)
            scaling = data::standardize(e.communicator, rows, e.backend.threads_of(e.communicator.local_size()));
        return problem(e.model.loss_program(rows.columns()), e.model.shapes(rows.columns()), rows,
                       e.model.template start<T>(rows.columns()), e.penalty, e.backend, e.communicator,
                       std::move(scaling));
    }

    /// All but the weights, and what depends on them.
    template <class Estimator, class Problem>
    [[gnu::cold]] static auto unfitted(const Estimator& e, const Problem& problem) {
        using T = typename Problem::value_type;
        fitted_network<Model, T, std::remove_cvref_t<decltype(e.communicator)>> fit{.model = e.model,
                                                                                    .communicator = e.communicator};
        fit.blocks = problem.blocks_of_parameters();
        fit.outputs = model::outputs_of(e.model, problem.dataset().classes.size());
        fit.features = problem.dataset().features;
        fit.classes = problem.dataset().classes;
        fit.label = problem.dataset().label;
        fit.scaling = problem.scaling();
        return fit;
    }

    template <class Estimator, class Problem, class Array>
    [[gnu::cold]] static auto describe(const Estimator& e, const Problem& problem, core::result<Array> found) {
        auto fit = unfitted(e, problem);
        const auto w = found.weights.download();
        fit.weights.assign(w.begin(), w.end());
        const auto statistics = problem.rows().statistics(w.data());
        fit.statistics.assign(statistics.begin(), statistics.end());
        fit.status = found.status;
        fit.message = std::move(found.message);
        fit.objective = found.objective;
        fit.history = std::move(found.history);
        fit.iterations = found.iterations;
        fit.passes = found.passes;
        fit.seconds = found.seconds;
        return fit;
    }

private:
    /// Products with the Hessian, and the code for them, are there where the solver may want them.
    template <class Solver> struct wants_hessian : std::true_type {};
    template <class... Any> struct wants_hessian<solver::sgd<Any...>> : std::false_type {};
    template <class... Any> struct wants_hessian<solver::pipeline<Any...>> : std::false_type {};
    template <class Solver> static constexpr bool needs_hessian = wants_hessian<Solver>::value;
};

}  // namespace gamut
