// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>

#include <gamut/autodiff/program.hpp>
#include <gamut/backend/detail/along_row.hpp>
#include <gamut/backend/detail/down_column.hpp>
#include <gamut/backend/detail/instructions.hpp>
#include <gamut/backend/detail/region.hpp>

/// The formulas between steps, and their reverse passes; see kernel.hpp. Their nodes are the same in all of them; what differs is which
/// way eight numbers lie.
namespace gamut::backend::detail {

/// Numbers, or duals, of so many bytes.
template <class T, std::size_t Bytes, bool Dual>
using lanes_of = std::conditional_t<Dual, autodiff::dual<pack<T, Bytes>>, pack<T, Bytes>>;

/// out = formula, entry by entry.
template <class T, class E, bool Dual> struct formula_forward {
    template <std::size_t Bytes> GAMUT_INLINE static void run(const E& e, const region<T>& r, const table<T>& out) {
        using V = lanes_of<T, Bytes, Dual>;
        along_row<V, E> row(r);
        for (std::size_t i = 0; i < r.rows * r.per_row; ++i) {
            row.move_to(i);
            for (std::size_t k = 0; k < out.columns; k += 8) {
                const std::size_t at = i * out.stride + k;
                lane_memory<V>::store(e.value(row, k), out.values + at, out.tangents + at);
            }
        }
    }
};
template <class T, class E, bool Dual, autodiff::place_set Flowing, autodiff::place_set Fresh> struct formula_reverse {
    template <std::size_t Bytes> GAMUT_INLINE static void run(const E& e, const region<T>& r, const table<T>& out) {
        using V = lanes_of<T, Bytes, Dual>;
        along_row<V, E> row(r);
        for (std::size_t i = 0; i < r.rows * r.per_row; ++i) {
            row.move_to(i);
            for (std::size_t k = 0; k < out.columns; k += 8) {
                const std::size_t at = i * out.stride + k;
                row.begin(out.columns - k);
                typename E::template tape<along_row<V, E>> tape;
                e.forward(row, k, tape);
                e.reverse(row, k, tape, lane_memory<V>::load(out.adjoints + at, out.adjoint_tangents + at));
                row.template end<Flowing, Fresh>(k);
            }
        }
    }
};

/// out = share times the sum over rows of the formula: one line.
template <class T, class E, bool Dual> struct column_forward {
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(const E& e, const region<T>& r, const table<T>& out, T share) {
        using V = lanes_of<T, Bytes, Dual>;
        along_row<V, E> row(r);
        for (std::size_t k = 0; k < out.columns; k += 8) {
            V sum(0);
            for (std::size_t i = 0; i < r.rows * r.per_row; ++i) {
                row.move_to(i);
                sum = sum + e.value(row, k);
            }
            lane_memory<V>::store(sum * V(share), out.values + k, out.tangents + k);
        }
    }
};
template <class T, class E, bool Dual, autodiff::place_set Flowing, autodiff::place_set Fresh> struct column_reverse {
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(const E& e, const region<T>& r, const table<T>& out, T share) {
        using V = lanes_of<T, Bytes, Dual>;
        along_row<V, E> row(r);
        for (std::size_t i = 0; i < r.rows * r.per_row; ++i) {
            row.move_to(i);
            for (std::size_t k = 0; k < out.columns; k += 8) {
                row.begin(out.columns - k);
                typename E::template tape<along_row<V, E>> tape;
                e.forward(row, k, tape);
                e.reverse(row, k, tape, V(share) * lane_memory<V>::load(out.adjoints + k, out.adjoint_tangents + k));
                row.template end<Flowing, Fresh>(k);
            }
        }
    }
};

/// Moves a reader to rows i <= j < i + 8, of which the last stands in for those beyond it, with weight 0.
template <class V, class T, class Reader>
GAMUT_INLINE void move_to_eight(const region<T>& r, std::size_t i, Reader& row) {
    using P = std::remove_cvref_t<decltype(plain(V()))>;
    const std::size_t rows = r.rows * r.per_row;
    T y[8], omega[8];
    for (std::size_t l = 0; l < 8; ++l) {
        const std::size_t at = std::min(i + l, rows - 1) / r.per_row;
        y[l] = r.y ? r.y[at] : T(0);
        omega[l] = i + l >= rows ? T(0) : r.omega ? r.omega[at] : T(1);
    }
    const P weight = P::load(omega);
    row.move_to(i, V(P::load(y)), V(weight), V(weight * P(r.share)));
}

/// out = formula, one value per row, of formulas that need a row whole.
template <class T, class E, bool Dual> struct rows_forward {
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(const E& e, const region<T>& r, const table<T>& out, void* lanes) {
        using V = lanes_of<T, Bytes, Dual>;
        down_column<V, E> row(r, static_cast<V*>(lanes));
        for (std::size_t i = 0; i < r.rows * r.per_row; i += 8) {
            move_to_eight<V>(r, i, row);
            lane_memory<V>::store(e.value(row, 0), out.values + i, out.tangents + i);
        }
    }
};
template <class T, class E, bool Dual, autodiff::place_set Flowing, autodiff::place_set Fresh> struct rows_reverse {
    template <std::size_t Bytes>
    GAMUT_INLINE static void run(const E& e, const region<T>& r, const table<T>& out, void* lanes) {
        using V = lanes_of<T, Bytes, Dual>;
        down_column<V, E> row(r, static_cast<V*>(lanes));
        const std::size_t rows = r.rows * r.per_row;
        for (std::size_t i = 0; i < rows; i += 8) {
            move_to_eight<V>(r, i, row);
            typename E::template tape<down_column<V, E>> tape;
            e.forward(row, 0, tape);
            const V adjoint = lane_memory<V>::load(out.adjoints + i, out.adjoint_tangents + i);
            e.reverse(row, 0, tape, first_lanes(adjoint, rows - i));
            row.template end<Flowing, Fresh>(i);
        }
    }
};

/// The loss at the rows, and its reverse pass.
template <class T, class E, bool Dual, autodiff::place_set Flowing, autodiff::place_set Fresh> struct loss_kernel {
    template <std::size_t Bytes> GAMUT_INLINE static T run(const E& e, const region<T>& r, void* lanes) {
        using V = lanes_of<T, Bytes, Dual>;
        down_column<V, E> row(r, static_cast<V*>(lanes));
        pack<T, Bytes> loss(0);
        for (std::size_t i = 0; i < r.rows; i += 8) {
            move_to_eight<V>(r, i, row);
            typename E::template tape<down_column<V, E>> tape;
            e.forward(row, 0, tape);
            e.reverse(row, 0, tape, V(1));
            row.template end<Flowing, Fresh>(i);
            loss += plain(V(tape.value));
        }
        return loss.total();
    }
};

}  // namespace gamut::backend::detail
