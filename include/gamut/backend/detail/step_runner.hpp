// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <tuple>
#include <type_traits>

#include <gamut/backend/detail/dropout_mask.hpp>
#include <gamut/backend/detail/step_context.hpp>
#include <gamut/backend/host.hpp>

namespace gamut::backend::detail {

/// One step of a program forward or back, for each kind of step there is. Blocks come from a store (flat_store.hpp).
template <class T, class Result, class... Step> class step_runner : public step_context<T, Result, Step...> {
    using context = step_context<T, Result, Step...>;
    using context::blocks_;
    using context::convolutions_;
    using context::matrices_;
    using context::memory_;
    using context::program_;
    using context::runs_;
    using context::scratch_;
    using context::shapes_;
    template <std::size_t S> using step_type = typename context::template step_type<S>;
    template <class E> using local = typename context::template local<E>;

public:
    using context::context;
    using context::plan;
    using context::size;

    template <bool Dual, std::size_t S, class Store> void forward(const data_rows<T>& rows, const Store& store) {
        this->template fetch<Dual, S>(store);
        forward_of<Dual, S>(std::get<S>(program_.steps), memory_.slots[S], rows);
        this->template release<S>(store);
    }
    template <bool Dual, class Store> double loss(const data_rows<T>& rows, const Store& store) {
        this->template fetch<Dual, size>(store);
        for_each_place<plan.reads[size].parameters>(
            [&]<std::size_t B>() { context::template clear<Dual>(memory_.parameters[B]); });
        this->template repeat_last_row<Dual, size>(rows);
        const local<Result> here(*this, program_.result, rows);
        using kernel = loss_kernel<T, typename local<Result>::formula, Dual, local<Result>::own(plan.flowing[size]),
                                   local<Result>::own(plan.fresh[size])>;
        const double found = static_cast<double>(context::template start<kernel>(here, memory_.lanes()));
        this->template release<size>(store);
        return found;
    }
    template <bool Dual, std::size_t S, class Store> void reverse(const data_rows<T>& rows, const Store& store) {
        if constexpr (plan.pulls[S]) {
            if (context::template is_known<S>(rows)) return;
            this->template fetch<Dual, S>(store);
            for_each_place<plan.fresh[S]>([&]<std::size_t I>() {
                if constexpr (!context::template kind<S>::writes_all)
                    context::template clear<Dual>(memory_.slots[I], rows.rows);
            });
            reverse_of<Dual, S>(std::get<S>(program_.steps), memory_.slots[S], rows, store);
            finish<Dual, S>(store);
        }
    }
    /// Adds what step S has left beside rows of parameters to their gradients, and says which are complete.
    template <bool Dual, std::size_t S, class Store> void finish(const Store& store) {
        if constexpr (context::template kind<S>::lines)
            for_each_place<plan.reads[S].parameters>([&]<std::size_t B>() {
                const table<T>& t = memory_.parameters[B];
                T* const to = store.gradient(B);
                const T* const from = Dual ? t.adjoint_tangents : t.adjoints;
                for (std::size_t k = 0; k < t.columns; ++k) to[k] += from[k];
                context::template clear<Dual>(t);
            });
        for_each_place<plan.complete[S]>([&]<std::size_t B>() { store.ready(B); });
    }

private:
    // ---- a product with a block ----
    template <class A> static constexpr bool moves = A::active;

    template <bool Dual, std::size_t S, class A, std::size_t B, autodiff::shape F, bool Transposed>
    void forward_of(const autodiff::product_step<A, B, F, Transposed>&, const table<T>& out, const data_rows<T>& rows) {
        const auto a = this->template operand<A>(rows);
        const std::size_t m = rows.rows * out.per_row, w = blocks_[B].columns;
        const auto multiply = [&](const T* x, const T* block, T beta, T* to) {
            host<T>::gemm(false, Transposed, m, out.columns, a.columns, T(1), x, a.stride, block, w, beta, to,
                          out.stride);
        };
        multiply(a.values, matrices_[B].values, T(0), out.values);
        if constexpr (Dual) {
            multiply(a.values, matrices_[B].direction, T(0), out.tangents);
            if constexpr (moves<A>) multiply(a.tangents, matrices_[B].values, T(1), out.tangents);
        }
    }
    template <bool Dual, std::size_t S, class A, std::size_t B, autodiff::shape F, bool Transposed, class Store>
    void reverse_of(const autodiff::product_step<A, B, F, Transposed>&, const table<T>& out, const data_rows<T>& rows,
                    const Store& store) {
        const auto a = this->template operand<A>(rows);
        const std::size_t m = rows.rows * out.per_row, w = blocks_[B].columns;
        T* const g = store.gradient(B);
        const auto add = [&](const T* x, const T* s) {  // x's, or its transpose
            if constexpr (Transposed)
                host<T>::gemm(true, false, out.columns, a.columns, m, T(1), s, out.stride, x, a.stride, T(1), g, w);
            else
                host<T>::gemm(true, false, a.columns, out.columns, m, T(1), x, a.stride, s, out.stride, T(1), g, w);
        };
        if constexpr (Dual) {
            add(a.values, out.adjoint_tangents);
            if constexpr (moves<A>) add(a.tangents, out.adjoints);
        } else {
            const bool taken = Transposed ? store.factors(B, out.adjoints, out.stride, a.values, a.stride, m)
                                          : store.factors(B, a.values, a.stride, out.adjoints, out.stride, m);
            if (!taken) add(a.values, out.adjoints);
        }
        if constexpr (moves<A>) {
            constexpr T beta = plan.fresh[S].has(A::index) ? T(0) : T(1);
            const auto pull = [&](const T* s, const T* block, T keep, T* to) {
                host<T>::gemm(false, !Transposed, m, a.columns, out.columns, T(1), s, out.stride, block, w, keep, to,
                              a.stride);
            };
            pull(out.adjoints, matrices_[B].values, beta, a.adjoints);
            if constexpr (Dual) {
                pull(out.adjoint_tangents, matrices_[B].values, beta, a.adjoint_tangents);
                pull(out.adjoints, matrices_[B].direction, T(1), a.adjoint_tangents);
            }
        }
    }

    // ---- a convolution ----
    template <bool Dual, std::size_t S, class A, std::size_t B, std::size_t G>
    void forward_of(const autodiff::convolution_step<A, B, G>&, const table<T>& out, const data_rows<T>& rows) {
        const auto a = this->template operand<A>(rows);
        const convolution_products<T>& c = convolutions_[S];
        const auto multiply = [&](const T* x, const T* block, bool add, T* to) {
            c.forward(c.read(a, x), block, c.made(out, to), rows.rows, add, scratch_.data());
        };
        multiply(a.values, matrices_[B].values, false, out.values);
        if constexpr (Dual) {
            multiply(a.values, matrices_[B].direction, false, out.tangents);
            if constexpr (moves<A>) multiply(a.tangents, matrices_[B].values, true, out.tangents);
        }
    }
    template <bool Dual, std::size_t S, class A, std::size_t B, std::size_t G, class Store>
    void reverse_of(const autodiff::convolution_step<A, B, G>&, const table<T>& out, const data_rows<T>& rows,
                    const Store& store) {
        const auto a = this->template operand<A>(rows);
        const convolution_products<T>& c = convolutions_[S];
        T* const g = store.gradient(B);
        const auto pull = [&](const T* x, const T* s, const T* block, T* slopes, T* to) {
            c.reverse(c.read(a, x), c.made(out, s), block, slopes, c.read(a, moves<A> ? to : nullptr), rows.rows,
                      scratch_.data());
        };
        if constexpr (Dual) {
            pull(a.values, out.adjoint_tangents, matrices_[B].values, g, a.adjoint_tangents);
            if constexpr (moves<A>) {
                pull(a.tangents, out.adjoints, matrices_[B].direction, g, a.adjoint_tangents);
                pull(a.values, out.adjoints, matrices_[B].values, nullptr, a.adjoints);
            }
        } else {
            pull(a.values, out.adjoints, matrices_[B].values, g, a.adjoints);
        }
    }

    // ---- a formula ----
    template <bool Dual, std::size_t S, class E, std::size_t G>
    void forward_of(const autodiff::formula_step<E, G>& s, const table<T>& out, const data_rows<T>& rows) {
        if constexpr (autodiff::shape_of<E> == autodiff::shape::rows) this->template repeat_last_row<Dual, S>(rows);
        if (plan.lines.has(S) && plan.active.has(S)) context::template clear<Dual>(out);
        local<E> here(*this, s.formula, rows);
        if (plan.lines.has(S)) here.region.rows = 1;
        using F = typename local<E>::formula;
        if constexpr (autodiff::shape_of<E> == autodiff::shape::rows)
            context::template start<rows_forward<T, F, Dual>, local<E>, const table<T>&>(here, out, memory_.lanes());
        else
            context::template start<formula_forward<T, F, Dual>, local<E>, const table<T>&>(here, out);
    }
    template <bool Dual, std::size_t S, class E, std::size_t G, class Store>
    void reverse_of(const autodiff::formula_step<E, G>& s, const table<T>& out, const data_rows<T>& rows,
                    const Store&) {
        local<E> here(*this, s.formula, rows);
        if (plan.lines.has(S)) here.region.rows = 1;
        using F = typename local<E>::formula;
        constexpr auto flowing = local<E>::own(plan.flowing[S]), fresh = local<E>::own(plan.fresh[S]);
        if constexpr (autodiff::shape_of<E> == autodiff::shape::rows)
            context::template start<rows_reverse<T, F, Dual, flowing, fresh>, local<E>, const table<T>&>(
                here, out, memory_.lanes());
        else
            context::template start<formula_reverse<T, F, Dual, flowing, fresh>, local<E>, const table<T>&>(here, out);
    }

    // ---- a mean over rows ----
    template <bool Mean, class Local> static T share_of(const Local& here) {
        return Mean ? T(1) / static_cast<T>(here.region.rows * here.region.per_row) : T(1);
    }
    template <bool Dual, std::size_t S, class E, bool Mean, std::size_t G>
    void forward_of(const autodiff::column_step<E, Mean, G>& s, const table<T>& out, const data_rows<T>& rows) {
        if (plan.active.has(S)) context::template clear<Dual>(out);
        if (rows.statistics) {
            std::copy_n(rows.statistics + this->statistics_before(S), out.columns, out.values);
            if constexpr (Dual) std::fill_n(out.tangents, out.stride, T(0));
            return;
        }
        const local<E> here(*this, s.formula, rows);
        context::template start<column_forward<T, typename local<E>::formula, Dual>, local<E>, const table<T>&>(
            here, out, share_of<Mean>(here));
    }
    template <bool Dual, std::size_t S, class E, bool Mean, std::size_t G, class Store>
    void reverse_of(const autodiff::column_step<E, Mean, G>& s, const table<T>& out, const data_rows<T>& rows,
                    const Store&) {
        const local<E> here(*this, s.formula, rows);
        using kernel = column_reverse<T, typename local<E>::formula, Dual, local<E>::own(plan.flowing[S]),
                                      local<E>::own(plan.fresh[S])>;
        context::template start<kernel, local<E>, const table<T>&>(here, out, share_of<Mean>(here));
    }

    // ---- numbers moved ----
    template <bool Dual, std::size_t S, class Op, class A, std::size_t G>
    void forward_of(const autodiff::structure_step<Op, A, G>&, const table<T>& out, const data_rows<T>& rows) {
        const auto a = this->template operand<A>(rows);
        const std::size_t from = a.per_row * a.stride, to = out.per_row * out.stride;
        runs_[S].forward(a.values, from, out.values, to, rows.rows);
        if constexpr (Dual && moves<A>)
            runs_[S].along(a.values, out.values, a.tangents, from, out.tangents, to, rows.rows);
    }
    template <bool Dual, std::size_t S, class Op, class A, std::size_t G, class Store>
    void reverse_of(const autodiff::structure_step<Op, A, G>&, const table<T>& out, const data_rows<T>& rows,
                    const Store&) {
        const auto a = this->template operand<A>(rows);
        const std::size_t from = a.per_row * a.stride, to = out.per_row * out.stride;
        runs_[S].reverse(a.values, out.values, a.adjoints, from, out.adjoints, to, rows.rows);
        if constexpr (Dual)
            runs_[S].reverse(a.values, out.values, a.adjoint_tangents, from, out.adjoint_tangents, to, rows.rows);
    }
    /// f(first of what is read, first of what is made, count): where the numbers go that were drawn to move, all rows one after another.
    template <std::size_t S, class Op, class A, std::size_t G, class F>
    void each_drawn_run(const autodiff::drawn_move_step<Op, A, G>& step, const table<T>& a, const table<T>& out,
                        const data_rows<T>& rows, const F& f) const {
        const core::random draws{rows.seed, rows.step * 256 + S};
        for (std::size_t i = 0; i < rows.rows; ++i) {
            typename Op::choice how{};
            if (rows.training) how = step.op.choose(draws, rows.numbers ? rows.numbers[i] : i);
            step.op.runs({a.per_row, a.columns}, how,
                         [&](std::size_t row, std::size_t column, std::size_t to, std::size_t there, std::size_t n) {
                             f((i * a.per_row + row) * a.stride + column, (i * out.per_row + to) * out.stride + there,
                               n);
                         });
        }
    }
    template <bool Dual, std::size_t S, class Op, class A, std::size_t G>
    void forward_of(const autodiff::drawn_move_step<Op, A, G>& step, const table<T>& out, const data_rows<T>& rows) {
        const auto a = this->template operand<A>(rows);
        const auto go = [&](const T* from, T* to) {
            if (rows.training) std::fill_n(to, rows.rows * out.per_row * out.stride, T(0));
            each_drawn_run<S>(step, a, out, rows, [&](std::size_t here, std::size_t there, std::size_t n) {
                std::copy_n(from + here, n, to + there);
            });
        };
        go(a.values, out.values);
        if constexpr (Dual && moves<A>) go(a.tangents, out.tangents);
    }
    template <bool Dual, std::size_t S, class Op, class A, std::size_t G, class Store>
    void reverse_of(const autodiff::drawn_move_step<Op, A, G>& step, const table<T>& out, const data_rows<T>& rows,
                    const Store&) {
        const auto a = this->template operand<A>(rows);
        const auto pull = [&](const T* from, T* to) {
            each_drawn_run<S>(step, a, out, rows, [&](std::size_t here, std::size_t there, std::size_t n) {
                for (std::size_t k = 0; k < n; ++k) to[here + k] += from[there + k];
            });
        };
        pull(out.adjoints, a.adjoints);
        if constexpr (Dual) pull(out.adjoint_tangents, a.adjoint_tangents);
    }
    template <bool Dual, std::size_t S, class A, class B>
    void forward_of(const autodiff::concatenation_step<A, B>&, const table<T>& out, const data_rows<T>& rows) {
        const auto put = [&]<class X>(std::size_t first, const X*) {
            const auto x = this->template operand<X>(rows);
            for (std::size_t i = 0; i < rows.rows * out.per_row; ++i) {
                std::copy_n(x.values + i * x.stride, x.columns, out.values + i * out.stride + first);
                if constexpr (Dual) {
                    if constexpr (moves<X>)
                        std::copy_n(x.tangents + i * x.stride, x.columns, out.tangents + i * out.stride + first);
                }
            }
            return first + x.columns;
        };
        put(put(0, static_cast<const A*>(nullptr)), static_cast<const B*>(nullptr));
    }
    template <bool Dual, std::size_t S, class A, class B, class Store>
    void reverse_of(const autodiff::concatenation_step<A, B>&, const table<T>& out, const data_rows<T>& rows,
                    const Store&) {
        const auto pull = [&]<class X>(std::size_t first, const X*) {
            const auto x = this->template operand<X>(rows);
            if constexpr (moves<X>)
                for (std::size_t i = 0; i < rows.rows * out.per_row; ++i)
                    for (std::size_t k = 0; k < x.columns; ++k) {
                        x.adjoints[i * x.stride + k] += out.adjoints[i * out.stride + first + k];
                        if constexpr (Dual)
                            x.adjoint_tangents[i * x.stride + k] += out.adjoint_tangents[i * out.stride + first + k];
                    }
            return first + x.columns;
        };
        pull(pull(0, static_cast<const A*>(nullptr)), static_cast<const B*>(nullptr));
    }

    // ---- masks, rows by number, squares of blocks ----
    template <bool Dual, std::size_t S, class A, std::size_t G>
    void forward_of(const autodiff::mask_step<A, G>& s, const table<T>& out, const data_rows<T>& rows) {
        fill_mask(out, s.rate, S, rows);
    }
    template <class A, class F> void each_lookup(const data_rows<T>& rows, std::size_t block, const F& f) const {
        const auto a = this->template operand<A>(rows);
        std::size_t to = 0;
        for (std::size_t i = 0; i < rows.rows * a.per_row; ++i)
            for (std::size_t k = 0; k < a.columns; ++k, ++to) {
                const T wanted = a.values[i * a.stride + k];
                if (!(wanted >= T(0) && wanted < static_cast<T>(blocks_[block].rows)))
                    throw core::data_error(core::text("formula: row ", static_cast<double>(wanted), " of block ", block,
                                                      " (it has ", blocks_[block].rows, ") number them 0, 1, ..."));
                f(static_cast<std::size_t>(wanted), to);
            }
    }
    template <bool Dual, std::size_t S, class A, std::size_t B>
    void forward_of(const autodiff::lookup_step<A, B>&, const table<T>& out, const data_rows<T>& rows) {
        each_lookup<A>(rows, B, [&](std::size_t row, std::size_t to) {
            std::copy_n(matrices_[B].values + row * out.columns, out.columns, out.values + to * out.stride);
            if constexpr (Dual)
                std::copy_n(matrices_[B].direction + row * out.columns, out.columns, out.tangents + to * out.stride);
        });
    }
    template <bool Dual, std::size_t S, class A, std::size_t B, class Store>
    void reverse_of(const autodiff::lookup_step<A, B>&, const table<T>& out, const data_rows<T>& rows,
                    const Store& store) {
        T* const g = store.gradient(B);
        const T* const s = Dual ? out.adjoint_tangents : out.adjoints;
        each_lookup<A>(rows, B, [&](std::size_t row, std::size_t to) {
            for (std::size_t k = 0; k < out.columns; ++k) g[row * out.columns + k] += s[to * out.stride + k];
        });
    }
    template <bool Dual, std::size_t S, std::size_t B>
    void forward_of(const autodiff::squares_step<B>&, const table<T>& out, const data_rows<T>&) {
        context::template clear<Dual>(out);
        const T* const w = matrices_[B].values;
        T sum = 0, along = 0;
        for (std::size_t k = 0; k < blocks_[B].size(); ++k) {
            sum += w[k] * w[k];
            if constexpr (Dual) along += 2 * w[k] * matrices_[B].direction[k];
        }
        out.values[0] = sum;
        if constexpr (Dual) out.tangents[0] = along;
    }
    template <bool Dual, std::size_t S, std::size_t B, class Store>
    void reverse_of(const autodiff::squares_step<B>&, const table<T>& out, const data_rows<T>&, const Store& store) {
        const T* const w = matrices_[B].values;
        T* const g = store.gradient(B);
        for (std::size_t k = 0; k < blocks_[B].size(); ++k) {
            if constexpr (Dual)
                g[k] += 2 * (out.adjoint_tangents[0] * w[k] + out.adjoints[0] * matrices_[B].direction[k]);
            else
                g[k] += 2 * out.adjoints[0] * w[k];
        }
    }
};

}  // namespace gamut::backend::detail
