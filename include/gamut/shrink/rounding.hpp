// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/shrink/mask.hpp>
#include <gamut/shrink/tensor.hpp>

namespace gamut::shrink {

/// Which weights share a step: all of a tensor, those of an input (a row: of a table, a word), or those of an output (a column: a filter).
enum class per { tensor, row, column };

/// Levels at equal steps, as many on either side of 0:
///   w -> largest q / s,    q = round(s w / largest),    s = 2^(bits - 1) - 1,    largest = max |w| of those that share a step
/// Zeros stay zeros, the largest stays as it is; halves are rounded away from 0. Two bits leave -largest, 0 and largest.
struct quantisation {
    std::uint32_t bits = 8;
    shrink::per per = shrink::per::tensor;

    void validate() const {
        if (bits < 2 || bits > 16)
            throw core::option_error(
                core::text("quantise: bits is ", bits, " (a sign and a level take from 2 to 16) try 8"));
    }
};

/// A rule for held_problem: weights on their levels, and gradients as they are, except for those of weights that were lost before
/// ("straight-through").
struct rounding {
    quantisation how{};
    std::vector<tensor> tensors{};
    mask alive{};

    template <class T> void place(std::span<T> w) const {
        alive.place(w);
        for (const tensor& t : tensors) {
            T* const first = w.data() + t.offset;
            if (how.per == per::tensor) {
                round(first, t.size(), 1);
            } else if (how.per == per::row) {
                for (std::size_t i = 0; i < t.rows; ++i) round(first + i * t.columns, t.columns, 1);
            } else {
                for (std::size_t j = 0; j < t.columns; ++j) round(first + j, t.rows, t.columns);
            }
        }
    }
    template <class T> void direct(std::span<T> gradient) const { alive.place(gradient); }

private:
    template <class T> void round(T* w, std::size_t count, std::size_t stride) const {
        double largest = 0;
        for (std::size_t i = 0; i < count; ++i)
            largest = std::max(largest, std::abs(static_cast<double>(w[i * stride])));
        if (!(largest > 0)) return;
        const auto levels = static_cast<double>((1u << (how.bits - 1)) - 1);
        for (std::size_t i = 0; i < count; ++i) {
            T& one = w[i * stride];
            one = static_cast<T>(largest * (std::round(static_cast<double>(one) / largest * levels) / levels));
        }
    }
};

}  // namespace gamut::shrink
