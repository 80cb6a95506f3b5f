// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "any_communicator.hpp"
#include "any_source.hpp"

#include <gamut/core/result.hpp>
#include <gamut/data/preparation.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/fitted.hpp>
#include <gamut/fitted_path.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/solver/path.hpp>

/// Fits of the library's models that are compiled once, in this folder, for all tests: an estimator costs seconds of
/// compile time, and what differs between tests (data, options, ranks, observers) is known at run time only.
///
///     const auto found = fits::fit(model::logistic{}, penalty::l2{1}, solver::lbfgs<>{}, source, {.ranks = ranks});
///
/// What is compiled stands in the .cpp files beside this one; another combination is an undefined reference.
namespace fits {

using dense = gamut::backend::dense_matrix<double>;
using sparse = gamut::backend::sparse_matrix<double>;
using dense_float = gamut::backend::dense_matrix<float>;

using observer = std::function<bool(const gamut::core::record&)>;

struct settings {
    gamut::data::preparation prepare{};
    any_communicator ranks{};
    int threads = 0;
    observer observe{};
};

/// What gamut::fitted knows, whatever its type.
template <class Matrix> struct outcome {
    std::vector<double> weights, intercept, solver_weights;
    std::vector<std::size_t> support;
    std::vector<std::string> features, classes;
    gamut::data::standardization scaling;
    double objective = 0, lower_bound = 0, seconds = 0;
    gamut::core::status status{};
    std::string message;
    std::size_t iterations = 0, passes = 0;
    std::vector<gamut::core::record> history;
    std::function<gamut::score(const any_source<Matrix>&)> score;
    std::function<gamut::predictions(const any_source<Matrix>&)> predict;
};

namespace detail {

template <class Model, class Penalty, class Solver, class Matrix>
outcome<Matrix> fit(const Model&, const Penalty&, const Solver&, const any_source<Matrix>&, const settings&);

template <class Model, class Matrix>
gamut::fitted_path<Model, typename Matrix::value_type, any_communicator> path(const Model&, const gamut::penalty::l0&,
                                                                              const gamut::solver::path&,
                                                                              const any_source<Matrix>&,
                                                                              const settings&);

}  // namespace detail

template <class Model, class Penalty, class Solver, class Source>
auto fit(const Model& model, const Penalty& penalty, const Solver& solver, const Source& source,
         const settings& how = {}) {
    return detail::fit(model, penalty, solver, any_source<typename Source::matrix_type>(source), how);
}

/// A whole path; settings::observe is not asked.
template <class Model, class Source>
auto fit(const Model& model, const gamut::penalty::l0& penalty, const gamut::solver::path& solver, const Source& source,
         const settings& how = {}) {
    return detail::path(model, penalty, solver, any_source<typename Source::matrix_type>(source), how);
}

}  // namespace fits
