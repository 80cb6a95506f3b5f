// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include <gamut/autodiff/structure.hpp>
#include <gamut/backend/detail/region.hpp>

namespace gamut::backend::detail {

/// So many numbers go from one place of a row of the data to another, as offsets in memory.
struct run_of_numbers {
    std::size_t from, to, count;
};

/// A structure_step (autodiff/structure.hpp) where its tables lie in memory: the same runs for each row of the data. Runs that lead to
/// the same place follow each other in `largest`.
template <class T> class structure_runs {
public:
    structure_runs() = default;

    /// stride: of the rows of what is read; each row of data begins per_row rows later.
    template <class Op>
    structure_runs(const Op& op, const autodiff::table_shape& from, std::size_t from_stride, std::size_t to_stride)
        : how_(Op::how) {
        if constexpr (requires { op.weight(); }) weight_ = static_cast<T>(op.weight());
        op.runs(from, [&](std::size_t i, std::size_t j, std::size_t k, std::size_t l, std::size_t count) {
            const run_of_numbers run{i * from_stride + j, k * to_stride + l, count};
            if (!runs_.empty() && how_ != autodiff::meeting::largest) {  // the next one of the same run
                run_of_numbers& last = runs_.back();
                if (last.from + last.count == run.from && last.to + last.count == run.to) {
                    last.count += count;
                    return;
                }
            }
            runs_.push_back(run);
        });
    }

    /// to: what comes of `from`; a row of the data every from_row and to_row numbers.
    void forward(const T* from, std::size_t from_row, T* to, std::size_t to_row, std::size_t rows) const {
        for (std::size_t i = 0; i < rows; ++i, from += from_row, to += to_row) {
            if (how_ == autodiff::meeting::none) {
                for (const auto& run : runs_) std::copy_n(from + run.from, run.count, to + run.to);
            } else if (how_ == autodiff::meeting::added) {
                for (const auto& run : runs_) std::fill_n(to + run.to, run.count, T(0));
                for (const auto& run : runs_)
                    for (std::size_t k = 0; k < run.count; ++k) to[run.to + k] += weight_ * from[run.from + k];
            } else {
                for (const auto& run : runs_) std::fill_n(to + run.to, run.count, -std::numeric_limits<T>::infinity());
                for (const auto& run : runs_)
                    for (std::size_t k = 0; k < run.count; ++k) {
                        const T x = from[run.from + k];
                        T& largest = to[run.to + k];
                        largest = largest < x || x != x ? x : largest;
                    }
            }
        }
    }
    /// The same for derivatives in a direction; values and largest: what forward read and wrote.
    void along(const T* values, const T* largest, const T* from, std::size_t from_row, T* to, std::size_t to_row,
               std::size_t rows) const {
        if (how_ != autodiff::meeting::largest) return forward(from, from_row, to, to_row, rows);
        for (std::size_t i = 0; i < rows; ++i)
            winners(values + i * from_row, largest + i * to_row, [&](std::size_t winner, std::size_t place) {
                to[i * to_row + place] = from[i * from_row + winner];
            });
    }
    /// back: adjoints of what was read, to which those of what was made are added.
    void reverse(const T* values, const T* largest, T* back, std::size_t from_row, const T* adjoints,
                 std::size_t to_row, std::size_t rows) const {
        for (std::size_t i = 0; i < rows; ++i) {
            T* const b = back + i * from_row;
            const T* const a = adjoints + i * to_row;
            if (how_ == autodiff::meeting::largest) {
                winners(values + i * from_row, largest + i * to_row,
                        [&](std::size_t winner, std::size_t place) { b[winner] += a[place]; });
            } else {
                for (const auto& run : runs_)
                    for (std::size_t k = 0; k < run.count; ++k) b[run.from + k] += weight_ * a[run.to + k];
            }
        }
    }

private:
    /// f(from, to): the first that is as large as the largest.
    template <class F> void winners(const T* values, const T* largest, const F& f) const {
        for (std::size_t first = 0, end = 0; first < runs_.size(); first = end) {
            while (end < runs_.size() && runs_[end].to == runs_[first].to) ++end;
            for (std::size_t k = 0; k < runs_[first].count; ++k) {
                const std::size_t to = runs_[first].to + k;
                std::size_t r = first;
                while (r + 1 < end && values[runs_[r].from + k] != largest[to]) ++r;
                f(runs_[r].from + k, to);
            }
        }
    }

    autodiff::meeting how_ = autodiff::meeting::none;
    T weight_ = 1;
    std::vector<run_of_numbers> runs_;
};

}  // namespace gamut::backend::detail
