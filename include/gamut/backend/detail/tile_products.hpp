// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>

#include <gamut/backend/detail/picture_rows.hpp>
#include <gamut/backend/detail/tile_kernels.hpp>
#include <gamut/backend/host.hpp>

namespace gamut::backend::detail {

/// A convolution by 3 x 3 filters at every position as 16 products, of 4/9 of the multiplications that patches take: 4 x 4 positions
/// make 2 x 2 of the result (tile_kernels.hpp). Numbers are sums and differences of four at most and halves, so it rounds as patches do,
/// within a digit. Tiles go through in blocks of a fixed number; the gradient of the filters is summed over blocks in their order.
template <class T> class tile_products {
public:
    tile_products() = default;
    explicit tile_products(const convolution_shape& s)
        : s_(s),
          down_((s.height() + 1) / 2),
          across_((s.width() + 1) / 2),
          of_picture_(most * s.channels() + gap),
          of_result_(most * s.filters + gap),
          of_filters_(s.channels() * s.filters + gap) {}

    /// Whether it is worth it: whole vectors of channels, enough of them for the products to be fast, and few tiles that reach beyond the
    /// result.
    static bool fits(const convolution_shape& s) {
        const std::size_t tiles = (s.height() + 1) / 2 * ((s.width() + 1) / 2);
        return s.op.kernel == 3 && s.op.step == 1 && s.channels() % 8 == 0 && s.filters % 8 == 0 &&
               std::min(s.channels(), s.filters) >= 32 && 4 * 16 * tiles <= 3 * 9 * s.positions();
    }

    std::size_t memory() const { return 16 * (2 * of_filters_ + of_picture_ + of_result_); }

    void forward(const picture_rows<const T>& x, const T* w, const picture_rows<T>& out, std::size_t pictures, bool add,
                 T* memory) const {
        const auto m = places(memory);
        run<filters_to_planes<T>>(w, s_.channels() * s_.filters, m.filters, of_filters_);
        each_block(pictures, [&](std::size_t first, std::size_t count) {
            run<picture_to_planes<T>, const tiles_of<const T>&>(of_pictures(x, first, count), m.picture);
            for (std::size_t p = 0; p < 16; ++p)
                host<T>::gemm(false, false, count, s_.filters, s_.channels(), T(1), m.picture + p * of_picture_,
                              s_.channels(), m.filters + p * of_filters_, s_.filters, T(0), m.result + p * of_result_,
                              s_.filters);
            run<planes_to_result<T>, const tiles_of<T>&>(of_results(out, first, count), m.result, add);
        });
    }
    void reverse(const picture_rows<const T>& x, const picture_rows<const T>& s, const T* w, T* g,
                 const picture_rows<T>& to, std::size_t pictures, T* memory) const {
        const auto m = places(memory);
        const std::size_t n = s_.channels() * s_.filters;
        if (to.first) run<filters_to_planes<T>>(w, n, m.filters, of_filters_);
        each_block(pictures, [&](std::size_t first, std::size_t count) {
            run<result_to_planes<T>, const tiles_of<const T>&>(of_results(s, first, count), m.result);
            if (g) {
                run<picture_to_planes<T>, const tiles_of<const T>&>(of_pictures(x, first, count), m.picture);
                for (std::size_t p = 0; p < 16; ++p)
                    host<T>::gemm(true, false, s_.channels(), s_.filters, count, T(1), m.picture + p * of_picture_,
                                  s_.channels(), m.result + p * of_result_, s_.filters, first == 0 ? T(0) : T(1),
                                  m.slopes + p * of_filters_, s_.filters);
            }
            if (!to.first) return;
            for (std::size_t p = 0; p < 16; ++p)
                host<T>::gemm(false, true, count, s_.channels(), s_.filters, T(1), m.result + p * of_result_,
                              s_.filters, m.filters + p * of_filters_, s_.filters, T(0), m.picture + p * of_picture_,
                              s_.channels());
            run<planes_to_picture<T>, const tiles_of<T>&>(of_pictures(to, first, count), m.picture);
        });
        if (g) run<planes_to_filters<T>>(static_cast<const T*>(m.slopes), of_filters_, g, n);
    }

private:
    /// Tiles of a block; and so many numbers beyond each plane, lest all 16 fall into the same lines of a cache.
    static constexpr std::size_t most = 128, gap = 16;
    struct memory_places {
        T *filters, *slopes, *picture, *result;
    };
    memory_places places(T* memory) const {
        return {memory, memory + 16 * of_filters_, memory + 32 * of_filters_,
                memory + 32 * of_filters_ + 16 * of_picture_};
    }
    template <class F> void each_block(std::size_t pictures, const F& f) const {
        const std::size_t all = pictures * down_ * across_;
        for (std::size_t first = 0; first < all; first += most) f(first, std::min(most, all - first));
    }
    template <class X> tiles_of<X> of_pictures(const picture_rows<X>& x, std::size_t first, std::size_t count) const {
        return {x,     s_.op.in.height, s_.op.in.width, s_.channels(), s_.op.border,
                down_, across_,         first,          count,         of_picture_};
    }
    template <class X> tiles_of<X> of_results(const picture_rows<X>& y, std::size_t first, std::size_t count) const {
        return {y, s_.height(), s_.width(), s_.filters, 0, down_, across_, first, count, of_result_};
    }

    convolution_shape s_{};
    std::size_t down_ = 0, across_ = 0, of_picture_ = 0, of_result_ = 0, of_filters_ = 0;
};

}  // namespace gamut::backend::detail
