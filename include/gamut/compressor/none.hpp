// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <gamut/compressor/concept.hpp>

namespace gamut::compressor {

/// The numbers as they are, bit for bit.
struct none {
    static constexpr std::string_view name = "none";
    static constexpr bool unbiased = true, contracts = true, needs_error_feedback = false, summable = true;
    static constexpr bool fixed_length = true;

    template <class T> void write(turn, std::span<const T> x, bytes& out) const {
        detail::append(out, x.data(), x.size());
    }
    template <class T> void read(std::span<const std::uint8_t> payload, std::span<T> out) const {
        detail::check_length(name, payload, out.size(), out.size_bytes());
        detail::take(payload.data(), out.data(), out.size());
    }

    /// One sum of n numbers.
    template <class T, class Sum>
    void mean(std::uint64_t, std::span<const T> x, std::size_t n, std::size_t nodes, nothing&, std::span<T> out,
              std::span<T> sent, Sum&& sum) const {
        const std::vector<double> partials(x.begin(), x.end());
        std::vector<double> total(n);
        sum(std::span<const double>(partials), n > 0 ? x.size() / n : 0, std::span<double>(total));
        for (std::size_t j = 0; j < n; ++j) out[j] = static_cast<T>(total[j] / static_cast<double>(nodes));
        if (!sent.empty()) std::copy(x.begin(), x.end(), sent.begin());
    }
};

}  // namespace gamut::compressor
