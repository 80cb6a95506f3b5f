// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <gamut/compressor/detail/message.hpp>
#include <gamut/core/error.hpp>

/// What a message about numbers looks like: fewer bytes, and what is lost by that.
///
///     encode(c, turn, x, memory, bytes)     numbers become a message
///     decode(c, bytes, y)                   a message becomes as many numbers
///
/// A compressor is a struct of options that says
///
///     name                    for messages and errors
///     unbiased                the mean of y over the draws is x
///     contracts               |y - x| <= q |x| with q < 1, whatever x is: error feedback remembers a bounded amount
///     needs_error_feedback    what it leaves out is left out for ever unless somebody remembers it
///     summable                it has mean(...), see Summable: messages may be added up on their way
///     write(turn, x, bytes)   appends its part of the message; or write(turn, x, memory, bytes) with a template memory<T>, which
///                             a checkpoint can hold if it says describe(each), see stored_memory.hpp
///     read(payload, y)        fills y from that part; throws communicator_error for a part that it can't have written
///
/// and optionally
///
///     options()               32 bits that sender and receiver must share
///     validate()              throws option_error
///     fixed_length            true: messages about as many numbers of a type are equally long, so nobody need say how long
///     variance(n)             of one that is unbiased: the mean of |y - x|^2 is at most variance(n) |x|^2 for n numbers
///     read_contracted(...)    as read, and mean_contracted(...) as mean: the numbers without the factor that makes them unbiased, where
///                             that is more exact than to multiply them by contraction(c, n); see contracted.hpp
///
/// The same x, turn, seed and memory give the same bytes. Numbers are in the byte order of the machine; all ranks share it.
///
/// Nanoseconds a float, encode / decode, on one core at -O3 where copying takes 0.4: none 0.4 / 0.3, bfloat 0.5 / 0.2, int8 0.5 / 0.2,
/// sign 0.6 / 0.4, half 0.9 / 0.4, low_rank 2.3 / 1.7, random_k of 10 % 2.8 / 3.8, top_k of 1 % 3.9 / 0.1, quantized 9.5 / 0.4 (draws).
namespace gamut::compressor {

using bytes = std::vector<std::uint8_t>;

/// Which message it is. Random draws are functions of the seed and this: no order of calls, no state.
struct turn {
    std::uint64_t round = 0;  ///< of meeting
    std::uint64_t node = 0;   ///< whose numbers
};

/// The memory of who remembers nothing.
struct nothing {};

namespace detail {
template <class C, class T> struct memory_type { using type = nothing; };
template <class C, class T>
requires requires { typename C::template memory<T>; }
struct memory_type<C, T> {
    using type = typename C::template memory<T>;
};
}  // namespace detail

/// What a compressor remembers from message to message; one for each node, made by its default constructor.
template <class C, class T> using memory_of = typename detail::memory_type<C, T>::type;

namespace detail {

template <class C, class T>
void write(const C& c, turn which, std::span<const T> x, memory_of<C, T>& memory, bytes& out) {
    if constexpr (requires { c.write(which, x, memory, out); })
        c.write(which, x, memory, out);
    else
        c.write(which, x, out);
}

template <class C> std::uint32_t options_of(const C& c) {
    if constexpr (requires { c.options(); })
        return c.options();
    else
        return 0;
}

}  // namespace detail

template <class C, class T = float>
concept Compressor = requires(const C& c, turn which, std::span<const T> x, memory_of<C, T>& memory, bytes& out,
                              std::span<const std::uint8_t> payload, std::span<T> y) {
    { C::name } -> std::convertible_to<std::string_view>;
    { std::bool_constant<C::unbiased>::value } -> std::same_as<const bool&>;
    { std::bool_constant<C::contracts>::value } -> std::same_as<const bool&>;
    { std::bool_constant<C::needs_error_feedback>::value } -> std::same_as<const bool&>;
    { std::bool_constant<C::summable>::value } -> std::same_as<const bool&>;
    requires requires { c.write(which, x, memory, out); } || requires {
        c.write(which, x, out);
    };
    c.read(payload, y);
};

namespace detail {
struct adds {
    void operator()(std::span<const double>, std::size_t, std::span<double>) const {}
};
}  // namespace detail

/// The mean of vectors, found by adding up fewer numbers than they have:
///   c.mean(round, x, n, nodes, memory, out, sent, sum)
///     x        the vectors of this rank's nodes, row-major, n numbers each, maybe none
///     nodes    how many there are on all ranks together
///     memory   the same on all ranks, and so it stays
///     out      n numbers: the mean of what the nodes sent, the same on all ranks
///     sent     as x, or empty: what each of them sent, so that out is the mean of these
///     sum      sum(partials, count, totals): count rows of doubles, added up over all ranks
template <class C, class T = float>
concept Summable = Compressor<C, T> && C::summable &&
    requires(const C& c, std::span<const T> x, std::size_t n, memory_of<C, T>& memory, std::span<T> out) {
    c.mean(std::uint64_t(0), x, n, n, memory, out, out, detail::adds{});
};

/// Checks the options of a compressor that has a `validate`; throws option_error.
template <class C> void validate(const C& c) {
    if constexpr (requires { c.validate(); }) c.validate();
}

/// Messages about as many numbers are equally long.
template <class C> inline constexpr bool has_fixed_length = requires { requires C::fixed_length; };

/// What to multiply y by so that it contracts, |c y - x| <= q |x| with q < 1 (in the mean, if y is drawn): 1 where it does already,
/// else 1 / (1 + variance(n)).   Koloskova, Stich and Jaggi 2019, section 2.
template <class C> double contraction(const C& c, [[maybe_unused]] std::size_t n) {
    static_assert(
        C::contracts || requires { c.variance(n); },
        "compressor: needs to contract, or a variance(n) that says how much shorter its numbers must become "
        "to do so; see gamut/compressor/concept.hpp");
    if constexpr (C::contracts)
        return 1;
    else
        return 1 / (1 + c.variance(n));
}

/// x becomes a message, in place of what was in `out`. 20 bytes say what follows.
template <class T, Compressor<T> C>
void encode(const C& c, turn which, std::span<const T> x, memory_of<C, T>& memory, bytes& out) {
    out.clear();
    detail::put_header(out, C::name, sizeof(T), x.size(), detail::options_of(c));
    detail::write<C, T>(c, which, x, memory, out);
}

/// The same for a compressor that remembers nothing.
template <class T, Compressor<T> C>
requires std::same_as<memory_of<C, T>, nothing>
void encode(const C& c, turn which, std::span<const T> x, bytes& out) {
    nothing memory;
    encode<T>(c, which, x, memory, out);
}

/// The numbers of a message. Throws communicator_error if it is no message of this compressor about out.size() numbers of
/// type T; never reads outside of it. `out` may have been written to by then.
template <class T, Compressor<T> C> void decode(const C& c, std::span<const std::uint8_t> message, std::span<T> out) {
    c.read(detail::payload_of(message, C::name, sizeof(T), out.size(), detail::options_of(c)), out);
}

}  // namespace gamut::compressor
