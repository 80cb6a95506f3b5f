// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include <gamut/compressor/concept.hpp>
#include <gamut/compressor/detail/bits.hpp>
#include <gamut/compressor/detail/largest.hpp>
#include <gamut/compressor/detail/share.hpp>

namespace gamut::compressor {

/// The largest numbers and their places, 0 for all others: `count` of them, or else a `share` of all, at least one.
/// Of equal ones the first. NaN counts as the largest, so that it is sent. Biased: what is small is never heard of without
/// error_feedback. A place takes 4 bytes (8 beyond 2^32 numbers), or with `packed` as many bits as places need.
/// Aji and Heafield, Sparse communication for distributed gradient descent, EMNLP 2017.
struct top_k {
    double share = 0.01;
    std::size_t count = 0;
    bool packed = false;

    static constexpr std::string_view name = "top_k";
    static constexpr bool unbiased = false, contracts = true, needs_error_feedback = true, summable = false;
    static constexpr bool fixed_length = true;

    std::uint32_t options() const { return packed ? 1 : 0; }
    void validate() const { detail::check_share(name, share, count); }

    template <class T> void write(turn, std::span<const T> x, bytes& out) const {
        validate();
        if (x.empty()) return;
        const std::size_t n = x.size(), k = detail::how_many(share, count, n);
        out.reserve(out.size() + size_of<T>(n));
        std::vector<T> values;
        values.reserve(k);
        const unsigned width = width_of(n);
        detail::bit_writer places(out);
        detail::largest(x, k, [&](std::size_t i) {
            places.put(static_cast<std::uint32_t>(i), std::min(width, 32u));
            if (width > 32) places.put(static_cast<std::uint32_t>(std::uint64_t{i} >> 32), width - 32);
            values.push_back(x[i]);
        });
        places.finish();
        detail::append(out, values.data(), k);
    }
    template <class T> void read(std::span<const std::uint8_t> payload, std::span<T> out) const {
        validate();
        const std::size_t n = out.size();
        detail::check_length(name, payload, n, size_of<T>(n));
        std::fill(out.begin(), out.end(), T(0));
        if (n == 0) return;
        const std::size_t k = detail::how_many(share, count, n);
        const unsigned width = width_of(n);
        detail::bit_reader places(payload.first(detail::packed_bytes(k, width)));
        const std::uint8_t* value = payload.data() + detail::packed_bytes(k, width);
        std::uint64_t least = 0;
        for (std::size_t entry = 0; entry < k; ++entry, value += sizeof(T)) {
            std::uint64_t i = places.get(std::min(width, 32u));
            if (width > 32) i |= std::uint64_t{places.get(width - 32)} << 32;
            if (i < least || i >= n)
                detail::refuse(name, core::text("place ", i, " of ", n,
                                                " (places ascend and lie within) the message was damaged on its way"));
            out[i] = detail::take<T>(value);
            least = i + 1;
        }
    }

private:
    unsigned width_of(std::size_t n) const {
        if (packed) return static_cast<unsigned>(std::bit_width(n - 1));
        return n - 1 > std::numeric_limits<std::uint32_t>::max() ? 64 : 32;
    }
    template <class T> std::size_t size_of(std::size_t n) const {
        if (n == 0) return 0;
        const std::size_t k = detail::how_many(share, count, n);
        return detail::packed_bytes(k, width_of(n)) + k * sizeof(T);
    }
};

}  // namespace gamut::compressor
