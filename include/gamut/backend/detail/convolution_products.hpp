// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/backend/detail/patch_products.hpp>
#include <gamut/backend/detail/region.hpp>
#include <gamut/backend/detail/tile_products.hpp>

namespace gamut::backend::detail {

/// A convolution_step (autodiff/steps.hpp) where its tables lie in memory, in the way that its shape makes the faster one:
///   forward   out = P(x) w, or that much more
///   reverse   g += P(x)' s and to += what P takes back of s w'; null: left out
/// It is linear in x and in w, and so are its derivatives: with Dual the same products of other arrays. memory: so many numbers, that
/// nobody else uses meanwhile.
template <class T> class convolution_products {
public:
    convolution_products() = default;
    /// from: the table that is read.
    convolution_products(const convolution_shape& shape, const autodiff::table_shape& from)
        : by_positions_(from == autodiff::table_shape{shape.op.in.positions(), shape.op.in.channels}),
          by_tiles_(tile_products<T>::fits(shape)),
          channels_(shape.channels()),
          patches_(shape),
          tiles_(shape) {}

    std::size_t memory() const { return by_tiles_ ? tiles_.memory() : patches_.memory(); }

    /// Pictures as they lie in the table that is read, and in that which is made.
    template <class X> picture_rows<X> read(const table<T>& t, X* first) const {
        return {first, t.per_row * t.stride, by_positions_ ? t.stride : channels_};
    }
    template <class X> static picture_rows<X> made(const table<T>& t, X* first) {
        return {first, t.per_row * t.stride, t.stride};
    }

    void forward(const picture_rows<const T>& x, const T* w, const picture_rows<T>& out, std::size_t pictures, bool add,
                 T* memory) const {
        if (by_tiles_)
            tiles_.forward(x, w, out, pictures, add, memory);
        else
            patches_.forward(x, w, out, pictures, add, memory);
    }
    void reverse(const picture_rows<const T>& x, const picture_rows<const T>& s, const T* w, T* g,
                 const picture_rows<T>& to, std::size_t pictures, T* memory) const {
        if (by_tiles_)
            tiles_.reverse(x, s, w, g, to, pictures, memory);
        else
            patches_.reverse(x, s, w, g, to, pictures, memory);
    }

private:
    bool by_positions_ = false, by_tiles_ = false;
    std::size_t channels_ = 0;
    patch_products<T> patches_;
    tile_products<T> tiles_;
};

}  // namespace gamut::backend::detail
