// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <gamut/compressor/concept.hpp>
#include <gamut/compressor/detail/draws.hpp>
#include <gamut/compressor/detail/share.hpp>

namespace gamut::compressor {

/// Some numbers at places drawn at random, 0 for all others: `count` of them, or else a `share` of all, at least one.
///   y_i = n / k x_i  at k of n places, every set of k equally likely
/// Unbiased; its variance is (n / k - 1) x_i^2. In a round all nodes draw the same places, from the seed, so that no places
/// travel and numbers can be added up on their way. NaN and infinities that are not drawn are not seen.
/// error_feedback leaves the factor n / k out (contracted.hpp): then y_i = x_i, and the mean of |y - x|^2 is (1 - k / n) |x|^2.
/// Stich, Cordonnier, Jaggi, Sparsified SGD with memory, NeurIPS 2018; places by Floyd's algorithm (Bentley and Floyd 1987).
struct random_k {
    double share = 0.1;
    std::size_t count = 0;
    std::uint64_t seed = 1;

    static constexpr std::string_view name = "random_k";
    static constexpr bool unbiased = true, contracts = false, needs_error_feedback = false, summable = true;
    static constexpr bool fixed_length = true;

    void validate() const { detail::check_share(name, share, count); }
    double variance(std::size_t n) const { return factor(n) - 1; }

    template <class T> void write(turn which, std::span<const T> x, bytes& out) const {
        validate();
        if (x.empty()) return;
        const std::size_t k = detail::how_many(share, count, x.size());
        out.reserve(out.size() + sizeof(std::uint64_t) + k * sizeof(T));
        detail::append(out, which.round);
        std::vector<T> values;
        values.reserve(k);
        places(which.round, k, x.size(), [&](std::size_t i) { values.push_back(x[i]); });
        detail::append(out, values.data(), values.size());
    }
    template <class T> void read(std::span<const std::uint8_t> payload, std::span<T> out) const {
        read(payload, out, factor(out.size()));
    }
    template <class T> void read_contracted(std::span<const std::uint8_t> payload, std::span<T> out) const {
        read(payload, out, 1);
    }

    /// One sum of k numbers.
    template <class T, class Sum>
    void mean(std::uint64_t round, std::span<const T> x, std::size_t n, std::size_t nodes, nothing&, std::span<T> out,
              std::span<T> sent, Sum&& sum) const {
        mean(round, x, n, nodes, out, sent, sum, factor(n));
    }
    template <class T, class Sum>
    void mean_contracted(std::uint64_t round, std::span<const T> x, std::size_t n, std::size_t nodes, nothing&,
                         std::span<T> out, std::span<T> sent, Sum&& sum) const {
        mean(round, x, n, nodes, out, sent, sum, 1);
    }

private:
    /// n / k
    double factor(std::size_t n) const {
        return n > 0 ? static_cast<double>(n) / static_cast<double>(detail::how_many(share, count, n)) : 1;
    }
    template <class T> void read(std::span<const std::uint8_t> payload, std::span<T> out, double scale) const {
        validate();
        const std::size_t n = out.size(), k = n > 0 ? detail::how_many(share, count, n) : 0;
        detail::check_length(name, payload, n, n > 0 ? sizeof(std::uint64_t) + k * sizeof(T) : 0);
        std::fill(out.begin(), out.end(), T(0));
        if (n == 0) return;
        const std::uint8_t* value = payload.data() + sizeof(std::uint64_t);
        places(detail::take<std::uint64_t>(payload.data()), k, n, [&](std::size_t i) {
            out[i] = static_cast<T>(scale * static_cast<double>(detail::take<T>(value)));
            value += sizeof(T);
        });
    }
    template <class T, class Sum>
    void mean(std::uint64_t round, std::span<const T> x, std::size_t n, std::size_t nodes, std::span<T> out,
              std::span<T> sent, Sum&& sum, double scale) const {
        validate();
        std::fill(out.begin(), out.end(), T(0));
        std::fill(sent.begin(), sent.end(), T(0));
        const std::size_t k = n > 0 ? detail::how_many(share, count, n) : 0, mine = n > 0 ? x.size() / n : 0;
        std::vector<std::size_t> at;
        places(round, k, n, [&](std::size_t i) { at.push_back(i); });
        std::vector<double> partials(mine * k), total(k);
        for (std::size_t node = 0; node < mine; ++node)
            for (std::size_t entry = 0; entry < k; ++entry) {
                const double value = scale * static_cast<double>(x[node * n + at[entry]]);
                partials[node * k + entry] = value;
                if (!sent.empty()) sent[node * n + at[entry]] = static_cast<T>(value);
            }
        sum(std::span<const double>(partials), mine, std::span<double>(total));
        for (std::size_t entry = 0; entry < k; ++entry)
            out[at[entry]] = static_cast<T>(total[entry] / static_cast<double>(nodes));
    }
    /// take(i) for k of n places, in ascending order. k draws, and a bit for every place.
    template <class Take> void places(std::uint64_t round, std::size_t k, std::size_t n, Take&& take) const {
        const core::random source = detail::draws(seed, {.round = round, .node = 0}, 2);
        std::vector<std::uint64_t> drawn((n + 63) / 64);
        const auto is_new = [&](std::size_t i) {
            const std::uint64_t bit = std::uint64_t{1} << (i % 64), before = drawn[i / 64];
            drawn[i / 64] |= bit;
            return (before & bit) == 0;
        };
        for (std::size_t last = n - k; last < n; ++last)
            if (!is_new(source.below(last, last + 1))) is_new(last);
        for (std::size_t w = 0; w < drawn.size(); ++w)
            for (std::uint64_t word = drawn[w]; word != 0; word &= word - 1)
                take(64 * w + static_cast<std::size_t>(std::countr_zero(word)));
    }
};

}  // namespace gamut::compressor
