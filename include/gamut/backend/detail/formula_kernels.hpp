// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>

#include <gamut/autodiff/gradient.hpp>
#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/detail/instructions.hpp>
#include <gamut/backend/pack.hpp>
#include <gamut/backend/pack_functions.hpp>

/// A loss at a block of rows: its value and the rows of S = d loss / d Z, eight rows at a time.
namespace gamut::backend::detail {

/// What a formula reads and writes at some rows; z, t and s have a row every so many numbers.
template <class T> struct formula_rows {
    std::size_t rows, outputs;
    const T* y;      // null: all 0
    const T* omega;  // null: all 1
    const T* z;      // X W + b
    std::size_t z_stride;
    const T* t;  // the direction in which S is differentiated, or null
    std::size_t t_stride;
    T* s;
    std::size_t s_stride;
};

template <class T> struct formula_sums {
    T loss = 0, slope = 0;  // slope: of the only output
};

template <class T, class Formula> struct formula_kernel {
    static constexpr bool one_output = !autodiff::has_table<Formula>;

    template <class P, class V>
    GAMUT_INLINE static void move_to(const formula_rows<T>& b, T share, std::size_t i, autodiff::rows<V>& row) {
        const P label = b.y ? P::load(b.y + i) : P(0), weight = b.omega ? P::load(b.omega + i) : P(1);
        row.move_to(V(label), V(weight), V(weight * P(share)));
    }
};

/// The loss and S; rows: a multiple of 8; share: 1 / Omega; memory: for (2 + scratch) outputs packs.
template <class T, class Formula> struct slopes : formula_kernel<T, Formula> {
    using base = formula_kernel<T, Formula>;

    template <std::size_t Bytes>
    GAMUT_INLINE static formula_sums<T> run(const Formula& formula, const formula_rows<T>& b, T share, void* memory) {
        using P = pack<T, Bytes>;
        P loss(0), slope(0);
        P* const values = static_cast<P*>(memory);
        P* const adjoints = values + b.outputs;
        P* const kept = adjoints + b.outputs;
        for (std::size_t i = 0; i < b.rows; i += 8) {
            if constexpr (base::one_output) {
                const P z = P::load(b.z + i);
                P adjoint(0);
                autodiff::rows<P> row(1, &z, &adjoint, kept);
                base::template move_to<P>(b, share, i, row);
                loss += autodiff::pull_row(formula, row);
                slope += adjoint;
                adjoint.store(b.s + i);
            } else {
                for (std::size_t k = 0; k < b.outputs; ++k) {
                    values[k] = P::gather(b.z + i * b.z_stride + k, b.z_stride);
                    adjoints[k] = P(0);
                }
                autodiff::rows<P> row(b.outputs, values, adjoints, kept);
                base::template move_to<P>(b, share, i, row);
                loss += autodiff::pull_row(formula, row);
                for (std::size_t k = 0; k < b.outputs; ++k) adjoints[k].scatter(b.s + i * b.s_stride + k, b.s_stride);
            }
        }
        return {loss.total(), slope.total()};
    }
};

/// S differentiated at Z in the direction T; memory: twice that of `slopes`.
template <class T, class Formula> struct curvatures : formula_kernel<T, Formula> {
    using base = formula_kernel<T, Formula>;

    template <std::size_t Bytes>
    GAMUT_INLINE static formula_sums<T> run(const Formula& formula, const formula_rows<T>& b, T share, void* memory) {
        using P = pack<T, Bytes>;
        using dual = autodiff::dual<P>;
        P slope(0);
        dual* const values = static_cast<dual*>(memory);
        dual* const adjoints = values + b.outputs;
        dual* const kept = adjoints + b.outputs;
        for (std::size_t i = 0; i < b.rows; i += 8) {
            if constexpr (base::one_output) {
                const dual z(P::load(b.z + i), b.t ? P::load(b.t + i) : P(1));
                dual adjoint(0);
                autodiff::rows<dual> row(1, &z, &adjoint, kept);
                base::template move_to<P>(b, share, i, row);
                autodiff::pull_row(formula, row);
                slope += adjoint.tangent;
                adjoint.tangent.store(b.s + i);
            } else {
                for (std::size_t k = 0; k < b.outputs; ++k) {
                    values[k] = dual(P::gather(b.z + i * b.z_stride + k, b.z_stride),
                                     P::gather(b.t + i * b.t_stride + k, b.t_stride));
                    adjoints[k] = dual(0);
                }
                autodiff::rows<dual> row(b.outputs, values, adjoints, kept);
                base::template move_to<P>(b, share, i, row);
                autodiff::pull_row(formula, row);
                for (std::size_t k = 0; k < b.outputs; ++k)
                    adjoints[k].tangent.scatter(b.s + i * b.s_stride + k, b.s_stride);
            }
        }
        return {T(0), slope.total()};
    }
};

/// Memory for a kernel at any number of rows.
template <class T, class Formula> class formula_workspace {
public:
    explicit formula_workspace(std::size_t outputs)
        : lanes_(2 * (2 + autodiff::scratch_of<Formula>)*8 * outputs),
          z_(8 * outputs),
          t_(8 * outputs),
          s_(8 * outputs) {}

    /// Runs the kernel at all rows. Beyond the last row, up to a multiple of 8, that row stands in with weight 0.
    template <class Kernel> formula_sums<T> evaluate(const Formula& formula, formula_rows<T> b, T share) {
        const std::size_t rows = b.rows, whole = rows / 8 * 8, rest = rows - whole, c = b.outputs;
        formula_sums<T> sums;
        b.rows = whole;
        if (whole > 0) sums = run<Kernel>(formula, b, share, static_cast<void*>(lanes_.data()));
        if (rest == 0) return sums;
        for (std::size_t l = 0; l < 8; ++l) {
            const std::size_t i = whole + std::min(l, rest - 1);
            y_[l] = b.y ? b.y[i] : T(0);
            omega_[l] = l >= rest ? T(0) : b.omega ? b.omega[i] : T(1);
            for (std::size_t k = 0; k < c; ++k) {
                z_[l * c + k] = b.z[i * b.z_stride + k];
                t_[l * c + k] = b.t ? b.t[i * b.t_stride + k] : T(1);
            }
        }
        const formula_rows<T> eight{8, c, y_, omega_, z_.data(), c, t_.data(), c, s_.data(), c};
        const formula_sums<T> last = run<Kernel>(formula, eight, share, static_cast<void*>(lanes_.data()));
        for (std::size_t l = 0; l < rest; ++l)
            for (std::size_t k = 0; k < c; ++k) b.s[(whole + l) * b.s_stride + k] = s_[l * c + k];
        return {sums.loss + last.loss, sums.slope + last.slope};
    }

private:
    aligned_vector<T> lanes_, z_, t_, s_;
    T y_[8], omega_[8];
};

}  // namespace gamut::backend::detail
