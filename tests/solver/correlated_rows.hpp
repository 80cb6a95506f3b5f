// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../fits/any_communicator.hpp"
#include <gamut/backend/host.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/data/standardize.hpp>
#include <gamut/model/concept.hpp>
#include <gamut/solver/problem.hpp>

namespace gamut::test {

struct rows {
    backend::dense_matrix<double> x;
    std::vector<double> y, weights;
};

/// n rows of p columns, equally correlated, some entries 0; y from every third column of the first 30, plus 4; classes: y is 0, 1, ...,
/// classes - 1.
inline rows make_rows(std::size_t n, std::size_t p, double correlation, int classes = 0, double zeros = 0,
                      std::uint64_t seed = 1) {
    const core::random draw{.seed = seed}, common{.seed = seed, .stream = 1}, noise{.seed = seed, .stream = 2};
    rows r{backend::dense_matrix<double>(n, p), {}, {}};
    for (std::size_t i = 0; i < n; ++i) {
        double z = 0;
        for (std::size_t j = 0; j < p; ++j) {
            if (common.uniform(n + i * p + j) >= zeros)
                r.x(i, j) =
                    std::sqrt(1 - correlation) * draw.normal(i * p + j) + std::sqrt(correlation) * common.normal(i);
            if (j % 3 == 0 && j < 30) z += (j % 2 == 0 ? 1.0 : -1.0) * r.x(i, j);
        }
        z += noise.normal(i);
        r.y.push_back(classes == 0 ? z + 4 : std::clamp(std::floor(z / 3 + 0.5 * classes), 0.0, classes - 1.0));
    }
    return r;
}

struct problem_options {
    bool intercept = true, standardized = true;
    std::size_t blocks = 0;
    int threads = 1;
};

/// f(the problem of these rows).
template <class Model, class Matrix, class Penalty, class F>
auto with_problem(Model model, const data::arrays<Matrix>& source, const Penalty& penalty, const problem_options& how,
                  const fits::any_communicator& ranks, F&& f) {
    const auto loaded = source.load(ranks, {.classification = model::is_classification<Model>, .blocks = how.blocks});
    const data::standardization scaling = how.standardized ? data::standardize(ranks, loaded) : data::standardization{};
    using machine = backend::host<typename Matrix::value_type>;
    const solver::problem<Model, data::dataset<Matrix>, Penalty, machine, fits::any_communicator> problem(
        model, loaded, penalty, machine{.threads = how.threads}, ranks, how.intercept, scaling);
    return f(problem);
}

}  // namespace gamut::test
