// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <gamut/compressor/concept.hpp>
#include <gamut/compressor/contracted.hpp>

namespace gamut::compressor {

/// What was not sent is remembered, and sent with what comes next.
///   y = decode(encode(x + kept)),     kept = x + kept - y
/// so that y + kept is what was to be sent, x + kept before, to the rounding of one subtraction: over all rounds nothing is lost.
/// Its messages are those of its compressor. One that is unbiased because it multiplies what it sends (random_k, quantized) would remember
/// more and more; its numbers are heard without that factor, see contracted.hpp: with random_k of 10 % a number waits for ten rounds,
/// on average, and is then sent as all that it was to be in them. If the mean of |y - x|^2 is at most (1 - c) |x|^2, that of |kept|^2 is
/// at most 4 (1 - c) / c^2 times the largest |x|^2.
/// A NaN or infinity that was kept stays.
/// Seide, Fu, Droppo, Li, Yu, 1-bit stochastic gradient descent, Interspeech 2014; Karimireddy et al. 2019 for why it converges.
template <class C> struct error_feedback {
    static_assert(Compressor<C>, "error_feedback: needs a compressor; see gamut/compressor/concept.hpp");
    static_assert(
        C::contracts || requires(const C& c, std::size_t n) { c.variance(n); },
        "error_feedback: needs a compressor that contracts, or an unbiased one with a variance(n) by which to shorten "
        "its numbers (what others leave out, error_feedback itself among them, may grow for ever)");

    C compressor{};

    static constexpr std::string_view name = C::name;
    static constexpr bool unbiased = false, contracts = false, needs_error_feedback = false, summable = C::summable;
    static constexpr bool fixed_length = has_fixed_length<C>;

    template <class T> struct memory {
        std::vector<T> kept{};  ///< as many as numbers are sent; empty: all 0
        std::vector<T> sent{};  ///< room for the last message's numbers
        memory_of<C, T> inner{};

        template <class Each> void describe(Each& each) {
            each.of_nodes("kept", kept);
            each("inner", inner);
        }
    };

    std::uint32_t options() const { return detail::options_of(compressor); }
    void validate() const { compressor::validate(compressor); }

    template <class T> void write(turn which, std::span<const T> x, memory<T>& state, bytes& out) const {
        validate();
        add(x, state);
        const std::size_t begin = out.size();
        detail::write<C, T>(compressor, which, state.kept, state.inner, out);
        read(std::span<const std::uint8_t>(out).subspan(begin), std::span<T>(state.sent));
        subtract(state);
    }
    template <class T> void read(std::span<const std::uint8_t> payload, std::span<T> out) const {
        contracting<C>{compressor}.read(payload, out);
    }

    /// As the compressor's; `kept` has the rows of all nodes of this rank.
    template <class T, class Sum>
    requires Summable<C, T>
    void mean(std::uint64_t round, std::span<const T> x, std::size_t n, std::size_t nodes, memory<T>& state,
              std::span<T> out, std::span<T> sent, Sum&& sum) const {
        validate();
        add(x, state);
        contracting<C>{compressor}.mean(round, std::span<const T>(state.kept), n, nodes, state.inner, out,
                                        std::span<T>(state.sent), sum);
        if (!sent.empty()) std::copy(state.sent.begin(), state.sent.end(), sent.begin());
        subtract(state);
    }

private:
    /// kept becomes what is to be sent.
    template <class T> static void add(std::span<const T> x, memory<T>& state) {
        if (state.kept.empty()) state.kept.resize(x.size());
        if (state.kept.size() != x.size())
            throw core::shape_error(core::text("error_feedback: ", x.size(), " numbers (", state.kept.size(),
                                               " are remembered) use one memory for messages of one length"));
        state.sent.resize(x.size());
        for (std::size_t i = 0; i < x.size(); ++i) state.kept[i] += x[i];
    }
    template <class T> static void subtract(memory<T>& state) {
        for (std::size_t i = 0; i < state.kept.size(); ++i) state.kept[i] -= state.sent[i];
    }
};

}  // namespace gamut::compressor
