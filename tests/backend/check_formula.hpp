// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <gamut/autodiff/blocks.hpp>
#include <gamut/backend/evaluate.hpp>
#include <gamut/core/random.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

/// Rows, labels and parameters drawn for a seed: where a formula is looked at.
struct formula_point {
    std::size_t rows = 0, columns = 0;
    std::vector<double> x, y, w, v;

    formula_point(std::size_t n, std::size_t d, std::size_t classes, std::size_t dimension, std::uint64_t seed = 1)
        : rows(n),
          columns(d) {
        const gamut::core::random draw{seed, 0};
        for (std::size_t i = 0; i < n * d; ++i) x.push_back(draw.normal(i));
        for (std::size_t i = 0; i < n; ++i) y.push_back(static_cast<double>((i * 7 + seed) % classes));
        for (std::size_t i = 0; i < dimension; ++i) {
            w.push_back(0.4 * draw.normal(100000 + i));
            v.push_back(draw.normal(200000 + i));
        }
    }
    gamut::backend::dense_view<double> view() const { return {x.data(), rows, columns, columns}; }
    std::span<const double> labels() const { return y; }
};

inline std::size_t dimension_of(const std::vector<gamut::autodiff::block_shape>& shapes) {
    std::size_t n = 0;
    for (const auto& s : shapes) n += s.size();
    return n;
}

/// A loss's gradient against central differences of the loss, to 1e-7; its products with the Hessian against central differences of
/// the gradient, to 1e-5; both relative to the largest entry where that is above 1.
template <class Program>
void check_program(const Program& program, const std::vector<gamut::autodiff::block_shape>& shapes,
                   const formula_point& at, const std::string& what) {
    using namespace gamut;
    constexpr double h = 6e-6;
    backend::program_run_for<double, Program> run(program, shapes, at.columns, at.rows, true);
    const backend::data_rows<double> rows{.x = at.x.data(),
                                          .stride = at.columns,
                                          .rows = at.rows,
                                          .y = at.y.data(),
                                          .share = 1.0 / static_cast<double>(at.rows),
                                          .training = true,
                                          .seed = 5,
                                          .step = 3};
    std::vector<double> u = at.w, g(u.size()), low(u.size()), high(u.size()), product(u.size());
    const auto gradient_at = [&](std::vector<double>& to) {
        std::fill(to.begin(), to.end(), 0.0);
        return run.gradient(rows, run.flat(u.data(), nullptr, to.data()));
    };
    const double loss = gradient_at(g);
    BOOST_TEST(std::isfinite(loss), what);
    double size = 1, worst = 0;
    for (const double e : g) size = std::max(size, std::abs(e));
    for (std::size_t i = 0; i < u.size(); ++i) {
        u[i] = at.w[i] + h;
        const double above = run.forward(rows, run.all(), run.flat(u.data()));
        u[i] = at.w[i] - h;
        const double below = run.forward(rows, run.all(), run.flat(u.data()));
        u[i] = at.w[i];
        worst = std::max(worst, std::abs((above - below) / (2 * h) - g[i]));
    }
    BOOST_TEST(worst <= 1e-7 * size, what << ": gradient off by " << worst << " of " << size);

    run.template gradient<true>(rows, run.flat(at.w.data(), at.v.data(), product.data()));
    for (std::size_t i = 0; i < u.size(); ++i) u[i] = at.w[i] + h * at.v[i];
    gradient_at(high);
    for (std::size_t i = 0; i < u.size(); ++i) u[i] = at.w[i] - h * at.v[i];
    gradient_at(low);
    size = 1, worst = 0;
    for (std::size_t i = 0; i < u.size(); ++i) {
        size = std::max(size, std::abs(product[i]));
        worst = std::max(worst, std::abs((high[i] - low[i]) / (2 * h) - product[i]));
    }
    BOOST_TEST(worst <= 1e-5 * size, what << ": product with the Hessian off by " << worst << " of " << size);
}

template <class E>
void check_at(const E& formula, const std::vector<gamut::autodiff::block_shape>& shapes, const formula_point& at,
              const std::string& what) {
    check_program(gamut::autodiff::cut(formula), shapes, at, what);
}

/// The same at 1, 7, 8 and 19 rows drawn at random.
template <class Names, class E>
void check_formula(const Names& names, const E& formula, const std::string& what, std::size_t columns = 5) {
    const auto shapes = gamut::autodiff::shapes_of(names);
    for (const std::size_t n : std::initializer_list<std::size_t>{1, 7, 8, 19})
        check_at(formula, shapes, formula_point(n, columns, 3, dimension_of(shapes), n), what);
}
