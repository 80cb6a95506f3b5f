// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <gamut/autodiff/program.hpp>
#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/detail/program_plan.hpp>
#include <gamut/backend/detail/program_shapes.hpp>
#include <gamut/backend/detail/region.hpp>

namespace gamut::backend::detail {

/// The memory of a range of a program's steps for some rows of data, taken once: the slots that they touch, a line for each row of parameters, and lanes for formulas
/// that need a row whole. Zeros; what lies beyond the columns of a table is never a number that counts.
template <class T, std::size_t Size> class program_memory {
public:
    std::array<table<T>, Size + 1> slots{};
    std::vector<table<T>> parameters;

    program_memory(const program_plan<Size>& plan, step_range range, const program_shapes<Size>& shapes,
                   const std::array<autodiff::shape, Size + 1>& forms, std::span<const autodiff::block_shape> blocks,
                   std::size_t rows, std::size_t lanes, bool dual)
        : parameters(blocks.size()) {
        const autodiff::place_set touched = plan.touched(range), lines = plan.blocks_of(range);
        // twice the same walk: to count, and to hand out
        for (T* first = nullptr;; first = memory_.data()) {
            std::size_t total = 0;
            const auto take = [&](std::size_t n) {
                T* const place = first ? first + total : nullptr;
                total += (n + 15) / 16 * 16;
                return place;
            };
            const auto give = [&](table<T>& t, std::size_t n, bool adjoints) {
                t.values = take(n);
                t.tangents = dual ? take(n) : t.values;
                t.adjoints = adjoints ? take(n) : t.values;
                t.adjoint_tangents = adjoints && dual ? take(n) : t.adjoints;
            };
            for (std::size_t i = 0; i < Size; ++i) {
                table<T>& t = slots[i];
                const bool one = forms[i] == autodiff::shape::rows;
                t.per_row = shapes.slots[i].rows, t.columns = shapes.slots[i].columns;
                t.stride = one ? 1 : (t.columns + 7) / 8 * 8;
                if (!touched.has(i)) continue;
                give(t, plan.lines.has(i) ? t.stride : (rows * t.per_row + 7) / 8 * 8 * t.stride, plan.active.has(i));
            }
            for (std::size_t b = 0; b < blocks.size(); ++b) {
                table<T>& t = parameters[b];
                t.columns = blocks[b].columns, t.stride = (t.columns + 7) / 8 * 8;
                if (blocks[b].rows == 1 && lines.has(b)) give(t, t.stride, true);
            }
            lanes_ = take(lanes * 8 * (dual ? 2 : 1));
            if (first) return;
            memory_.assign(total, T(0));
            if (total == 0) return;
        }
    }
    program_memory(program_memory&&) = default;
    program_memory& operator=(program_memory&&) = default;

    void* lanes() const { return lanes_; }
    std::size_t bytes() const { return memory_.size() * sizeof(T); }

private:
    aligned_vector<T> memory_;
    T* lanes_ = nullptr;
};

}  // namespace gamut::backend::detail
