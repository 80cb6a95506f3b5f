// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <gamut/compressor/concept.hpp>

namespace gamut::compressor {

/// What was not sent is remembered, and sent with what comes next.
///   y = decode(encode(x + kept)),     kept = x + kept - y
/// so that y + kept is what was to be sent, x + kept before, to the rounding of one subtraction: over all rounds nothing is lost.
/// Its messages are those of its compressor. A NaN or infinity that was kept stays.
/// Seide, Fu, Droppo, Li, Yu, 1-bit stochastic gradient descent, Interspeech 2014; Karimireddy et al. 2019 for why it converges.
template <class C> struct error_feedback {
    static_assert(Compressor<C>, "error_feedback: needs a compressor; see gamut/compressor/concept.hpp");
    static_assert(C::contracts,
                  "error_feedback: needs a compressor that contracts (what random_k and quantized leave out may grow); "
                  "they are unbiased, use them alone");

    C compressor{};

    static constexpr std::string_view name = C::name;
    static constexpr bool unbiased = false, contracts = true, needs_error_feedback = false, summable = C::summable;

    template <class T> struct memory {
        std::vector<T> kept{};  ///< as many as numbers are sent; empty: all 0
        memory_of<C, T> inner{};
    };

    std::uint32_t options() const { return detail::options_of(compressor); }
    void validate() const { compressor::validate(compressor); }

    template <class T> void write(turn which, std::span<const T> x, memory<T>& state, bytes& out) const {
        std::vector<T> wanted = with_kept(x, state.kept), sent(x.size());
        const std::size_t begin = out.size();
        detail::write<C, T>(compressor, which, wanted, state.inner, out);
        compressor.read(std::span<const std::uint8_t>(out).subspan(begin), std::span<T>(sent));
        keep<T>(wanted, sent, state.kept);
    }
    template <class T> void read(std::span<const std::uint8_t> payload, std::span<T> out) const {
        compressor.read(payload, out);
    }

    /// As the compressor's; `kept` has the rows of all nodes of this rank.
    template <class T, class Sum>
    requires Summable<C, T>
    void mean(std::uint64_t round, std::span<const T> x, std::size_t n, std::size_t nodes, memory<T>& state,
              std::span<T> out, std::span<T> sent, Sum&& sum) const {
        std::vector<T> wanted = with_kept(x, state.kept), own(sent.empty() ? x.size() : 0);
        const std::span<T> what_was_sent = sent.empty() ? std::span<T>(own) : sent;
        compressor.mean(round, std::span<const T>(wanted), n, nodes, state.inner, out, what_was_sent, sum);
        keep<T>(wanted, what_was_sent, state.kept);
    }

private:
    template <class T> static std::vector<T> with_kept(std::span<const T> x, const std::vector<T>& kept) {
        std::vector<T> wanted(x.begin(), x.end());
        if (kept.empty()) return wanted;
        if (kept.size() != x.size())
            throw core::shape_error(core::text("error_feedback: ", x.size(), " numbers (", kept.size(),
                                               " are remembered) use one memory for messages of one length"));
        for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] += kept[i];
        return wanted;
    }
    template <class T> static void keep(std::vector<T>& wanted, std::span<const T> sent, std::vector<T>& kept) {
        for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] -= sent[i];
        kept.swap(wanted);
    }
};

}  // namespace gamut::compressor
