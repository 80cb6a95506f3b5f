// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>

#include "fit.hpp"

#include <gamut/estimator.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/model/softmax.hpp>
#include <gamut/penalty/elastic_net.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/penalty/l2.hpp>
#include <gamut/solver/admm.hpp>
#include <gamut/solver/coordinate.hpp>
#include <gamut/solver/default_for.hpp>
#include <gamut/solver/disadmm.hpp>
#include <gamut/solver/dual.hpp>
#include <gamut/solver/exact.hpp>
#include <gamut/solver/lbfgs.hpp>
#include <gamut/solver/newton_cg.hpp>
#include <gamut/solver/path.hpp>
#include <gamut/solver/prune.hpp>
#include <gamut/solver/sgd.hpp>
#include <gamut/solver/swap.hpp>

namespace fits::detail {

template <class Model, class Penalty, class Solver, class Matrix>
outcome<Matrix> fit(const Model& model, const Penalty& penalty, const Solver& solver, const any_source<Matrix>& source,
                    const settings& how) {
    using backend = gamut::backend::host<typename Matrix::value_type>;
    const gamut::estimator<Model, Penalty, Solver, backend, any_communicator> estimator{
        model, penalty, solver, backend{.threads = how.threads}, how.ranks, how.prepare};
    const observer observe = how.observe ? how.observe : observer([](const gamut::core::record&) { return false; });
    const auto found = std::make_shared<decltype(estimator.fit(source, observe))>(estimator.fit(source, observe));
    outcome<Matrix> result;
    result.weights = found->weights;
    result.intercept = found->intercept;
    result.solver_weights = found->solver_weights;
    result.support = found->support();
    result.features = found->features;
    result.classes = found->classes;
    result.scaling = found->scaling;
    result.objective = found->objective;
    result.lower_bound = found->lower_bound;
    result.seconds = found->seconds;
    result.status = found->status;
    result.message = found->message;
    result.iterations = found->iterations;
    result.passes = found->passes;
    result.history = found->history;
    result.score = [found](const any_source<Matrix>& rows) { return found->score(rows); };
    result.predict = [found](const any_source<Matrix>& rows) { return found->predict(rows); };
    return result;
}

template <class Model, class Matrix>
gamut::fitted_path<Model, typename Matrix::value_type, any_communicator> path(const Model& model,
                                                                              const gamut::penalty::l0& penalty,
                                                                              const gamut::solver::path& solver,
                                                                              const any_source<Matrix>& source,
                                                                              const settings& how) {
    using backend = gamut::backend::host<typename Matrix::value_type>;
    const gamut::estimator<Model, gamut::penalty::l0, gamut::solver::path, backend, any_communicator> estimator{
        model, penalty, solver, backend{.threads = how.threads}, how.ranks, how.prepare};
    return estimator.fit(source);
}

/// Instantiated, this compiles the fits of one model on one kind of matrix.
template <class Model, class Matrix> struct compiled {
    static constexpr auto* lbfgs = &fit<Model, gamut::penalty::l2, gamut::solver::lbfgs<>, Matrix>;
    static constexpr auto* newton_cg = &fit<Model, gamut::penalty::l2, gamut::solver::newton_cg<>, Matrix>;
    static constexpr auto* sgd = &fit<Model, gamut::penalty::l2, gamut::solver::sgd<>, Matrix>;
    static constexpr auto* admm = &fit<Model, gamut::penalty::elastic_net, gamut::solver::admm<>, Matrix>;
    static constexpr auto* disadmm = &fit<Model, gamut::penalty::l0, gamut::solver::disadmm<>, Matrix>;
};

/// Least squares by what an estimator takes for it.
template <class Matrix> struct compiled_default {
    using model = gamut::model::linear;
    using penalty = gamut::penalty::l2;
    static constexpr auto* l2 = &fit<model, penalty, gamut::solver::default_for<model, penalty>::type, Matrix>;
};

/// The same for solvers that work on some columns, or on rows of their own, in memory.
template <class Model, class Matrix> struct compiled_in_memory {
    static constexpr auto* coordinate = &fit<Model, gamut::penalty::elastic_net, gamut::solver::coordinate, Matrix>;
    static constexpr auto* prune = &fit<Model, gamut::penalty::l0, gamut::solver::prune, Matrix>;
    static constexpr auto* swap = &fit<Model, gamut::penalty::l0, gamut::solver::swap, Matrix>;
};

/// And for those that want one output as well.
template <class Model, class Matrix> struct compiled_of_one_output {
    static constexpr auto* dual = &fit<Model, gamut::penalty::elastic_net, gamut::solver::dual, Matrix>;
    static constexpr auto* exact = &fit<Model, gamut::penalty::l0, gamut::solver::exact, Matrix>;
    static constexpr auto* path = &detail::path<Model, Matrix>;
};

}  // namespace fits::detail
