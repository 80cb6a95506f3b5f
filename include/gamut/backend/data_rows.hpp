// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace gamut::backend {

/// Some rows of the data, x `stride` apart, and what else a program must know about them. None of it is owned.
template <class T> struct data_rows {
    const T* x = nullptr;
    std::size_t stride = 0, rows = 0;
    const T* y = nullptr;      ///< labels; null: all 0
    const T* omega = nullptr;  ///< sample weights; null: all 1
    T share = 1;               ///< 1 / Omega: what a mean multiplies by

    bool training = false;                 ///< drop what dropout drops, drawn for
    std::uint64_t seed = 0, step = 0;      ///< seed and step of the training, and
    const std::size_t* numbers = nullptr;  ///< the numbers of the rows; null: 0, 1, ...
    const T* statistics = nullptr;         ///< means over rows that are known; null: those of the rows at hand
};

}  // namespace gamut::backend
