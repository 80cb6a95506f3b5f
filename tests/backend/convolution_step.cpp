// SPDX-License-Identifier: BSL-1.0
// Convolutions as steps, beside the same formulas whose patches are kept in memory and multiplied.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>
#include <vector>

#include <gamut/autodiff/operations.hpp>
#include <gamut/autodiff/row_functions.hpp>
#include <gamut/backend/data_rows.hpp>
#include <gamut/backend/evaluate.hpp>
#include <gamut/core/error.hpp>

#include "backend/allocations.hpp"
#include "backend/check_formula.hpp"

using namespace gamut;
using autodiff::image;
using autodiff::matrix;
using autodiff::patches;

BOOST_AUTO_TEST_SUITE(convolution_step)

namespace {
constexpr autodiff::data X;
constexpr matrix<0> A{1, 1};
constexpr matrix<1> B{1, 1};
constexpr matrix<2> C{1, 1};

/// Two convolutions, the second of what comes of the first, and of that again.
template <bool Kept> auto loss(const patches& first, const patches& second) {
    const auto convolved = [](const patches& op, const auto& x, const auto& w) {
        if constexpr (Kept)
            return autodiff::keep(autodiff::move(op, x)) * w;
        else
            return autodiff::move(op, x) * w;
    };
    const auto h = tanh(convolved(first, X, A));
    return mean(row_sum(square(autodiff::flatten(convolved(second, h, B)) * C)));
}
void check(const image& in, std::size_t kernel, std::size_t border, std::size_t channels) {
    const patches first{in, kernel, 1, border};
    const patches second{{first.out().height, first.out().width, channels}, kernel, 1, border};
    const std::vector<autodiff::block_shape> shapes{{kernel * kernel * in.channels, channels},
                                                    {kernel * kernel * channels, channels},
                                                    {second.out().positions() * channels, 2}};
    const auto direct = loss<false>(first, second);
    const auto kept = loss<true>(first, second);
    static_assert(decltype(autodiff::cut(direct))::size + 2 == decltype(autodiff::cut(kept))::size);
    const formula_point at(5, in.size(), 2, dimension_of(shapes));
    const auto close = [](const std::vector<double>& a, const std::vector<double>& b) {
        double difference = 0, largest = 0;
        for (std::size_t i = 0; i < a.size(); ++i) {
            difference = std::max(difference, std::abs(a[i] - b[i]));
            largest = std::max(largest, std::abs(b[i]));
        }
        return difference <= 1e-12 * largest;
    };
    BOOST_TEST_CONTEXT("kernel " << kernel << ", " << channels << " channels") {
        BOOST_TEST(close(backend::gradient<double>(direct, shapes, at.w, at.view()),
                         backend::gradient<double>(kept, shapes, at.w, at.view())));
        BOOST_TEST(close(backend::product_with_hessian<double>(direct, shapes, at.w, at.v, at.view()),
                         backend::product_with_hessian<double>(kept, shapes, at.w, at.v, at.view())));

        const auto program = autodiff::cut(direct);
        backend::program_run_for<double, std::remove_const_t<decltype(program)>> run(program, shapes, in.size(), 5,
                                                                                     true);
        std::vector<double> g(run.dimension());
        const backend::data_rows<double> rows{.x = at.x.data(), .stride = in.size(), .rows = 5};
        run.gradient(rows, run.flat(at.w.data(), nullptr, g.data()));  // the first makes OpenBLAS wake up
        const long before = allocations();
        run.gradient(rows, run.flat(at.w.data(), nullptr, g.data()));
        run.gradient<true>(rows, run.flat(at.w.data(), at.v.data(), g.data()));
        BOOST_TEST(allocations() == before);
    }
}
}  // namespace

BOOST_AUTO_TEST_CASE(patches_made_line_by_line_give_the_same_derivatives_of_both_orders) {
    check({5, 6, 3}, 3, 1, 4);
    check({5, 6, 3}, 2, 0, 5);
    check({3, 3, 2}, 1, 0, 3);
}
BOOST_AUTO_TEST_CASE(so_do_tiles) { check({4, 6, 32}, 3, 1, 32); }

BOOST_AUTO_TEST_CASE(filters_that_do_not_fit_are_refused) {
    const patches op{{4, 4, 2}, 3};
    const std::vector<autodiff::block_shape> shapes{{17, 4}};
    const formula_point at(2, 32, 2, 68);
    BOOST_CHECK_EXCEPTION(
        backend::evaluate<double>(mean(row_sum(autodiff::flatten(autodiff::move(op, X) * A))), shapes, at.w, at.view()),
        core::shape_error, [](const core::error& e) {
            return std::string(e.what()) ==
                   "formula: step 0 multiplies a table of 18 columns by block 0, which has 17 rows "
                   "(17 x 4) make them equal";
        });
}

BOOST_AUTO_TEST_SUITE_END()
