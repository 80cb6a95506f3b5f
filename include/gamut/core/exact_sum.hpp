// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace gamut::core {

/// How partial sums are added up: a policy named by a communicator type.
struct exact {};  ///< the same bits for every order, grouping and number of ranks
struct fast {};   ///< floating point addition in whatever order comes: half the bytes, other bits for other rank counts

/// Sums that do not depend on the order. With e the smallest integer such that |x| < 2^e for all partials x of an
/// entry, wherever they are, every partial is rounded once to a multiple of 2^(e-51); the multiples are added as int64,
/// which is associative. In three steps, between which the caller takes the maximum of the exponents and the sum of
/// the multiples over the ranks:
///     exponents(mine) -> all-reduce(maximum) -> quantize(mine) -> all-reduce(sum) -> restore
/// Error of an entry: at most count 2^-52 2^e <= count 2^-51 max|x|, plus one rounding of the result. Sums of numbers
/// that are multiples of 2^(e-51) (counts, for instance) are exact. Subnormals and overflowing intermediate sums are
/// no special case; an entry with a partial that is not finite becomes NaN.
/// The idea: Demmel and Nguyen, Parallel reproducible summation, IEEE Trans. Computers 64 (2015), with one fold.
namespace exact_sum {

inline constexpr std::int32_t zero = -4096;          ///< exponent of an entry whose partials are all 0
inline constexpr std::int32_t not_finite = 4096;     ///< exponent of an entry with an infinity or a NaN
inline constexpr std::int32_t smallest = -1023;      ///< multiples of 2^(smallest - 51) = 2^-1074 are all there is
inline constexpr int fraction = 51;                  ///< bits kept of the largest partial
inline constexpr std::int64_t most_partials = 4095;  ///< in all, over all ranks: 4095 * 2^51 < 2^63

static_assert(std::numeric_limits<double>::is_iec559 && FLT_EVAL_METHOD == 0,
              "exact_sum: needs IEEE double arithmetic without extra precision (on x86: SSE2, not x87)");

namespace detail {

inline constexpr std::size_t block = 512;  // columns whose intermediate numbers stay in the first-level cache

// 2^n = power(n >> 1) * power(n - (n >> 1)) for all |n| <= 2 * 1022: one factor alone would overflow
constexpr double power(int n) { return std::bit_cast<double>(static_cast<std::uint64_t>(1023 + n) << 52); }

constexpr std::int32_t exponent_above(double largest) {  // e with 2^(e-1) <= largest < 2^e, at least `smallest`
    const auto bits = std::bit_cast<std::uint64_t>(largest);
    if (bits == 0) return zero;
    return bits >> 51 == 0 ? smallest : static_cast<std::int32_t>(bits >> 52) - 1022;
}

}  // namespace detail

}  // namespace exact_sum

/// partials: count x out.size(), row-major. out: this rank's exponents.
inline void exponents(std::span<const double> partials, std::size_t count, std::span<std::int32_t> out) {
    namespace es = exact_sum;
    const std::size_t columns = out.size();
    for (std::size_t begin = 0; begin < columns; begin += es::detail::block) {
        const std::size_t width = std::min(es::detail::block, columns - begin);
        double largest[es::detail::block] = {};
        double poison[es::detail::block] = {};  // 0 * x summed: NaN once an x is not finite
        for (std::size_t row = 0; row < count; ++row) {
            const double* const x = partials.data() + row * columns + begin;
            for (std::size_t j = 0; j < width; ++j) {
                const double size = std::fabs(x[j]);
                largest[j] = size > largest[j] ? size : largest[j];
                poison[j] += 0 * x[j];
            }
        }
        for (std::size_t j = 0; j < width; ++j)
            out[begin + j] = poison[j] == 0 ? es::detail::exponent_above(largest[j]) : es::not_finite;
    }
}

/// partials as above; exponents: agreed by all ranks; out: the sums of this rank's multiples.
inline void quantize(std::span<const double> partials, std::size_t count, std::span<const std::int32_t> exponents,
                     std::span<std::int64_t> out) {
    namespace es = exact_sum;
    // adding 1.5 * 2^52 to |y| < 2^51 leaves round(y) in the low bits: round(y) = bits(y + magic) - bits(magic)
    constexpr double magic = 0x1.8p52;
    constexpr auto offset = std::bit_cast<std::uint64_t>(magic);
    const std::size_t columns = out.size();
    for (std::size_t begin = 0; begin < columns; begin += es::detail::block) {
        const std::size_t width = std::min(es::detail::block, columns - begin);
        double first[es::detail::block], second[es::detail::block];  // y = x * first * second = x * 2^(51 - e)
        std::uint64_t sums[es::detail::block];                       // unsigned: wraps around, is never undefined
        for (std::size_t j = 0; j < width; ++j) {
            const std::int32_t e = exponents[begin + j];
            const bool plain = e != es::zero && e != es::not_finite;
            const int shift = plain ? es::fraction - e : 0;
            first[j] = plain ? es::detail::power(shift >> 1) : 0;
            second[j] = plain ? es::detail::power(shift - (shift >> 1)) : 0;
            sums[j] = 0 - static_cast<std::uint64_t>(count) * offset;
        }
        for (std::size_t row = 0; row < count; ++row) {
            const double* const x = partials.data() + row * columns + begin;
            for (std::size_t j = 0; j < width; ++j)
                sums[j] += std::bit_cast<std::uint64_t>(x[j] * first[j] * second[j] + magic);
        }
        for (std::size_t j = 0; j < width; ++j)
            out[begin + j] = exponents[begin + j] == es::not_finite ? 0 : static_cast<std::int64_t>(sums[j]);
    }
}

/// sums: added over all ranks. out: the sums as doubles, each rounded once.
inline void restore(std::span<const std::int64_t> sums, std::span<const std::int32_t> exponents,
                    std::span<double> out) {
    namespace es = exact_sum;
    for (std::size_t j = 0; j < out.size(); ++j) {
        const std::int32_t e = exponents[j];
        if (e == es::not_finite) {
            out[j] = std::numeric_limits<double>::quiet_NaN();
            continue;
        }
        const int shift = e == es::zero ? 0 : e - es::fraction;
        out[j] = static_cast<double>(sums[j]) * es::detail::power(shift >> 1) * es::detail::power(shift - (shift >> 1));
    }
}

}  // namespace gamut::core
