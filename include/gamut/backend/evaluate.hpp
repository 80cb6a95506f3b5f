// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <gamut/autodiff/program.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/program_run.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>

/// Formulas evaluated on arrays of one's own: no estimator, no solver, no data source.
///   blocks    the shapes of the parameters (autodiff::shapes_of(names)), w and v: all of them, one after another
///   x, y      the data, one row per observation, and a label for each; y may be empty where the formula reads none
namespace gamut::backend {

namespace detail {
template <class T> data_rows<T> rows_of(const dense_view<T>& x, std::span<const T> y) {
    if (!y.empty() && y.size() != x.rows)
        throw core::shape_error(
            core::text("evaluate: ", y.size(), " labels (x has ", x.rows, " rows) give one label per row"));
    return {.x = x.values,
            .stride = x.stride,
            .rows = x.rows,
            .y = y.empty() ? nullptr : y.data(),
            .share = T(1) / static_cast<T>(x.rows == 0 ? 1 : x.rows)};
}
template <class T> void check_size(std::span<const T> w, std::size_t dimension) {
    if (w.size() != dimension)
        throw core::shape_error(core::text("evaluate: ", w.size(), " parameters (the blocks have ", dimension,
                                           ") give all of them, block after block"));
}
template <class T, class E, class Blocks>
auto run_for(const E& formula, const Blocks& blocks, const dense_view<T>& x, std::span<const T> w, bool dual) {
    const auto program = autodiff::cut(formula);
    program_run_for<T, std::remove_const_t<decltype(program)>> run(program, {blocks.begin(), blocks.end()}, x.columns,
                                                                   x.rows, dual);
    check_size(w, run.dimension());
    return run;
}
}  // namespace detail

/// A loss: its value. Another formula: its values, rows x outputs (x its positions, if there are several), row-major.
template <class T, autodiff::Expression E, class Blocks>
auto evaluate(const E& formula, const Blocks& blocks, std::span<const T> w, const dense_view<T>& x,
              std::span<const T> y = {}) {
    const auto rows = detail::rows_of(x, y);
    auto run = detail::run_for(formula, blocks, x, w, false);
    const double loss = run.forward(rows, run.all(), run.flat(w.data()));
    if constexpr (decltype(run)::has_loss) {
        return loss;
    } else {
        const auto& t = run.result();
        std::vector<T> values;
        for (std::size_t i = 0; i < x.rows * t.per_row; ++i)
            values.insert(values.end(), t.values + i * t.stride, t.values + i * t.stride + t.columns);
        return values;
    }
}

/// The gradient of a loss, block after block. About three times the cost of the loss.
template <class T, autodiff::Expression E, class Blocks>
std::vector<T> gradient(const E& formula, const Blocks& blocks, std::span<const T> w, const dense_view<T>& x,
                        std::span<const T> y = {}) {
    const auto rows = detail::rows_of(x, y);
    auto run = detail::run_for(formula, blocks, x, w, false);
    std::vector<T> g(run.dimension());
    run.gradient(rows, run.flat(w.data(), nullptr, g.data()));
    return g;
}

/// The product of a loss's Hessian at w with v, block after block. About twice the cost of a gradient.
template <class T, autodiff::Expression E, class Blocks>
std::vector<T> product_with_hessian(const E& formula, const Blocks& blocks, std::span<const T> w, std::span<const T> v,
                                    const dense_view<T>& x, std::span<const T> y = {}) {
    const auto rows = detail::rows_of(x, y);
    auto run = detail::run_for(formula, blocks, x, w, true);
    detail::check_size(v, run.dimension());
    std::vector<T> h(run.dimension());
    run.template gradient<true>(rows, run.flat(w.data(), v.data(), h.data()));
    return h;
}

}  // namespace gamut::backend
