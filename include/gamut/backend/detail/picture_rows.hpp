// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/autodiff/structure.hpp>

namespace gamut::backend::detail {

/// Pictures in memory: each begins `picture` numbers after the one before, and each of its positions `position` numbers after the one
/// before. The channels of a position follow each other.
template <class T> struct picture_rows {
    T* first = nullptr;
    std::size_t picture = 0, position = 0;

    T* at(std::size_t i, std::size_t p) const { return first + i * picture + p * position; }
};

/// What a convolution is: patches of pictures (autodiff::patches) times as many filters.
struct convolution_shape {
    autodiff::patches op{};
    std::size_t filters = 0;

    std::size_t height() const { return op.windows().height(); }
    std::size_t width() const { return op.windows().width(); }
    std::size_t positions() const { return height() * width(); }
    std::size_t channels() const { return op.in.channels; }
    /// Numbers of a patch.
    std::size_t inner() const { return op.kernel * op.kernel * channels(); }
};

}  // namespace gamut::backend::detail
