// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/backend/detail/dense_kernels.hpp>
#include <gamut/backend/detail/instructions.hpp>
#include <gamut/backend/detail/picture_rows.hpp>
#include <gamut/backend/pack.hpp>

/// What Winograd's convolution of 2 x 2 positions by 3 x 3 filters does besides multiplying, for a vector of channels at a time:
///     y = A' [ (G w G') . (B' d B) ] A        d: 4 x 4 positions of a picture, w: a filter, y: 2 x 2 positions of the result
///     B' = 1  0 -1  0     G = 1   0   0      A' = 1  1  1  0
///          0  1  1  0         1/2 1/2 1/2         0  1 -1 -1
///          0 -1  1  0         1/2 -1/2 1/2
///          0  1  0 -1         0   0   1
/// and, derivatives being linear in y, the transposes of the three. Lavin and Gray 2016.
namespace gamut::backend::detail {

/// Tiles of pictures: so many of them from one on, 2 x 2 positions of the result each, line by line, picture by picture.
template <class T> struct tiles_of {
    picture_rows<T> rows;
    std::size_t height, width, channels;  // of the pictures
    std::size_t border;                   // how far a tile begins before its 2 x 2 positions
    std::size_t down, across;             // tiles of a picture
    std::size_t first, count;
    std::size_t plane;  // numbers between the 16 results of a tile

    /// f(number of the tile from 0, its picture, where it begins: beyond the picture's borders, too).
    template <class F> GAMUT_INLINE void each(const F& f) const {
        for (std::size_t t = 0; t < count; ++t) {
            const std::size_t i = (first + t) / (down * across), at = (first + t) % (down * across);
            f(t, i, static_cast<std::ptrdiff_t>(2 * (at / across)) - static_cast<std::ptrdiff_t>(border),
              static_cast<std::ptrdiff_t>(2 * (at % across)) - static_cast<std::ptrdiff_t>(border));
        }
    }
    /// Where the number of a position lies, or null beyond the borders.
    GAMUT_INLINE T* at(std::size_t i, std::ptrdiff_t y, std::ptrdiff_t x) const {
        const auto row = static_cast<std::size_t>(y), column = static_cast<std::size_t>(x);  // below 0: huge
        return row < height && column < width ? rows.at(i, row * width + column) : nullptr;
    }
};

/// One direction of a transform: numbers `apart` in the array that it reads and, as many as it makes, in the one that it writes.
struct winograd {
    template <class P> GAMUT_INLINE static void picture(const P* d, std::size_t apart, P* v) {  // B'
        v[0] = d[0] - d[2 * apart];
        v[apart] = d[apart] + d[2 * apart];
        v[2 * apart] = d[2 * apart] - d[apart];
        v[3 * apart] = d[apart] - d[3 * apart];
    }
    template <class P> GAMUT_INLINE static void picture_back(const P* v, std::size_t apart, P* d) {  // B
        d[0] = v[0];
        d[apart] = v[apart] - v[2 * apart] + v[3 * apart];
        d[2 * apart] = v[apart] + v[2 * apart] - v[0];
        d[3 * apart] = -v[3 * apart];
    }
    template <class P>
    GAMUT_INLINE static void filter(const P& x, const P& y, const P& z, P* v, std::size_t apart) {  // G
        const P half(0.5);
        v[0] = x;
        v[apart] = half * (x + z + y);
        v[2 * apart] = half * (x + z - y);
        v[3 * apart] = z;
    }
};

/// planes = B' d B of tiles of pictures.
template <class T> struct picture_to_planes {
    template <std::size_t Bytes> GAMUT_INLINE static void run(const tiles_of<const T>& tiles, T* planes) {
        using P = pack<T, Bytes, vector_width<T, Bytes>>;
        tiles.each([&](std::size_t t, std::size_t i, std::ptrdiff_t y, std::ptrdiff_t x) {
            const T* from[16];
            for (std::size_t p = 0; p < 16; ++p)
                from[p] = tiles.at(i, y + static_cast<std::ptrdiff_t>(p / 4), x + static_cast<std::ptrdiff_t>(p % 4));
            for (std::size_t k = 0; k < tiles.channels; k += P::width) {
                P d[16], v[16];
                for (std::size_t p = 0; p < 16; ++p) d[p] = from[p] ? P::load(from[p] + k) : P(0);
                for (std::size_t c = 0; c < 4; ++c) winograd::picture(d + c, 4, v + c);
                for (std::size_t r = 0; r < 4; ++r) winograd::picture(v + 4 * r, 1, d + 4 * r);
                for (std::size_t p = 0; p < 16; ++p) d[p].store(planes + p * tiles.plane + t * tiles.channels + k);
            }
        });
    }
};
/// Adds B planes B' to the tiles of pictures.
template <class T> struct planes_to_picture {
    template <std::size_t Bytes> GAMUT_INLINE static void run(const tiles_of<T>& tiles, const T* planes) {
        using P = pack<T, Bytes, vector_width<T, Bytes>>;
        tiles.each([&](std::size_t t, std::size_t i, std::ptrdiff_t y, std::ptrdiff_t x) {
            T* to[16];
            for (std::size_t p = 0; p < 16; ++p)
                to[p] = tiles.at(i, y + static_cast<std::ptrdiff_t>(p / 4), x + static_cast<std::ptrdiff_t>(p % 4));
            for (std::size_t k = 0; k < tiles.channels; k += P::width) {
                P d[16], v[16];
                for (std::size_t p = 0; p < 16; ++p) v[p] = P::load(planes + p * tiles.plane + t * tiles.channels + k);
                for (std::size_t c = 0; c < 4; ++c) winograd::picture_back(v + c, 4, d + c);
                for (std::size_t r = 0; r < 4; ++r) winograd::picture_back(d + 4 * r, 1, v + 4 * r);
                for (std::size_t p = 0; p < 16; ++p)
                    if (to[p]) (P::load(to[p] + k) + v[p]).store(to[p] + k);
            }
        });
    }
};
/// The tiles of the result = A' planes A, or that much more.
template <class T> struct planes_to_result {
    template <std::size_t Bytes> GAMUT_INLINE static void run(const tiles_of<T>& tiles, const T* planes, bool add) {
        using P = pack<T, Bytes, vector_width<T, Bytes>>;
        tiles.each([&](std::size_t t, std::size_t i, std::ptrdiff_t y, std::ptrdiff_t x) {
            T* const to[4] = {tiles.at(i, y, x), tiles.at(i, y, x + 1), tiles.at(i, y + 1, x),
                              tiles.at(i, y + 1, x + 1)};
            for (std::size_t k = 0; k < tiles.channels; k += P::width) {
                P m[4], half[2][4];
                for (std::size_t c = 0; c < 4; ++c) {
                    for (std::size_t r = 0; r < 4; ++r)
                        m[r] = P::load(planes + (4 * r + c) * tiles.plane + t * tiles.channels + k);
                    half[0][c] = m[0] + m[1] + m[2];
                    half[1][c] = m[1] - m[2] - m[3];
                }
                for (std::size_t p = 0; p < 4; ++p) {
                    if (!to[p]) continue;
                    const P* const h = half[p / 2];
                    const P y2 = p % 2 == 0 ? h[0] + h[1] + h[2] : h[1] - h[2] - h[3];
                    (add ? P::load(to[p] + k) + y2 : y2).store(to[p] + k);
                }
            }
        });
    }
};
/// planes = A s A' of the adjoints of the result.
template <class T> struct result_to_planes {
    template <std::size_t Bytes> GAMUT_INLINE static void run(const tiles_of<const T>& tiles, T* planes) {
        using P = pack<T, Bytes, vector_width<T, Bytes>>;
        tiles.each([&](std::size_t t, std::size_t i, std::ptrdiff_t y, std::ptrdiff_t x) {
            const T* const from[4] = {tiles.at(i, y, x), tiles.at(i, y, x + 1), tiles.at(i, y + 1, x),
                                      tiles.at(i, y + 1, x + 1)};
            for (std::size_t k = 0; k < tiles.channels; k += P::width) {
                P s[4];
                for (std::size_t p = 0; p < 4; ++p) s[p] = from[p] ? P::load(from[p] + k) : P(0);
                const P lines[4][2] = {
                    {s[0], s[1]}, {s[0] + s[2], s[1] + s[3]}, {s[0] - s[2], s[1] - s[3]}, {-s[2], -s[3]}};
                T* const to = planes + t * tiles.channels + k;
                for (std::size_t r = 0; r < 4; ++r) {
                    const P &a = lines[r][0], &b = lines[r][1];
                    a.store(to + 4 * r * tiles.plane);
                    (a + b).store(to + (4 * r + 1) * tiles.plane);
                    (a - b).store(to + (4 * r + 2) * tiles.plane);
                    (-b).store(to + (4 * r + 3) * tiles.plane);
                }
            }
        });
    }
};

/// planes = G w G' of n filters' numbers (channels times filters), 3 x 3 of them n apart.
template <class T> struct filters_to_planes {
    template <std::size_t Bytes> GAMUT_INLINE static void run(const T* w, std::size_t n, T* planes, std::size_t plane) {
        using P = pack<T, Bytes, vector_width<T, Bytes>>;
        for (std::size_t k = 0; k < n; k += P::width) {
            P lines[12], v[4];
            for (std::size_t b = 0; b < 3; ++b)
                winograd::filter(P::load(w + b * n + k), P::load(w + (3 + b) * n + k), P::load(w + (6 + b) * n + k),
                                 lines + b, 3);
            for (std::size_t r = 0; r < 4; ++r) {
                winograd::filter(lines[3 * r], lines[3 * r + 1], lines[3 * r + 2], v, 1);
                for (std::size_t p = 0; p < 4; ++p) v[p].store(planes + (4 * r + p) * plane + k);
            }
        }
    }
};
/// g += G' planes G.
template <class T> struct planes_to_filters {
    template <std::size_t Bytes> GAMUT_INLINE static void run(const T* planes, std::size_t plane, T* g, std::size_t n) {
        using P = pack<T, Bytes, vector_width<T, Bytes>>;
        const P half(0.5);
        for (std::size_t k = 0; k < n; k += P::width) {
            P lines[3][4];
            for (std::size_t c = 0; c < 4; ++c) {
                const P u = P::load(planes + c * plane + k), v = P::load(planes + (4 + c) * plane + k),
                        x = P::load(planes + (8 + c) * plane + k), y = P::load(planes + (12 + c) * plane + k);
                const P even = half * (v + x);
                lines[0][c] = u + even;
                lines[1][c] = half * (v - x);
                lines[2][c] = even + y;
            }
            for (std::size_t a = 0; a < 3; ++a) {
                const P* const l = lines[a];
                const P even = half * (l[1] + l[2]);
                T* const to = g + 3 * a * n + k;
                (P::load(to) + (l[0] + even)).store(to);
                (P::load(to + n) + half * (l[1] - l[2])).store(to + n);
                (P::load(to + 2 * n) + (even + l[3])).store(to + 2 * n);
            }
        }
    }
};

}  // namespace gamut::backend::detail
