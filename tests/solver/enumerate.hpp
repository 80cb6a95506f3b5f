// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <gamut/backend/host.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/penalty/l0.hpp>
#include <gamut/solver/polish.hpp>
#include <gamut/solver/problem.hpp>

#include "../fits/any_communicator.hpp"

/// Small cardinality problems with random data, and their optima by trying every support.
namespace enumerate {

using rows = gamut::data::dataset<gamut::backend::dense_matrix<double>>;

template <class Model>
using problem = gamut::solver::problem<Model, rows, gamut::penalty::l0, gamut::backend::host<>, fits::any_communicator>;

/// n rows of p correlated columns; labels: a noisy combination of the first three, cut into classes if there are any.
inline rows random_rows(std::uint64_t seed, std::size_t n, std::size_t p, std::size_t classes, bool weighted,
                        const fits::any_communicator& ranks = {}) {
    const gamut::core::random draw{.seed = seed};
    std::vector<double> x(n * p), y(n), weights(n, 1.0);
    const double shared = 1.2 * draw.uniform(1);
    for (std::size_t i = 0; i < n; ++i) {
        const double common = draw.normal(1000000 + i);
        for (std::size_t j = 0; j < p; ++j) x[i * p + j] = shared * common + draw.normal(1000 + i * p + j) + 2;
        double z = 0.7 * draw.normal(2000000 + i);
        for (std::size_t j = 0; j < std::min<std::size_t>(p, 3); ++j) z += (j == 1 ? -1.0 : 0.8) * x[i * p + j];
        y[i] = classes == 0 ? z
               : static_cast<double>(i) < static_cast<double>(classes)
                   ? static_cast<double>(i)
                   : std::clamp(std::floor(0.5 * z + 0.5 * static_cast<double>(classes)), 0.0,
                                static_cast<double>(classes) - 1);
        if (weighted) weights[i] = 0.25 + draw.uniform(3000000 + i);
    }
    const gamut::data::request wanted{.classification = classes > 0, .blocks = 4};
    return weighted ? gamut::data::arrays(x, n, p, y, weights).load(ranks, wanted)
                    : gamut::data::arrays(x, n, p, y).load(ranks, wanted);
}

/// The loss of a model on such rows. Columns are standardised, or only about their means.
template <class Model>
problem<Model> problem_of(const rows& data, const gamut::penalty::l0& term, bool intercept = true,
                          bool standardized = true, const fits::any_communicator& ranks = {}) {
    auto scaling = intercept || standardized ? gamut::data::standardize(ranks, data) : gamut::data::standardization{};
    if (!standardized) std::fill(scaling.scales.begin(), scaling.scales.end(), 1.0);
    return {Model{}, data, term, {.threads = 1}, ranks, intercept, std::move(scaling)};
}

/// The group of each entry: what is counted.
inline std::vector<std::size_t> groups_of(const gamut::penalty::l0& term, gamut::penalty::layout shape) {
    std::vector<std::size_t> of;
    for (std::size_t g = 0; g < term.sizes.size(); ++g) of.insert(of.end(), term.sizes[g] * shape.outputs, g);
    if (of.empty())
        for (std::size_t j = 0; j < shape.size(); ++j)
            of.push_back(term.over == gamut::penalty::support::rows ? j / shape.outputs : j);
    return of;
}

/// Whether a support of groups is allowed.
inline bool allowed(const gamut::penalty::l0& term, gamut::penalty::layout shape, std::size_t mask) {
    const std::size_t outputs = shape.outputs;
    const std::vector<std::size_t> of = groups_of(term, shape);
    std::vector<std::size_t> used(outputs);
    for (std::size_t j = 0; j < of.size(); ++j) {
        if ((mask >> of[j] & 1) == 0 || (j > 0 && of[j - 1] == of[j])) continue;
        bool counted = true;
        for (const std::size_t f : term.free) counted = counted && f != j / outputs;
        if (counted) ++used[term.over == gamut::penalty::support::per_output ? j % outputs : 0];
    }
    for (const std::size_t u : used)
        if (u > term.kappa) return false;
    return true;
}

struct optimum {
    double objective = std::numeric_limits<double>::infinity();
    std::vector<double> weights;
};

/// The best of all supports that cannot grow.
template <class P> optimum best_of_all(const P& p) {
    const auto& term = p.penalty_term();
    const auto shape = p.layout();
    const std::vector<std::size_t> of = groups_of(term, shape);
    const std::size_t groups = of.back() + 1;
    optimum best;
    for (std::size_t mask = 0; mask < (std::size_t(1) << groups); ++mask) {
        if (!allowed(term, shape, mask)) continue;
        bool grows = false;
        for (std::size_t g = 0; g < groups; ++g)
            grows = grows || ((mask >> g & 1) == 0 && allowed(term, shape, mask | std::size_t(1) << g));
        if (grows) continue;
        typename P::array w(p.dimension());
        for (std::size_t j = 0; j < shape.size(); ++j)
            if (mask >> of[j] & 1) w[j] = 0.01;
        const auto found = gamut::solver::polish{}.improve(p, w);
        if (found.objective < best.objective) best = {found.objective, found.weights.download()};
    }
    return best;
}

}  // namespace enumerate
