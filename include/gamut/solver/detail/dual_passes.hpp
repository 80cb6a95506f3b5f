// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <gamut/autodiff/gradient.hpp>
#include <gamut/backend/kernel.hpp>
#include <gamut/backend/pack.hpp>
#include <gamut/backend/row_access.hpp>
#include <gamut/model/concept.hpp>
#include <gamut/solver/detail/dual_rows.hpp>

/// The passes of solver::dual_block over its rows.
namespace gamut::solver::detail {

/// One visit to each row of `order`. Rows that are pushed beyond their end by more than `limit` are taken out.
template <class Model, class Matrix> struct dual_epoch {
    using T = typename Matrix::value_type;
    struct result {
        std::size_t rows;
        T violation;  // the largest
        double gain;  // of the dual, at least, times Omega
    };
    template <std::size_t Bytes>
    GAMUT_INLINE static result run(dual_rows<Model, Matrix>* b, std::uint32_t* order, std::size_t count, T limit) {
        constexpr std::size_t ahead = 4;
        T bias = b->bias, spread = b->spread, violation = 0;
        double gain = 0;
        for (std::size_t t = 0; t < count;) {
            if (t + ahead < count) b->x.fetch(b->first + order[t + ahead]);
            const std::size_t i = order[t];
            dual_row<T>& row = b->rows[i];
            const T alpha = row.alpha;
            const T z = b->x.template product<Bytes>(b->first + i, b->u) + bias - spread * row.center;
            if constexpr (model::FacetedModel<Model>) {
                const T push = b->push(alpha, row.label, z);
                if (push > limit) {
                    order[t] = order[--count];
                    continue;
                }
                ++t;
                if (push >= T(0)) continue;
                violation = std::max(violation, -push);
            } else {
                ++t;
            }
            const T omega = b->weight(i);
            const T q = omega * (b->curvature * row.norm + b->intercept_curvature);
            const T next = b->model->dual_step(alpha, row.label, z, q);
            if (next == alpha) continue;
            row.alpha = next;
            const T moved = omega * (next - alpha);
            gain += static_cast<double>(T(0.5) * q * moved * (next - alpha));
            const T step = b->curvature * moved;
            b->x.template add<Bytes>(b->first + i, step, b->a, b->u);
            spread += step;
            bias += step * (b->mean_square - row.center) + b->intercept_curvature * moved;
        }
        b->bias = bias;
        b->spread = spread;
        return {count, violation, gain};
    }
};

/// The loss at the weights that u and bias stand for, and every row's push.
template <class Model, class Matrix> struct dual_survey {
    using T = typename Matrix::value_type;
    /// is_zero: so is u, and the rows' entries need not be read.
    template <std::size_t Bytes> GAMUT_INLINE static double run(dual_rows<Model, Matrix>* b, bool is_zero, T* push) {
        constexpr std::size_t together = 8;
        T z[together], labels[together], weights[together];
        double loss = 0;
        std::size_t waiting = 0;
        for (std::size_t i = 0; i < b->count; ++i) {
            const dual_row<T>& r = b->rows[i];
            const T zi = (is_zero ? T(0) : b->x.template product<Bytes>(b->first + i, b->u)) + b->bias,
                    omega = b->weight(i);
            if constexpr (model::FacetedModel<Model>) push[i] = b->push(r.alpha, r.label, zi);
            if (!(omega != T(0))) continue;
            z[waiting] = zi;
            labels[waiting] = r.label;
            weights[waiting] = omega;
            if (++waiting < together) continue;
            T losses[together];
            loss_of<backend::pack<T, Bytes>>(*b, z, labels, weights).store(losses);
            for (const T one : losses) loss += static_cast<double>(one);
            waiting = 0;
        }
        for (std::size_t k = 0; k < waiting; ++k)
            loss += static_cast<double>(loss_of<T>(*b, z + k, labels + k, weights + k));
        return loss;
    }

private:
    /// Of one row, or of as many as V has numbers.
    template <class V>
    GAMUT_INLINE static V loss_of(const dual_rows<Model, Matrix>& b, const T* z, const T* label, const T* omega) {
        const auto formula = model::loss_formula(*b.model);
        V values, labels, weights, kept[autodiff::scratch_of<decltype(formula)> + 1];
        const auto take = [](V& to, const T* from) {
            if constexpr (std::is_same_v<V, T>)
                to = *from;
            else
                to = V::load(from);
        };
        take(values, z);
        take(labels, label);
        take(weights, omega);
        autodiff::rows<V> row(1, &values, nullptr, kept);
        row.move_to(labels, weights, weights * V(b.share));
        return formula.value(row, 0);
    }
};

/// v += sum of omega_i alpha_i x_i over the rows whose alpha is positive, or over the others, or all.
template <class Model, class Matrix> struct dual_collect {
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(const dual_rows<Model, Matrix>* b, bool positive, bool others, double* v) {
        for (std::size_t i = 0; i < b->count; ++i) {
            const double alpha = static_cast<double>(b->rows[i].alpha);
            if (alpha == 0 || !(alpha > 0 ? positive : others)) continue;
            const double t = static_cast<double>(b->weight(i)) * alpha;
            if constexpr (std::is_same_v<typename Matrix::value_type, double>)
                b->x.template add<Bytes>(b->first + i, t, nullptr, v);
            else
                b->x.visit(b->first + i, [&](std::size_t j, auto x) { v[j] += t * static_cast<double>(x); });
        }
    }
};

}  // namespace gamut::solver::detail
