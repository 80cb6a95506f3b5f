// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include <gamut/compressor/concept.hpp>

namespace gamut::compressor {

/// An unbiased compressor whose numbers are made shorter until it contracts: the same messages, heard differently.
///   y = c decode(...),     c = contraction(compressor, n) = 1 / (1 + variance(n))
///   mean of |y - x|^2 <= (1 - c) |x|^2
/// With random_k that is x_i itself at the places drawn. Biased, so somebody must remember what it leaves out: error_feedback makes
/// one of each compressor that does not contract.   Koloskova, Stich and Jaggi 2019, section 2.
template <class C> struct contracted {
    static_assert(Compressor<C>, "contracted: needs a compressor; see gamut/compressor/concept.hpp");
    static_assert(!C::contracts, "contracted: this compressor contracts already; use it as it is");

    C compressor{};

    static constexpr std::string_view name = C::name;
    static constexpr bool unbiased = false, contracts = true, needs_error_feedback = true, summable = C::summable;
    static constexpr bool fixed_length = has_fixed_length<C>;
    template <class T> using memory = memory_of<C, T>;

    std::uint32_t options() const { return detail::options_of(compressor); }
    void validate() const { compressor::validate(compressor); }

    template <class T> void write(turn which, std::span<const T> x, memory<T>& state, bytes& out) const {
        detail::write<C, T>(compressor, which, x, state, out);
    }
    template <class T> void read(std::span<const std::uint8_t> payload, std::span<T> out) const {
        if constexpr (requires { compressor.read_contracted(payload, out); }) {
            compressor.read_contracted(payload, out);
        } else {
            compressor.read(payload, out);
            shorten(out.size(), out);
        }
    }
    template <class T, class Sum>
    requires Summable<C, T>
    void mean(std::uint64_t round, std::span<const T> x, std::size_t n, std::size_t nodes, memory<T>& state,
              std::span<T> out, std::span<T> sent, Sum&& sum) const {
        if constexpr (requires { compressor.mean_contracted(round, x, n, nodes, state, out, sent, sum); }) {
            compressor.mean_contracted(round, x, n, nodes, state, out, sent, sum);
        } else {
            compressor.mean(round, x, n, nodes, state, out, sent, sum);
            shorten(n, out);
            shorten(n, sent);
        }
    }

private:
    template <class T> void shorten(std::size_t n, std::span<T> y) const {
        const double c = contraction(compressor, n);
        for (T& entry : y) entry = static_cast<T>(c * static_cast<double>(entry));
    }
};

namespace detail {
template <class C> struct contracting { using type = C; };
template <class C>
requires(!C::contracts) struct contracting<C> {
    using type = contracted<C>;
};
}  // namespace detail

/// C where it contracts, else contracted<C>.
template <class C> using contracting = typename detail::contracting<C>::type;

}  // namespace gamut::compressor
