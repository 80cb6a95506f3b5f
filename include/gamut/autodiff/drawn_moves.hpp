// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include <gamut/autodiff/cutting.hpp>
#include <gamut/autodiff/leaf.hpp>
#include <gamut/autodiff/node.hpp>
#include <gamut/autodiff/operations.hpp>
#include <gamut/autodiff/steps.hpp>
#include <gamut/autodiff/structure.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/random.hpp>
#include <gamut/core/text.hpp>

/// Moves of numbers (structure.hpp) that are drawn anew for each row of the data and step of the training. An operation says
///     shape(from)                    as the others
///     choose(draws, number)          what is drawn for the row of that number; choice{} is what becomes of it where nothing is trained
///     runs(from, choice, f)          as the others; what no run leads to is 0
/// Derivatives follow: numbers go along the runs that were drawn, and back.
namespace gamut::autodiff {

/// Pictures moved by up to `pixels` positions down, up, right and left, each place as likely as the others, with zeros where nothing
/// comes from; and with `flip` half of them mirrored, left for right, before.
struct shifted {
    image in;
    std::size_t pixels = 0;
    bool flip = false;

    struct choice {
        std::ptrdiff_t down = 0, right = 0;
        bool mirrored = false;
        friend constexpr bool operator==(const choice&, const choice&) = default;
    };

    friend constexpr bool operator==(const shifted&, const shifted&) = default;
    table_shape shape(const table_shape& from) const {
        in.check("shifts", from);
        if (pixels >= std::min(in.height, in.width))
            throw core::shape_error(core::text("formula: shifts by up to ", pixels, " positions (the image has ",
                                               in.height, " x ", in.width,
                                               ") shift by less, and say the picture that it is"));
        return from;
    }
    choice choose(const core::random& draws, std::size_t number) const {
        const auto places = 2 * pixels + 1;
        const auto place = [&](std::size_t which) {
            return pixels == 0 ? std::ptrdiff_t(0)
                               : static_cast<std::ptrdiff_t>(draws.below(3 * number + which, places)) -
                                     static_cast<std::ptrdiff_t>(pixels);
        };
        return {place(0), place(1), flip && draws.bits(3 * number + 2) >> 63 != 0};
    }
    template <class F> void runs(const table_shape& from, const choice& how, const F& f) const {
        if (how == choice{}) {
            for (std::size_t i = 0; i < from.rows; ++i) f(i, std::size_t(0), i, std::size_t(0), from.columns);
            return;
        }
        const auto height = static_cast<std::ptrdiff_t>(in.height), width = static_cast<std::ptrdiff_t>(in.width);
        const auto go = [&](std::ptrdiff_t y, std::ptrdiff_t x, std::ptrdiff_t to_y, std::ptrdiff_t to_x,
                            std::size_t positions) {
            const auto a = detail::place::of(in, from, static_cast<std::size_t>(y * width + x));
            const auto b = detail::place::of(in, from, static_cast<std::size_t>(to_y * width + to_x));
            f(a.row, a.column, b.row, b.column, positions * in.channels);
        };
        // a line of positions at once, where they follow each other in memory both here and there
        const bool lines = from.rows == 1 && !how.mirrored;
        const std::ptrdiff_t first = std::max<std::ptrdiff_t>(how.right, 0), last = std::min(width + how.right, width);
        for (std::ptrdiff_t y = std::max<std::ptrdiff_t>(how.down, 0); y < std::min(height + how.down, height); ++y) {
            if (lines) {
                go(y - how.down, first - how.right, y, first, static_cast<std::size_t>(last - first));
                continue;
            }
            for (std::ptrdiff_t x = first; x < last; ++x) {
                const std::ptrdiff_t before = x - how.right;
                go(y - how.down, how.mirrored ? width - 1 - before : before, y, x, 1);
            }
        }
    }
};

/// op(a), drawn for each row of the data.
template <class Op, class A, std::size_t Tag> struct moved_at_random : detail::step_node<shape::table, A::active> {
    Op op;
    A a;
    constexpr moved_at_random(Op o, A operand) : op(o), a(operand) {}
    constexpr moved_at_random node() const { return *this; }

    template <class S> constexpr auto make_step(const S& steps) const {
        const auto m = detail::cut_operand<0>(steps, a);
        using operand = std::remove_cvref_t<decltype(m.formula)>;
        return detail::append(m.steps, drawn_move_step<Op, operand, Tag>{op});
    }
};
/// For (seed, step of the training, row): the same on any rank, however often it is computed. Where nothing is trained, a itself.
template <std::size_t Tag = 0, class Op, Expression A> constexpr auto move_at_random(const Op& op, const A& a) {
    static_assert(shape_of<A> == shape::table, "formula: moves of numbers need one value per row and output");
    return moved_at_random<Op, node_type<A>, Tag>(op, a.node());
}
template <std::size_t Tag = 0, class Op> constexpr auto move_at_random(const Op& op, data) {
    return move_at_random<Tag>(op, inputs{});
}

}  // namespace gamut::autodiff
