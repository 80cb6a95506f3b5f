// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/autodiff/parameter.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>

/// A struct whose members are blocks of parameters (and whatever else it needs), as a list of shapes. See parameter.hpp.
namespace gamut::autodiff {

namespace detail {
struct anything {
    template <class T> operator T() const;
};
template <class S, std::size_t... I> constexpr bool takes(std::index_sequence<I...>) {
    return requires { S{(static_cast<void>(I), anything{})...}; };
}
/// How many members an aggregate has.
template <class S, std::size_t N = 24> constexpr std::size_t members() {
    if constexpr (N == 0 || takes<S>(std::make_index_sequence<N>()))
        return N;
    else
        return members<S, N - 1>();
}
/// f of all members.
template <class S, class F> constexpr auto with_members(const S& s, const F& f) {
    constexpr std::size_t n = members<S>();
    static_assert(n >= 1 && n <= 24, "blocks: a struct of 1 to 24 members");
#define GAMUT_MEMBERS(count, ...)                                                                                      \
    if constexpr (n == count) {                                                                                        \
        const auto& [__VA_ARGS__] = s;                                                                                 \
        return f(__VA_ARGS__);                                                                                         \
    } else
    GAMUT_MEMBERS(1, a)
    GAMUT_MEMBERS(2, a, b)
    GAMUT_MEMBERS(3, a, b, c)
    GAMUT_MEMBERS(4, a, b, c, d)
    GAMUT_MEMBERS(5, a, b, c, d, e)
    GAMUT_MEMBERS(6, a, b, c, d, e, g)
    GAMUT_MEMBERS(7, a, b, c, d, e, g, h)
    GAMUT_MEMBERS(8, a, b, c, d, e, g, h, i)
    GAMUT_MEMBERS(9, a, b, c, d, e, g, h, i, j)
    GAMUT_MEMBERS(10, a, b, c, d, e, g, h, i, j, k)
    GAMUT_MEMBERS(11, a, b, c, d, e, g, h, i, j, k, l)
    GAMUT_MEMBERS(12, a, b, c, d, e, g, h, i, j, k, l, m)
    GAMUT_MEMBERS(13, a, b, c, d, e, g, h, i, j, k, l, m, o)
    GAMUT_MEMBERS(14, a, b, c, d, e, g, h, i, j, k, l, m, o, p)
    GAMUT_MEMBERS(15, a, b, c, d, e, g, h, i, j, k, l, m, o, p, q)
    GAMUT_MEMBERS(16, a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r)
    GAMUT_MEMBERS(17, a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, t)
    GAMUT_MEMBERS(18, a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, t, u)
    GAMUT_MEMBERS(19, a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, t, u, v)
    GAMUT_MEMBERS(20, a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, t, u, v, w)
    GAMUT_MEMBERS(21, a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, t, u, v, w, x)
    GAMUT_MEMBERS(22, a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, t, u, v, w, x, y)
    GAMUT_MEMBERS(23, a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, t, u, v, w, x, y, z)
    GAMUT_MEMBERS(24, a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, t, u, v, w, x, y, z, a1) {}
#undef GAMUT_MEMBERS
}
template <class M> inline constexpr bool is_block_member = requires(const M& m) { m.shape_of_block(); };
}  // namespace detail

/// The shapes of the blocks that a struct names, in the order of their numbers. Members that are no blocks are passed over.
/// Throws option_error unless the numbers are 0, 1, ..., each once.
template <class Names> std::vector<block_shape> shapes_of(const Names& names) {
    std::vector<block_shape> shapes;
    std::vector<bool> seen;
    detail::with_members(names, [&](const auto&... member) {
        constexpr std::size_t count =
            (std::size_t(0) + ... + (detail::is_block_member<std::remove_cvref_t<decltype(member)>> ? 1 : 0));
        shapes.resize(count);
        seen.resize(count);
        const auto take = [&](const auto& m) {
            using M = std::remove_cvref_t<decltype(m)>;
            if constexpr (detail::is_block_member<M>) {
                if (M::index >= count || seen[M::index])
                    throw core::option_error(core::text("blocks: one of ", count, " has number ", M::index,
                                                        " (they are 0, 1, ..., each once) number them anew"));
                shapes[M::index] = m.shape_of_block();
                seen[M::index] = true;
            }
        };
        (take(member), ...);
    });
    return shapes;
}

/// Where block b lies in an array of all of them.
template <class Names, class Block> std::size_t offset_of(const Names& names, const Block&) {
    const auto shapes = shapes_of(names);
    std::size_t offset = 0;
    for (std::size_t i = 0; i < Block::index; ++i) offset += shapes[i].size();
    return offset;
}

}  // namespace gamut::autodiff
