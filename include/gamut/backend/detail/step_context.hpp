// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/autodiff/program.hpp>
#include <gamut/autodiff/relabel.hpp>
#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/data_rows.hpp>
#include <gamut/backend/detail/convolution_products.hpp>
#include <gamut/backend/detail/program_memory.hpp>
#include <gamut/backend/detail/program_plan.hpp>
#include <gamut/backend/detail/program_shapes.hpp>
#include <gamut/backend/detail/step_kernels.hpp>
#include <gamut/backend/detail/structure_runs.hpp>

namespace gamut::backend::detail {

/// What kind of step it is.
///   lines       reads blocks of parameters as rows of numbers, not as matrices
///   column      a mean over rows, which may be known
///   writes_all  its reverse pass stores adjoints that are fresh; others add to zeros
///   scratch     of its formula
template <class S> struct kind_of_step {
    static constexpr bool lines = false, column = false, writes_all = true;
    static constexpr std::size_t scratch = 0;
};
template <> struct kind_of_step<void> : kind_of_step<int> {  // the result
    static constexpr bool lines = true;
};
template <class E, std::size_t G> struct kind_of_step<autodiff::formula_step<E, G>> : kind_of_step<void> {
    static constexpr std::size_t scratch = autodiff::scratch_of<E>;
};
template <class E, bool M, std::size_t G> struct kind_of_step<autodiff::column_step<E, M, G>> : kind_of_step<void> {
    static constexpr bool column = true;
};
template <class Op, class A, std::size_t G>
struct kind_of_step<autodiff::structure_step<Op, A, G>> : kind_of_step<int> {
    static constexpr bool writes_all = false;
};
template <class A, std::size_t B, std::size_t G>
struct kind_of_step<autodiff::convolution_step<A, B, G>> : kind_of_step<int> {
    static constexpr bool writes_all = false;
};
template <class Op, class A, std::size_t G>
struct kind_of_step<autodiff::drawn_move_step<Op, A, G>> : kind_of_step<int> {
    static constexpr bool writes_all = false;
};
template <class A, class B> struct kind_of_step<autodiff::concatenation_step<A, B>> : kind_of_step<int> {
    static constexpr bool writes_all = false;
};
template <std::size_t S, class... Step> using step_or_void = std::tuple_element_t<S, std::tuple<Step..., void>>;

/// What the steps of a program share: their memory, the shapes in it, and how a step finds what it reads.
template <class T, class Result, class... Step> class step_context {
public:
    static constexpr std::size_t size = sizeof...(Step);
    static constexpr auto plan = plan_of<Result, Step...>();
    using program_type = autodiff::program<Result, Step...>;

    step_context(const program_type& program, std::span<const autodiff::block_shape> blocks, std::size_t data_columns,
                 std::size_t most_rows, bool dual, step_range range)
        : program_(program),
          shapes_(program, blocks, data_columns),
          blocks_(blocks.begin(), blocks.end()),
          matrices_(blocks.size()),
          memory_(plan, range, shapes_, {Step::form..., Result::form}, blocks, most_rows, lanes_needed(range), dual) {
        [&]<std::size_t... S>(std::index_sequence<S...>) {
            ((range.has(S) ? find_runs<S>(std::get<S>(program_.steps)) : void()), ...);
        }
        (std::make_index_sequence<size>());
    }

    const program_memory<T, size>& memory() const { return memory_; }
    std::size_t bytes() const { return memory_.bytes() + scratch_.size() * sizeof(T); }
    /// Numbers that the means over rows of steps before s are.
    std::size_t statistics_before(std::size_t s) const {
        std::size_t n = 0;
        [&]<std::size_t... S>(std::index_sequence<S...>) {
            ((n += is_column<S> && S < s ? shapes_.slots[S].columns : 0), ...);
        }
        (std::make_index_sequence<size>());
        return n;
    }

    template <std::size_t S> static constexpr bool is_column = kind_of_step<step_or_void<S, Step...>>::column;

protected:
    template <std::size_t S> using step_type = step_or_void<S, Step...>;
    template <std::size_t S> using kind = kind_of_step<step_type<S>>;

    // ---- memory ----
    template <class A> autodiff::table_shape shape_of_operand() const {
        if constexpr (std::is_same_v<A, autodiff::inputs>)
            return {1, shapes_.data_columns()};
        else
            return shapes_.slots[A::index];
    }
    template <std::size_t S, class Any> void find_runs(const Any&) {}
    template <std::size_t S, class A, std::size_t B, std::size_t G>
    void find_runs(const autodiff::convolution_step<A, B, G>& step) {
        if (convolutions_.empty()) convolutions_.resize(size);
        convolutions_[S] = convolution_products<T>({step.op, blocks_[B].columns}, shape_of_operand<A>());
        scratch_.resize(std::max(scratch_.size(), convolutions_[S].memory()));
    }
    template <std::size_t S, class Op, class A, std::size_t G>
    void find_runs(const autodiff::structure_step<Op, A, G>& step) {
        const autodiff::table_shape from = shape_of_operand<A>();
        std::size_t stride = from.columns;  // of the data it plays no part: they are one row
        if constexpr (!std::is_same_v<A, autodiff::inputs>) stride = memory_.slots[A::index].stride;
        runs_[S] = structure_runs<T>(step.op, from, stride, memory_.slots[S].stride);
    }
    /// Lanes that formulas of a range which need a row whole take.
    std::size_t lanes_needed(step_range range) const {
        std::size_t most = 0, step = 0;
        const auto see = [&](const autodiff::reads& r, std::size_t scratch) {
            if (!range.has(step++)) return;
            std::size_t sum = 0, widest = 1;
            for (std::size_t i = 0; i < size; ++i)
                if (r.slots().has(i)) {
                    sum += shapes_.slots[i].columns;
                    widest = std::max(widest, shapes_.slots[i].columns);
                }
            for (std::size_t b = 0; b < blocks_.size(); ++b)
                if (r.parameters.has(b)) widest = std::max(widest, blocks_[b].columns);
            most = std::max(most, 2 * sum + scratch * widest);
        };
        (see(autodiff::reads_of<Step>, kind_of_step<Step>::scratch), ...);
        see(autodiff::reads_of<Result>, autodiff::scratch_of<Result>);
        return most;
    }
    template <bool Dual> static void clear(const table<T>& line) {
        std::fill_n(line.adjoints, line.stride, T(0));
        if constexpr (Dual) std::fill_n(line.adjoint_tangents, line.stride, T(0));
    }
    template <bool Dual> static void clear(const table<T>& t, std::size_t rows) {
        std::fill_n(t.adjoints, rows * t.per_row * t.stride, T(0));
        if constexpr (Dual) std::fill_n(t.adjoint_tangents, rows * t.per_row * t.stride, T(0));
    }

    // ---- what steps read ----
    template <bool Dual, std::size_t S, class Store> void fetch(const Store& store) {
        for_each_place<plan.reads[S].parameters>([&]<std::size_t B>() {
            const T* const from = store.weights(B);
            matrices_[B].values = from;
            if constexpr (Dual) matrices_[B].direction = store.direction(B);
            if constexpr (kind<S>::lines) {
                const table<T>& t = memory_.parameters[B];
                std::copy_n(from, t.columns, t.values);
                if constexpr (Dual) std::copy_n(matrices_[B].direction, t.columns, t.tangents);
            }
        });
    }
    template <std::size_t S, class Store> void release(const Store& store) const {
        for_each_place<plan.reads[S].parameters>([&]<std::size_t B>() { store.release(B); });
    }
    template <class A> table<T> operand(const data_rows<T>& rows) const {
        if constexpr (std::is_same_v<A, autodiff::inputs>) {
            T* const x = const_cast<T*>(rows.x);  // read only
            return {x, x, x, x, shapes_.data_columns(), rows.stride, 1};
        } else {
            return memory_.slots[A::index];
        }
    }
    /// A formula, its slots and parameters numbered from 0, and where those are.
    template <class E> struct local {
        static constexpr autodiff::reads read = autodiff::reads_of<E>;
        static constexpr autodiff::place_set slot_set = read.slots();
        using relabel = autodiff::relabel<slot_set, read.parameters>;
        using formula = decltype(relabel{}(std::declval<const E&>()));
        static constexpr autodiff::place_set own(const autodiff::place_set& slots) {
            autodiff::place_set mine;
            for (std::size_t n = 0; n < slot_set.size(); ++n)
                if (slots.has(slot_set.at(n))) mine.add(n);
            return mine;
        }
        formula e;
        table<T> slots[slot_set.size() + 1], parameters[read.parameters.size() + 1];
        detail::region<T> region;
        local(const step_context& p, const E& f, const data_rows<T>& rows)
            : e(relabel{}(f)),
              region{slots, parameters, rows.rows, p.shapes_.template positions<E>(), rows.y, rows.omega, rows.share} {
            for_each_place<slot_set>([&]<std::size_t I>() { slots[slot_set.below(I)] = p.memory_.slots[I]; });
            for_each_place<read.parameters>(
                [&]<std::size_t B>() { parameters[read.parameters.below(B)] = p.memory_.parameters[B]; });
        }
    };
    template <class Kernel, class Local, class... More> static auto start(const Local& here, More... more) {
        return run<Kernel, const typename Local::formula&, const region<T>&, More...>(here.e, here.region, more...);
    }
    /// Where eight rows are read at once, the last stands in for those beyond it.
    template <bool Dual, std::size_t S> void repeat_last_row(const data_rows<T>& rows) {
        for_each_place<plan.reads[S].tables | plan.reads[S].rows>([&]<std::size_t I>() {
            const table<T>& t = memory_.slots[I];
            const std::size_t n = rows.rows * t.per_row;
            for (std::size_t i = n; i % 8 != 0; ++i) {
                std::copy_n(t.values + (n - 1) * t.stride, t.stride, t.values + i * t.stride);
                if constexpr (Dual) std::copy_n(t.tangents + (n - 1) * t.stride, t.stride, t.tangents + i * t.stride);
            }
        });
    }
    /// Whether the means that step S finds are given.
    template <std::size_t S> static bool is_known(const data_rows<T>& rows) {
        return is_column<S> && rows.statistics != nullptr;
    }

    struct block_pointers {
        const T *values = nullptr, *direction = nullptr;
    };

    program_type program_;
    program_shapes<size> shapes_;
    std::vector<autodiff::block_shape> blocks_;
    std::vector<block_pointers> matrices_;
    program_memory<T, size> memory_;
    std::array<structure_runs<T>, size + 1> runs_;
    std::vector<convolution_products<T>> convolutions_;  // by step, if there are any
    uninitialised_vector<T> scratch_;                    // what one of them needs meanwhile
};

}  // namespace gamut::backend::detail
