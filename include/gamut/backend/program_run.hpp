// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <gamut/autodiff/program.hpp>
#include <gamut/backend/data_rows.hpp>
#include <gamut/backend/detail/step_runner.hpp>
#include <gamut/backend/flat_store.hpp>

namespace gamut::backend {

/// Runs a program over rows of the data, forward and back, in memory that is taken once: nothing is allocated afterwards. One thread's.
///   forward(rows, steps, store)    the loss, and the adjoints of what it reads
///   reverse(rows, steps, store)    in the opposite order, adding to the gradient
///   gradient(rows, store)          both
/// With Dual, derivatives in a direction of the parameters go along, and what is added is the product of the Hessian with it.
/// Each product with a block is one GEMM forward and at most two back; with Dual twice and four times that. All that is called "the
/// rows" is at most `most_rows` of them; sums over more are the caller's, in an order of his.
template <class T, class Result, class... Step> class program_run {
public:
    using runner = detail::step_runner<T, Result, Step...>;
    static constexpr std::size_t size = sizeof...(Step);
    static constexpr bool has_loss = Result::form == autodiff::shape::total;

    /// dual: room for derivatives in a direction, too. range: the steps that will be run, which have memory; of the others there are
    /// the shapes. Throws shape_error where blocks, data and formula do not fit.
    program_run(const autodiff::program<Result, Step...>& program, std::vector<autodiff::block_shape> blocks,
                std::size_t data_columns, std::size_t most_rows, bool dual = false, step_range range = all())
        : blocks_(std::move(blocks)),
          runner_(program, blocks_, data_columns, most_rows, dual, range) {
        offsets_.push_back(0);
        for (const auto& b : blocks_) offsets_.push_back(offsets_.back() + b.size());
    }

    std::size_t dimension() const { return offsets_.back(); }
    std::size_t offset(std::size_t block) const { return offsets_[block]; }
    const std::vector<autodiff::block_shape>& blocks() const { return blocks_; }
    std::size_t workspace_bytes() const { return runner_.bytes(); }
    static constexpr step_range all() { return {0, size + 1}; }
    /// What step i made of the last rows.
    const detail::table<T>& slot(std::size_t i) const { return runner_.memory().slots[i]; }
    /// The values of a program whose result is no loss.
    const detail::table<T>& result() const requires(!has_loss) { return slot(Result::index); }
    /// What follows from the program alone: what its steps read, and how adjoints flow.
    static constexpr const auto& plan = runner::plan;
    /// The slots that steps before s write and steps from s on read: what a pipeline that is cut there sends.
    static constexpr autodiff::place_set live_at(std::size_t s) { return runner::plan.live_at(s); }

    flat_store<T> flat(const T* w, const T* direction = nullptr, T* gradient = nullptr) const {
        return {w, direction, gradient, offsets_.data()};
    }

    template <bool Dual = false, class Store>
    double forward(const data_rows<T>& rows, step_range range, const Store& store) {
        if (rows.rows == 0) return 0;
        [&]<std::size_t... S>(std::index_sequence<S...>) {
            ((range.has(S) ? runner_.template forward<Dual, S>(rows, store) : void()), ...);
        }
        (std::make_index_sequence<size>());
        if constexpr (has_loss)
            if (range.has(size)) return runner_.template loss<Dual>(rows, store);
        return 0;
    }
    template <bool Dual = false, class Store>
    void reverse(const data_rows<T>& rows, step_range range, const Store& store) {
        if (rows.rows == 0) return;
        if (range.has(size)) {
            detail::for_each_place<runner::plan.unused>([&]<std::size_t B>() { store.ready(B); });
            runner_.template finish<Dual, size>(store);
        }
        [&]<std::size_t... S>(std::index_sequence<S...>) {
            ((range.has(size - 1 - S) ? runner_.template reverse<Dual, size - 1 - S>(rows, store) : void()), ...);
        }
        (std::make_index_sequence<size>());
    }
    /// The loss of the rows; adds their gradient (Dual: their part of H v).
    template <bool Dual = false, class Store> double gradient(const data_rows<T>& rows, const Store& store) {
        static_assert(has_loss, "gradient: needs a formula that is one number; end it with mean(...) or sum(...)");
        const double loss = forward<Dual>(rows, all(), store);
        reverse<Dual>(rows, all(), store);
        return loss;
    }

    /// Means over the rows at hand (column_mean, column_sum): how many numbers, and what they were.
    std::size_t statistics_size() const { return runner_.statistics_before(size); }
    void statistics(T* out) const {
        [&]<std::size_t... S>(std::index_sequence<S...>) {
            ((out = runner::template is_column<S> ? std::copy_n(slot(S).values, slot(S).columns, out) : out), ...);
        }
        (std::make_index_sequence<size>());
    }

private:
    std::vector<autodiff::block_shape> blocks_;
    std::vector<std::size_t> offsets_;
    runner runner_;
};

/// program_run of a program's type.
template <class T, class Program> struct program_run_of;
template <class T, class Result, class... Step> struct program_run_of<T, autodiff::program<Result, Step...>> {
    using type = program_run<T, Result, Step...>;
};
template <class T, class Program> using program_run_for = typename program_run_of<T, Program>::type;

}  // namespace gamut::backend
