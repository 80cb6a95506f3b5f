// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>

#include <gamut/backend/detail/picture_rows.hpp>
#include <gamut/backend/host.hpp>

namespace gamut::backend::detail {

/// A convolution as patches times filters, for lines of positions whose patches stay in a core's second-level cache between being made
/// and being multiplied: nobody writes the patches of all pictures to memory. How many lines follows from the shape alone, so do the
/// bits.
template <class T> class patch_products {
public:
    patch_products() = default;
    explicit patch_products(const convolution_shape& s)
        : s_(s),
          apart_((s.inner() + 7) / 8 * 8),
          lines_(
              std::max<std::size_t>({1, bytes / (s.width() * apart_ * sizeof(T)), (128 + s.width() - 1) / s.width()})) {
    }

    /// Numbers of memory that the others take.
    std::size_t memory() const { return as_they_are() ? 0 : lines_ * s_.width() * apart_; }

    /// out = P(x) w, or out + P(x) w.
    void forward(const picture_rows<const T>& x, const T* w, const picture_rows<T>& out, std::size_t pictures, bool add,
                 T* memory) const {
        each_block(x, pictures, memory, true,
                   [&](const T* patches, std::size_t apart, std::size_t line, std::size_t m) {
                       host<T>::gemm(false, false, m, s_.filters, s_.inner(), T(1), patches, apart, w, s_.filters,
                                     add ? T(1) : T(0), out.at(0, line * s_.width()), out.position);
                   });
    }
    /// g += P(x)' s, unless g is null; to += what P takes back of s w', unless that is null.
    void reverse(const picture_rows<const T>& x, const picture_rows<const T>& s, const T* w, T* g,
                 const picture_rows<T>& to, std::size_t pictures, T* memory) const {
        each_block(x, pictures, memory, g, [&](T* patches, std::size_t apart, std::size_t line, std::size_t m) {
            const T* const slopes = s.at(0, line * s_.width());
            if (g)
                host<T>::gemm(true, false, s_.inner(), s_.filters, m, T(1), patches, apart, slopes, s.position, T(1), g,
                              s_.filters);
            if (!to.first) return;
            if (as_they_are()) {
                host<T>::gemm(false, true, m, s_.inner(), s_.filters, T(1), slopes, s.position, w, s_.filters, T(1),
                              to.at(line / s_.height(), 0), to.position);
                return;
            }
            host<T>::gemm(false, true, m, s_.inner(), s_.filters, T(1), slopes, s.position, w, s_.filters, T(0),
                          patches, apart);
            each_run(line, m / s_.width(), [&](std::size_t place, std::size_t i, std::size_t position, std::size_t n) {
                each_piece(to, i, position, n, patches + place, [](T* picture, const T* patch, std::size_t count) {
                    for (std::size_t k = 0; k < count; ++k) picture[k] += patch[k];
                });
            });
        });
    }

private:
    static constexpr std::size_t bytes = std::size_t(256) << 10;

    /// Whether the patches are the pictures.
    bool as_they_are() const { return s_.op.kernel == 1 && s_.op.step == 1 && s_.op.border == 0; }
    /// f(patches, their distance, first line, how many) for lines of positions, picture by picture; made unless nobody reads them.
    template <class F>
    void each_block(const picture_rows<const T>& x, std::size_t pictures, T* memory, bool read, const F& f) const {
        if (as_they_are() && x.picture == s_.positions() * x.position)
            return f(const_cast<T*>(x.first), x.position, 0, pictures * s_.positions());  // read only
        if (as_they_are()) {
            for (std::size_t i = 0; i < pictures; ++i)
                f(const_cast<T*>(x.at(i, 0)), x.position, i * s_.height(), s_.positions());
            return;
        }
        const std::size_t all = pictures * s_.height();
        for (std::size_t line = 0; line < all; line += lines_) {
            const std::size_t count = std::min(lines_, all - line);
            if (read) make(x, line, count, memory);
            f(memory, apart_, line, count * s_.width());
        }
    }
    void make(const picture_rows<const T>& x, std::size_t line, std::size_t count, T* memory) const {
        if (s_.op.border > 0) std::fill_n(memory, count * s_.width() * apart_, T(0));
        each_run(line, count, [&](std::size_t place, std::size_t i, std::size_t position, std::size_t n) {
            each_piece(x, i, position, n, memory + place,
                       [](const T* picture, T* patch, std::size_t numbers) { std::copy_n(picture, numbers, patch); });
        });
    }
    /// f(place in the patches, picture, position, count): so many positions of a picture lie side by side in a patch, borders left out.
    template <class F> void each_run(std::size_t line, std::size_t count, const F& f) const {
        const auto& [in, kernel, step, border] = s_.op;
        for (std::size_t l = 0; l < count; ++l) {
            const std::size_t i = (line + l) / s_.height(), p = (line + l) % s_.height();
            for (std::size_t q = 0; q < s_.width(); ++q) {
                const std::size_t left = q * step, begin = border > left ? border - left : 0,
                                  end = std::min(kernel, in.width + border > left ? in.width + border - left : 0);
                if (begin >= end) continue;
                for (std::size_t a = 0; a < kernel; ++a) {
                    const std::size_t y = p * step + a;
                    if (y < border || y >= in.height + border) continue;
                    f((l * s_.width() + q) * apart_ + (a * kernel + begin) * in.channels, i,
                      (y - border) * in.width + left + begin - border, end - begin);
                }
            }
        }
    }
    /// f(numbers of the picture, those of the patch, count).
    template <class X, class P, class F>
    void each_piece(const picture_rows<X>& x, std::size_t i, std::size_t position, std::size_t n, P* patch,
                    const F& f) const {
        const std::size_t c = s_.channels();
        if (x.position == c) return f(x.at(i, position), patch, n * c);
        for (std::size_t b = 0; b < n; ++b) f(x.at(i, position + b), patch + b * c, c);
    }

    convolution_shape s_{};
    std::size_t apart_ = 0, lines_ = 1;
};

}  // namespace gamut::backend::detail
