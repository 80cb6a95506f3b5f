// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/autodiff/program.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>

namespace gamut::backend::detail {

/// The shapes of a program's slots for blocks and data of some shapes. Throws shape_error, in one sentence that names the step, where
/// two do not fit.
template <std::size_t Size> class program_shapes {
public:
    std::array<autodiff::table_shape, Size + 1> slots{};

    template <class Result, class... Step>
    program_shapes(const autodiff::program<Result, Step...>& program, std::span<const autodiff::block_shape> blocks,
                   std::size_t data_columns)
        : blocks_(blocks),
          data_columns_(data_columns) {
        [&]<std::size_t... S>(std::index_sequence<S...>) {
            ((step_ = S, slots[S] = shape_of(std::get<S>(program.steps))), ...);
        }
        (std::make_index_sequence<sizeof...(Step)>());
        step_ = Size;
        check_blocks<Result>();
        if (positions<Result>() != 1)
            refuse("needs one row for each row of the data (there are ", positions<Result>(), ") flatten them first");
        columns_of_formula(program.result);
    }

    std::size_t data_columns() const { return data_columns_; }

    // what nodes ask for
    template <std::size_t I> std::size_t slot_columns() const { return slots[I].columns; }
    template <std::size_t I> std::size_t parameter_columns() const { return blocks_[I].columns; }
    void must_be_equal(std::size_t left, std::size_t right) const {
        if (left != right)
            refuse("reads ", left, " outputs beside ", right, " (outputs meet one by one) make their numbers equal");
    }

    /// Rows of the tables that a formula reads, for each row of the data.
    template <class E> std::size_t positions() const {
        std::size_t found = 0;
        constexpr auto read = autodiff::reads_of<E>.tables | autodiff::reads_of<E>.rows;
        for (std::size_t i = 0; i < Size; ++i) {
            if (!read.has(i)) continue;
            if (found != 0 && slots[i].rows != found)
                refuse("reads tables of ", found, " and of ", slots[i].rows,
                       " rows for each row of the data (rows meet one by one) pool or flatten one of them");
            found = slots[i].rows;
        }
        return found == 0 ? 1 : found;
    }

private:
    template <class... Parts> [[noreturn]] void refuse(const Parts&... parts) const {
        if (step_ == Size) throw core::shape_error(core::text("formula: its last step ", parts...));
        throw core::shape_error(core::text("formula: step ", step_, " ", parts...));
    }
    template <std::size_t B> autodiff::block_shape block() const {
        if (B >= blocks_.size())
            refuse("reads block ", B, " of the parameters (there are ", blocks_.size(), ") name all of them");
        return blocks_[B];
    }
    template <class A> autodiff::table_shape operand() const {
        if constexpr (std::is_same_v<A, autodiff::inputs>)
            return {1, data_columns_};
        else
            return slots[A::index];
    }

    /// Rows of parameters are one row, numbers are one number.
    template <class E> void check_blocks() const {
        if constexpr (requires { typename E::parts; })
            [&]<class... P>(autodiff::types<P...>) { (check_blocks<P>(), ...); }(typename E::parts());
        else if constexpr (std::is_empty_v<E>)
            check_leaf(E{});
    }
    template <std::size_t B, autodiff::shape F> void check_leaf(autodiff::parameter<B, F>) const {
        const auto b = block<B>();
        if (b.rows != 1 || (F == autodiff::shape::number && b.columns != 1))
            refuse("reads block ", B, " as ", F == autodiff::shape::number ? "a number" : "a row", " (it is ", b.rows,
                   " x ", b.columns, ") multiply by it, or say its shape");
    }
    template <class E> void check_leaf(const E&) const {}
    template <class E> std::size_t columns_of_formula(const E& e) const {
        const std::size_t columns = e.columns(*this);
        return columns == 0 ? 1 : columns;
    }

    template <class E, std::size_t Tag> autodiff::table_shape shape_of(const autodiff::formula_step<E, Tag>& s) const {
        check_blocks<E>();
        const std::size_t columns = columns_of_formula(s.formula);
        return {positions<E>(), autodiff::shape_of<E> == autodiff::shape::rows ? 1 : columns};
    }
    template <class E, bool M, std::size_t Tag>
    autodiff::table_shape shape_of(const autodiff::column_step<E, M, Tag>& s) const {
        check_blocks<E>();
        positions<E>();
        return {1, columns_of_formula(s.formula)};
    }
    template <class A, std::size_t B, autodiff::shape F, bool Transposed>
    autodiff::table_shape shape_of(const autodiff::product_step<A, B, F, Transposed>&) const {
        return product<B, F, Transposed>(operand<A>());
    }
    template <class A, std::size_t B, std::size_t Tag>
    autodiff::table_shape shape_of(const autodiff::convolution_step<A, B, Tag>& s) const {
        return product<B, autodiff::shape::matrix, false>(s.op.shape(operand<A>()));
    }
    template <std::size_t B, autodiff::shape F, bool Transposed>
    autodiff::table_shape product(const autodiff::table_shape& a) const {
        const auto b = block<B>();
        const std::size_t inner = Transposed ? b.columns : b.rows, outer = Transposed ? b.rows : b.columns;
        if (a.columns != inner)
            refuse("multiplies a table of ", a.columns, " columns by ", Transposed ? "the transpose of " : "", "block ",
                   B, ", which has ", inner, Transposed ? " columns" : " rows", " (", b.rows, " x ", b.columns,
                   ") make them equal");
        if (F == autodiff::shape::vector && outer != 1)
            refuse("multiplies by block ", B, " as a vector (it is ", b.rows, " x ", b.columns, ") give it one column");
        return {a.rows, outer};
    }
    template <class Op, class A, std::size_t Tag>
    autodiff::table_shape shape_of(const autodiff::structure_step<Op, A, Tag>& s) const {
        return s.op.shape(operand<A>());
    }
    template <class Op, class A, std::size_t Tag>
    autodiff::table_shape shape_of(const autodiff::drawn_move_step<Op, A, Tag>& s) const {
        return s.op.shape(operand<A>());
    }
    template <class A, class B> autodiff::table_shape shape_of(const autodiff::concatenation_step<A, B>&) const {
        const auto a = operand<A>(), b = operand<B>();
        if (a.rows != b.rows)
            refuse("puts a table of ", a.rows, " rows for each row of the data beside one of ", b.rows,
                   " (rows meet one by one) reshape one of them");
        return {a.rows, a.columns + b.columns};
    }
    template <class A, std::size_t Tag> autodiff::table_shape shape_of(const autodiff::mask_step<A, Tag>& s) const {
        if (!(s.rate >= 0 && s.rate < 1))
            refuse("drops a share of ", s.rate, " (it must be at least 0 and below 1) try 0.5");
        return operand<A>();
    }
    template <class A, std::size_t B> autodiff::table_shape shape_of(const autodiff::lookup_step<A, B>&) const {
        const auto a = operand<A>();
        return {a.rows * a.columns, block<B>().columns};
    }
    template <std::size_t B> autodiff::table_shape shape_of(const autodiff::squares_step<B>&) const {
        block<B>();
        return {1, 1};
    }

    std::span<const autodiff::block_shape> blocks_;
    std::size_t data_columns_, step_ = 0;
};

}  // namespace gamut::backend::detail
