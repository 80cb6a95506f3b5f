// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/backend/kernel.hpp>
#include <gamut/backend/pack.hpp>
#include <gamut/backend/row_access.hpp>

namespace gamut::solver::detail {

/// term(0) + ... + term(n - 1), as eight sums that are added up in the end, so that additions don't wait for each other.
template <class F> double sum_of(std::size_t n, F&& term) {
    double lanes[8] = {}, sum = 0;
    std::size_t j = 0;
    for (; j + 8 <= n; j += 8)
        for (std::size_t l = 0; l < 8; ++l) lanes[l] += term(j + l);
    for (; j < n; ++j) sum += term(j);
    for (const double lane : lanes) sum += lane;
    return sum;
}

template <class T> struct dual_row {
    T alpha = 0, label = 0;
    T norm = 0;    // |x~|^2
    T center = 0;  // x'(means / scales^2)
};

/// The rows of a block, and the weights for the rows as they are: z_i = x_i'u + bias - spread center_i.
template <class Model, class Matrix> struct dual_rows {
    using T = typename Matrix::value_type;
    const Model* model;
    backend::row_access<Matrix> x;
    std::size_t first, count;
    dual_row<T>* rows;
    const T* omega;  // null: all 1
    const T* a;      // 1 / scales^2, null: all 1
    T* u;
    T bias = 0, spread = 0;
    T curvature = 0, intercept_curvature = 0, mean_square = 0;  // of a step of 1; means'(means / scales^2)
    T share = 0;                                                // 1 / Omega

    T weight(std::size_t i) const { return omega ? omega[i] : T(1); }

    /// The weights after alpha_i has grown by that much.
    template <std::size_t Bytes> GAMUT_INLINE void move(std::size_t i, T by) {
        const T moved = weight(i) * by, step = curvature * moved;
        x.template add<Bytes>(first + i, step, a, u);
        spread += step;
        bias += step * (mean_square - rows[i].center) + intercept_curvature * moved;
    }

    /// How hard a row is pushed beyond its end; inside its interval, minus how hard it is pulled.
    GAMUT_INLINE T push(T alpha, T label, T z) const {
        const T slope = model->dual_slope(alpha, label, z);
        return alpha <= model->dual_least(label)  ? -slope
               : alpha >= model->dual_most(label) ? slope
               : slope < T(0)                     ? slope
                                                  : -slope;
    }
};

}  // namespace gamut::solver::detail
