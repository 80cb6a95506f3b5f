// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

#include <gamut/compressor/bfloat.hpp>
#include <gamut/compressor/concept.hpp>
#include <gamut/compressor/contracted.hpp>
#include <gamut/compressor/error_feedback.hpp>
#include <gamut/compressor/half.hpp>
#include <gamut/compressor/int8.hpp>
#include <gamut/compressor/low_rank.hpp>
#include <gamut/compressor/none.hpp>
#include <gamut/compressor/quantized.hpp>
#include <gamut/compressor/random_k.hpp>
#include <gamut/compressor/sign.hpp>
#include <gamut/compressor/top_k.hpp>
#include <gamut/core/random.hpp>

/// A compressor as the documentation tells users to write one: every second number, the others 0.
struct every_second {
    static constexpr std::string_view name = "every_second";
    static constexpr bool unbiased = false, contracts = false, needs_error_feedback = true, summable = false;

    template <class T> void write(gamut::compressor::turn, std::span<const T> x, gamut::compressor::bytes& out) const {
        for (std::size_t i = 0; i < x.size(); i += 2) gamut::compressor::detail::append(out, x[i]);
    }
    template <class T> void read(std::span<const std::uint8_t> payload, std::span<T> out) const {
        gamut::compressor::detail::check_length(name, payload, out.size(), (out.size() + 1) / 2 * sizeof(T));
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = i % 2 == 0 ? gamut::compressor::detail::take<T>(payload.data() + i / 2 * sizeof(T)) : T(0);
    }
};

namespace shipped {

using namespace gamut::compressor;

inline const auto plain =
    std::make_tuple(none{}, half{}, bfloat{}, int8{}, int8{.block = 7}, quantized{}, quantized{.bits = 2, .bucket = 40},
                    quantized{.bits = 7, .bucket = 64}, sign{}, top_k{}, top_k{.share = 0.3}, top_k{.count = 3},
                    top_k{.share = 0.2, .packed = true}, random_k{}, random_k{.count = 5}, random_k{.share = 1},
                    low_rank{}, low_rank{.rank = 1, .rows = 3}, low_rank{.rank = 50}, every_second{});

inline const auto remembering =
    std::make_tuple(error_feedback<none>{}, error_feedback<half>{}, error_feedback<bfloat>{}, error_feedback<int8>{},
                    error_feedback<sign>{}, error_feedback{top_k{.share = 0.1}},
                    error_feedback{top_k{.share = 0.1, .packed = true}}, error_feedback{low_rank{.rank = 1}},
                    error_feedback{random_k{.share = 0.2}}, error_feedback{quantized{.bits = 3, .bucket = 40}});

inline const auto shorter =
    std::make_tuple(contracted<random_k>{}, contracted{random_k{.count = 5}}, contracted<quantized>{},
                    contracted{quantized{.bits = 2, .bucket = 40}}, contracted{quantized{.bits = 8}});

template <class F> void for_each_remembering(F&& f) {
    std::apply([&](const auto&... c) { (f(c), ...); }, remembering);
}
template <class F> void for_each(F&& f) {
    std::apply([&](const auto&... c) { (f(c), ...); }, plain);
    for_each_remembering(f);
    std::apply([&](const auto&... c) { (f(c), ...); }, shorter);
}

template <class T> std::vector<T> normals(std::size_t n, std::uint64_t stream = 0) {
    const gamut::core::random draws{.seed = 5, .stream = stream};
    std::vector<T> x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<T>(draws.normal(i));
    return x;
}

/// The first message of a new memory.
template <class T, class C> bytes message_of(const C& c, const std::vector<T>& x, turn which = {}) {
    memory_of<C, T> memory;
    bytes message{1, 2, 3};  // what was there is not part of the message
    encode<T>(c, which, x, memory, message);
    return message;
}

template <class T, class C> std::vector<T> numbers_of(const C& c, const bytes& message, std::size_t n) {
    std::vector<T> y(n, T(77));
    decode<T>(c, message, y);
    return y;
}

template <class T, class C> std::vector<T> sent(const C& c, const std::vector<T>& x, turn which = {}) {
    return numbers_of<T>(c, message_of(c, x, which), x.size());
}

}  // namespace shipped
