// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

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

inline constexpr std::int32_t smallest = -1023;      ///< least exponent: no double is finer than 2^(-1023 - 51)
inline constexpr std::int32_t not_finite = 1025;     ///< greatest exponent: an infinity or a NaN is among the partials
inline constexpr int fraction = 51;                  ///< bits kept of the largest partial
inline constexpr std::int64_t most_partials = 4095;  ///< in all, over all ranks: 4095 * 2^51 < 2^63

static_assert(std::numeric_limits<double>::is_iec559 && FLT_EVAL_METHOD == 0,
              "exact_sum: needs IEEE double arithmetic without extra precision (on x86: SSE2, not x87)");

inline constexpr std::size_t block = 512;  // columns whose intermediate numbers stay in the first-level cache

// 2^n as power(n >> 1) * power(n - (n >> 1)): one factor alone would not do for |n| > 1022
constexpr double power(std::int32_t n) {
    return std::bit_cast<double>(std::uint64_t{static_cast<std::uint32_t>(1023 + n) << 20} << 32);
}

// sign cleared, exponent and 20 bits: ordered like the numbers, infinities and NaN last
constexpr std::int32_t high_word(double x) {
    return static_cast<std::int32_t>(std::bit_cast<std::uint64_t>(x) >> 32) & 0x7fffffff;
}

// all bits set for an entry that is not finite, none for others; a branch would keep a loop from becoming vectors
constexpr std::uint64_t mask(std::int32_t exponent) { return 0 - std::uint64_t{exponent == not_finite}; }

// static_cast<double>(x), rounded once, in operations that plain SSE2 has for vectors: high * 2^32 is exact, and so is low
constexpr double to_double(std::int64_t x) {
    const auto bits = static_cast<std::uint64_t>(x);
    const double high = static_cast<std::int32_t>(bits >> 32);
    const double low = std::bit_cast<double>((bits & 0xffffffff) | std::bit_cast<std::uint64_t>(0x1p52)) - 0x1p52;
    return high * 0x1p32 + low;
}

}  // namespace exact_sum

/// partials: count x out.size(), row-major. out: this rank's exponents.
inline void exponents(std::span<const double> partials, std::size_t count, std::span<std::int32_t> out) {
    const std::size_t columns = out.size();
    for (std::size_t begin = 0; begin < columns; begin += exact_sum::block) {
        const std::size_t width = std::min(exact_sum::block, columns - begin);
        const double* x = partials.data() + begin;
        std::int32_t largest[exact_sum::block] = {};
        std::size_t row = 0;
        for (; row + 2 <= count; row += 2, x += 2 * columns)
            for (std::size_t j = 0; j < width; ++j)
                largest[j] =
                    std::max(largest[j], std::max(exact_sum::high_word(x[j]), exact_sum::high_word(x[j + columns])));
        for (; row < count; ++row, x += columns)
            for (std::size_t j = 0; j < width; ++j) largest[j] = std::max(largest[j], exact_sum::high_word(x[j]));
        // biased exponent b: |x| < 2^(b - 1022), and half of that for a subnormal with a clear bit 19
        for (std::size_t j = 0; j < width; ++j)
            out[begin + j] = (largest[j] >> 20) - 1022 - (largest[j] < 0x80000 ? 1 : 0);
    }
}

/// partials as above; exponents: agreed by all ranks; out: the sums of this rank's multiples.
inline void quantize(std::span<const double> partials, std::size_t count, std::span<const std::int32_t> exponents,
                     std::span<std::int64_t> out) {
    // adding 1.5 * 2^52 to |y| < 2^51 leaves round(y) in the low bits: round(y) = bits(y + magic) - bits(magic)
    constexpr double magic = 0x1.8p52;
    constexpr auto offset = std::bit_cast<std::uint64_t>(magic);
    const std::size_t columns = out.size();
    for (std::size_t begin = 0; begin < columns; begin += exact_sum::block) {
        const std::size_t width = std::min(exact_sum::block, columns - begin);
        const std::int32_t* const e = exponents.data() + begin;
        const double* x = partials.data() + begin;
        double first[exact_sum::block], second[exact_sum::block];  // y = x * first * second = x * 2^(51 - e)
        std::uint64_t sums[exact_sum::block];                      // unsigned: wraps around, is never undefined
        for (std::size_t j = 0; j < width; ++j) {
            const std::int32_t shift = exact_sum::fraction - e[j];
            first[j] = exact_sum::power(shift >> 1);
            second[j] = exact_sum::power(shift - (shift >> 1));
            sums[j] = 0 - static_cast<std::uint64_t>(count) * offset;
        }
        std::size_t row = 0;
        for (; row + 2 <= count; row += 2, x += 2 * columns)
            for (std::size_t j = 0; j < width; ++j)
                sums[j] += std::bit_cast<std::uint64_t>(x[j] * first[j] * second[j] + magic) +
                           std::bit_cast<std::uint64_t>(x[j + columns] * first[j] * second[j] + magic);
        for (; row < count; ++row, x += columns)
            for (std::size_t j = 0; j < width; ++j)
                sums[j] += std::bit_cast<std::uint64_t>(x[j] * first[j] * second[j] + magic);
        for (std::size_t j = 0; j < width; ++j)
            out[begin + j] = static_cast<std::int64_t>(sums[j] & ~exact_sum::mask(e[j]));
    }
}

/// sums: added over all ranks. out: the sums as doubles, each rounded once.
inline void restore(std::span<const std::int64_t> sums, std::span<const std::int32_t> exponents,
                    std::span<double> out) {
    constexpr auto nan = std::bit_cast<std::uint64_t>(std::numeric_limits<double>::quiet_NaN());
    for (std::size_t j = 0; j < out.size(); ++j) {
        const std::int32_t shift = exponents[j] - exact_sum::fraction;
        const double sum =
            exact_sum::to_double(sums[j]) * exact_sum::power(shift >> 1) * exact_sum::power(shift - (shift >> 1));
        // the sum of an entry that is not finite is 0; or'ed with these bits it is the NaN
        out[j] = std::bit_cast<double>(std::bit_cast<std::uint64_t>(sum) | (nan & exact_sum::mask(exponents[j])));
    }
}

/// The three steps at once, where all partials are here: count x out.size(), row-major, at most most_partials rows.
inline void sum_exactly(std::span<const double> partials, std::size_t count, std::span<double> out) {
    std::vector<std::int32_t> most(out.size());
    std::vector<std::int64_t> multiples(out.size());
    exponents(partials, count, most);
    quantize(partials, count, most, multiples);
    restore(multiples, most, out);
}

}  // namespace gamut::core
