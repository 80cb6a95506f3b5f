// SPDX-License-Identifier: BSL-1.0
// Runs on 1 to 5 ranks under mpirun. Every rank also fits alone: where all agree with that, all numbers of ranks agree.
#include <boost/test/unit_test.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "../fits/any_communicator.hpp"

#include <gamut/communicator/mpi.hpp>
#include <gamut/communicator/single.hpp>
#include <gamut/core/random.hpp>
#include <gamut/data/arrays.hpp>
#include <gamut/model/linear.hpp>
#include <gamut/model/logistic.hpp>
#include <gamut/penalty/l1.hpp>
#include <gamut/solver/parallel_coordinate.hpp>
#include <gamut/solver/problem.hpp>

using namespace gamut;

namespace {

/// n rows of p columns, equally correlated; sparse: most are 0. Labels 0 and 1.
template <class Matrix> data::arrays<Matrix> source(std::size_t n, std::size_t p) {
    constexpr bool dense = std::is_same_v<Matrix, backend::dense_matrix<double>>;
    const core::random draw{.seed = 1}, common{.seed = 1, .stream = 1};
    Matrix x;
    std::vector<double> y, weights;
    if constexpr (dense) x = Matrix(n, p);
    for (std::size_t i = 0; i < n; ++i) {
        double z = 0.3 * common.normal(n + i);
        for (std::size_t j = 0; j < p; ++j) {
            const double entry = 0.8 * draw.normal(i * p + j) + 0.6 * common.normal(i);
            if constexpr (dense) {
                x(i, j) = entry;
            } else {
                if (draw.uniform(n * p + i * p + j) < 0.8) continue;
                x.indices.push_back(static_cast<std::int32_t>(j));
                x.values.push_back(entry);
            }
            if (j % 5 == 0) z += (j % 2 == 0 ? 1 : -1) * entry;
        }
        if constexpr (!dense) x.offsets.push_back(static_cast<std::int64_t>(x.indices.size()));
        y.push_back(z > 0 ? 1 : 0);
        weights.push_back(i % 7 == 0 ? 0 : 1 + static_cast<double>(i % 3));
    }
    if constexpr (!dense) {
        x.rows = n;
        x.columns = p;
    }
    return data::arrays<Matrix>(x, y, weights);
}

/// All numbers that a fit on these ranks has found, as bits.
template <class Selection, class Model, class Matrix>
std::vector<std::uint64_t> bits_on(const fits::any_communicator& ranks, const Selection& selection, Model model,
                                   const data::arrays<Matrix>& source) {
    const auto rows = source.load(ranks, {.classification = model::is_classification<Model>, .blocks = 16});
    const solver::problem<Model, data::dataset<Matrix>, penalty::l1, backend::host<double>, fits::any_communicator>
        problem(model, rows, {0.02}, {.threads = 1}, ranks, true, data::standardize(ranks, rows));
    const auto found =
        solver::parallel_coordinate<Selection>{.selection = selection, .stop = {.iterations = 8}}.minimize(problem);
    std::vector<std::uint64_t> bits{found.iterations, found.passes};
    for (const double w : found.weights.download()) bits.push_back(std::bit_cast<std::uint64_t>(w));
    for (const auto& record : found.history)
        for (const double value : {record.objective, record.residual, record.step})
            bits.push_back(std::bit_cast<std::uint64_t>(value));
    return bits;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(solver_parallel_coordinate)

BOOST_AUTO_TEST_CASE(fits_on_all_ranks_have_the_bits_of_fits_on_one) {
    const fits::any_communicator ranks{communicator::mpi<>{}}, alone;
    const auto check = [&](const auto& selection, auto model, const auto& source) {
        const auto here = bits_on(ranks, selection, model, source), expected = bits_on(alone, selection, model, source);
        BOOST_TEST(here.size() > 10u);
        BOOST_TEST((here == expected), "on rank " << ranks.rank() << " of " << ranks.size());
    };
    const solver::selection::scheduled plan{.together = 6};
    const solver::selection::random chance{.together = 3};
    using dense = backend::dense_matrix<double>;
    using sparse = backend::sparse_matrix<double>;
    check(plan, model::linear{}, source<dense>(90, 40));
    check(plan, model::logistic{}, source<sparse>(90, 40));
    check(plan, model::linear{}, source<dense>(40, 3));     // ranks without columns
    check(plan, model::logistic{}, source<sparse>(3, 40));  // ranks without rows
    check(chance, model::logistic{}, source<sparse>(90, 40));
}

BOOST_AUTO_TEST_SUITE_END()
