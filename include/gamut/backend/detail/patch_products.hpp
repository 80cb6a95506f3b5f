// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>

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
            each_stretch(line, m / s_.width(), to.position, [&](const stretch& some) {
                const T* patch = patches + some.place;
                T* picture = to.at(some.picture, some.position);
                for (std::size_t q = 0; q < some.count; ++q, patch += apart_, picture += s_.op.step * to.position)
                    for (std::size_t k = 0; k < some.numbers; ++k) picture[k] += patch[k];
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
        each_stretch(line, count, x.position, [&](const stretch& some) {
            const T* from = x.at(some.picture, some.position);
            T* to = memory + some.place;
            const auto all = [&](const auto& copy) {
                for (std::size_t q = 0; q < some.count; ++q, from += s_.op.step * x.position, to += apart_) copy();
            };
            const std::size_t n = some.numbers;
            // few numbers without a call: the first and the last of them, which may overlap
            const auto ends = [&]<std::size_t N>(std::integral_constant<std::size_t, N>) {
                all([&] {
                    T first[N], last[N];
                    std::memcpy(first, from, sizeof first);
                    std::memcpy(last, from + n - N, sizeof last);
                    std::memcpy(to, first, sizeof first);
                    std::memcpy(to + n - N, last, sizeof last);
                });
            };
            if (n > 32)
                all([&] { std::memcpy(to, from, n * sizeof(T)); });
            else if (n >= 16)
                ends(std::integral_constant<std::size_t, 16>());
            else if (n >= 8)
                ends(std::integral_constant<std::size_t, 8>());
            else if (n >= 4)
                ends(std::integral_constant<std::size_t, 4>());
            else if (n >= 2)
                ends(std::integral_constant<std::size_t, 2>());
            else
                all([&] { *to = *from; });
        });
    }

    /// So many patches side by side, `apart_` from each other: the numbers from `place` on are those of a picture from `position` on, one
    /// step further for each patch.
    struct stretch {
        std::size_t place, picture, position, count, numbers;
    };
    /// f(stretch) for all that lines of patches have of pictures, borders left out: a line of a filter at once where its positions lie
    /// side by side and are all there, else position by position.
    template <class F> void each_stretch(std::size_t line, std::size_t count, std::size_t distance, const F& f) const {
        const auto& [in, kernel, step, border] = s_.op;
        const std::size_t across = s_.width(), c = s_.channels(), upto = in.width + border;
        const auto reach =
            [&](std::size_t place) {  // the first patch that begins at `place` of a line with borders, or behind it
                return std::min(across, (place + step - 1) / step);
            };
        std::size_t whole = across, beyond = across;  // patches that have all positions of a line
        if (distance == c && upto >= kernel) whole = reach(border), beyond = std::max(whole, reach(upto - kernel + 1));
        for (std::size_t l = 0; l < count; ++l) {
            const std::size_t i = (line + l) / s_.height(), top = (line + l) % s_.height() * step;
            for (std::size_t a = 0; a < kernel; ++a) {
                if (top + a < border || top + a >= in.height + border) continue;
                const auto some = [&](std::size_t q, std::size_t end, std::size_t b, std::size_t positions) {
                    if (q < end)
                        f(stretch{(l * across + q) * apart_ + (a * kernel + b) * c, i,
                                  (top + a - border) * in.width + q * step + b - border, end - q, positions * c});
                };
                some(whole, beyond, 0, kernel);
                for (std::size_t b = 0; b < kernel; ++b) {
                    const std::size_t first = reach(border > b ? border - b : 0), last = reach(upto > b ? upto - b : 0);
                    some(first, std::min(last, whole), b, 1);
                    some(std::max(first, beyond), last, b, 1);
                }
            }
        }
    }

    convolution_shape s_{};
    std::size_t apart_ = 0, lines_ = 1;
};

}  // namespace gamut::backend::detail
