// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>

/// Steps that move numbers about: patches, pools, slices, reshapes. For a row of the data, what they read is a small table of so many
/// rows (positions of an image, say; often 1) and columns (channels), and what they make is another. An operation says
///     shape(from)          the table that it makes; throws shape_error if it cannot
///     runs(from, f)        f(row, column, row', column', count): so many numbers beginning there go to there
///     how                  what becomes of numbers that meet: nothing (they don't), added up, the largest stays
/// All derivatives follow: numbers go along the same runs, and back.
namespace gamut::autodiff {

/// Rows and columns of a table, for each row of the data.
struct table_shape {
    std::size_t rows = 1, columns = 0;
    constexpr std::size_t size() const { return rows * columns; }
    friend constexpr bool operator==(const table_shape&, const table_shape&) = default;
};

enum class meeting { none, added, largest };

/// Height x width positions of so many channels each, row by row: a table of a row per position, or one row of all.
struct image {
    std::size_t height = 1, width = 1, channels = 1;

    constexpr std::size_t positions() const { return height * width; }
    constexpr std::size_t size() const { return positions() * channels; }
    friend constexpr bool operator==(const image&, const image&) = default;

    void check(const char* what, const table_shape& from) const {
        if (from == table_shape{positions(), channels} || from == table_shape{1, size()}) return;
        throw core::shape_error(core::text("formula: ", what, " of an image of ", height, " x ", width, " x ", channels,
                                           " (there are ", from.rows, " x ", from.columns,
                                           " numbers per row) say the image that it is"));
    }
};

namespace detail {
/// Where position p begins in one of the two tables that an image can be.
struct place {
    std::size_t row, column;
    static constexpr place of(const image& in, const table_shape& table, std::size_t p) {
        return table.rows == in.positions() && table.columns == in.channels ? place{p, 0} : place{0, p * in.channels};
    }
};
/// Windows of size x size positions, `step` apart, over an image with `border` zeros around it.
struct windows {
    image in;
    std::size_t size = 1, step = 1, border = 0;

    constexpr std::size_t along(std::size_t length) const {
        return length + 2 * border < size || step == 0 ? 0 : (length + 2 * border - size) / step + 1;
    }
    constexpr std::size_t height() const { return along(in.height); }
    constexpr std::size_t width() const { return along(in.width); }
    friend constexpr bool operator==(const windows&, const windows&) = default;

    void check(const char* what, const table_shape& from) const {
        in.check(what, from);
        if (size == 0 || height() == 0 || width() == 0)
            throw core::shape_error(core::text("formula: ", what, " of ", size, " x ", size, " positions every ", step,
                                               " (the image has ", in.height, " x ", in.width,
                                               ") make them smaller, and at least 1"));
    }
    /// f(window, position within it, position of the image), borders left out.
    template <class F> void each(const F& f) const {
        for (std::size_t p = 0; p < height(); ++p)
            for (std::size_t q = 0; q < width(); ++q)
                for (std::size_t a = 0; a < size; ++a)
                    for (std::size_t b = 0; b < size; ++b) {
                        const std::size_t y = p * step + a, x = q * step + b;
                        if (y < border || y >= in.height + border || x < border || x >= in.width + border) continue;
                        f(p * width() + q, a * size + b, (y - border) * in.width + x - border);
                    }
    }
};
}  // namespace detail

/// Patches of kernel x kernel positions, one row each: their product with a matrix is a convolution.
struct patches {
    image in;
    std::size_t kernel = 3, step = 1, border = 0;

    static constexpr meeting how = meeting::none;
    friend constexpr bool operator==(const patches&, const patches&) = default;
    constexpr detail::windows windows() const { return {in, kernel, step, border}; }
    constexpr image out() const { return {windows().height(), windows().width(), kernel * kernel * in.channels}; }
    table_shape shape(const table_shape& from) const {
        windows().check("patches", from);
        return {out().positions(), out().channels};
    }
    template <class F> void runs(const table_shape& from, const F& f) const {
        windows().each([&](std::size_t window, std::size_t k, std::size_t position) {
            const auto at = detail::place::of(in, from, position);
            f(at.row, at.column, window, k * in.channels, in.channels);
        });
    }
};

/// The largest, or the mean, of each window x window positions, channel by channel; the derivative of the largest goes to the first
/// of equals.
template <bool Largest> struct pooled {
    image in;
    std::size_t window = 2, step = 2;

    static constexpr meeting how = Largest ? meeting::largest : meeting::added;
    friend constexpr bool operator==(const pooled&, const pooled&) = default;
    constexpr detail::windows windows() const { return {in, window, step, 0}; }
    constexpr double weight() const { return 1.0 / static_cast<double>(window * window); }
    constexpr image out() const { return {windows().height(), windows().width(), in.channels}; }
    table_shape shape(const table_shape& from) const {
        windows().check("pools", from);
        return {out().positions(), in.channels};
    }
    template <class F> void runs(const table_shape& from, const F& f) const {
        windows().each([&](std::size_t target, std::size_t, std::size_t position) {
            const auto at = detail::place::of(in, from, position);
            f(at.row, at.column, target, 0, in.channels);
        });
    }
};
using largest = pooled<true>;
using averaged = pooled<false>;

/// The same numbers in other rows and columns, row by row; columns 0: as many as there are for one row.
struct reshaped {
    std::size_t rows = 1, columns = 0;

    static constexpr meeting how = meeting::none;
    friend constexpr bool operator==(const reshaped&, const reshaped&) = default;
    table_shape shape(const table_shape& from) const {
        const table_shape to{rows, columns > 0 || rows == 0 ? columns : from.size() / rows};
        if (to.size() != from.size())
            throw core::shape_error(core::text("formula: reshape to ", to.rows, " x ", to.columns, " (there are ",
                                               from.rows, " x ", from.columns, " numbers per row) keep their number"));
        return to;
    }
    template <class F> void runs(const table_shape& from, const F& f) const {
        const table_shape to = shape(from);
        for (std::size_t at = 0; at < from.size();) {
            const std::size_t a = at % from.columns, b = at % to.columns;
            const std::size_t left = from.columns - a, right = to.columns - b, n = left < right ? left : right;
            f(at / from.columns, a, at / to.columns, b, n);
            at += n;
        }
    }
};

/// Columns begin <= k < end.
struct sliced {
    std::size_t begin = 0, end = 0;

    static constexpr meeting how = meeting::none;
    friend constexpr bool operator==(const sliced&, const sliced&) = default;
    table_shape shape(const table_shape& from) const {
        if (begin >= end || end > from.columns)
            throw core::shape_error(core::text("formula: slice of columns ", begin, " to ", end, " (there are ",
                                               from.columns, ") choose some of them"));
        return {from.rows, end - begin};
    }
    template <class F> void runs(const table_shape& from, const F& f) const {
        for (std::size_t i = 0; i < from.rows; ++i) f(i, begin, i, std::size_t(0), end - begin);
    }
};

/// Rows and columns exchanged, for each row of the data.
struct turned {
    static constexpr meeting how = meeting::none;
    friend constexpr bool operator==(const turned&, const turned&) = default;
    table_shape shape(const table_shape& from) const { return {from.columns, from.rows}; }
    template <class F> void runs(const table_shape& from, const F& f) const {
        for (std::size_t i = 0; i < from.rows; ++i)
            for (std::size_t k = 0; k < from.columns; ++k) f(i, k, k, i, std::size_t(1));
    }
};

/// As it is.
struct copied {
    static constexpr meeting how = meeting::none;
    friend constexpr bool operator==(const copied&, const copied&) = default;
    table_shape shape(const table_shape& from) const { return from; }
    template <class F> void runs(const table_shape& from, const F& f) const {
        for (std::size_t i = 0; i < from.rows; ++i) f(i, std::size_t(0), i, std::size_t(0), from.columns);
    }
};

}  // namespace gamut::autodiff
