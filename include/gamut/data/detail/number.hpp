// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <system_error>

namespace gamut::data::detail {

inline constexpr double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                           1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/// The k with 0.1 <= value / 10^k < 1 for the unsigned decimal number that is spelled there, which isn't 0.
[[gnu::cold]] inline std::int64_t power_of_ten(const char* begin, const char* end) {
    std::int64_t power = 0, exponent = 0;
    bool fraction = false, significant = false;
    const char* p = begin;
    for (; p != end && *p != 'e' && *p != 'E'; ++p) {
        if (*p == '.') {
            fraction = true;
            continue;
        }
        significant = significant || *p != '0';
        if (significant && !fraction) ++power;
        if (!significant && fraction) --power;
    }
    if (p == end) return power;
    if (++p != end && *p == '+') ++p;
    const bool negative = p != end && *p == '-';
    if (std::from_chars(p, end, exponent).ec == std::errc::result_out_of_range)
        return negative ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t far = std::int64_t(1) << 62;  // more than any file has digits
    return power + std::clamp(exponent, -far, far);
}

/// Reads a decimal number, correctly rounded. Returns the byte after it, or `begin` when there is none. Beyond
/// std::from_chars: a leading +; too large gives infinity, too small gives 0; short numbers without an exponent take
/// Clinger's fast path (two exact floating-point numbers, one division).
template <std::floating_point T> const char* read_number(const char* begin, const char* end, T& value) {
    constexpr bool is_float = std::numeric_limits<T>::digits == 24;
    constexpr std::uint64_t exact_mantissa = is_float ? std::uint64_t(1) << 24 : std::uint64_t(1) << 53;
    constexpr std::ptrdiff_t exact_power = is_float ? 10 : 22;
    const auto is_digit = [](char c) { return static_cast<unsigned char>(c - '0') < 10; };

    const char* p = begin;
    bool negative = false;
    if (p != end && (*p == '-' || *p == '+')) negative = *p++ == '-';
    const char* const unsigned_begin = p;
    std::uint64_t mantissa = 0;
    while (p != end && is_digit(*p)) mantissa = mantissa * 10 + static_cast<std::uint64_t>(*p++ - '0');
    std::ptrdiff_t digits = p - unsigned_begin, scale = 0;
    if (p != end && *p == '.') {
        const char* const fraction = ++p;
        while (p != end && is_digit(*p)) mantissa = mantissa * 10 + static_cast<std::uint64_t>(*p++ - '0');
        scale = p - fraction;
        digits += scale;
    }
    const bool has_exponent = p != end && (*p == 'e' || *p == 'E');
    if (digits > 0 && digits <= 19 && mantissa <= exact_mantissa && scale <= exact_power && !has_exponent) {
        value = static_cast<T>(mantissa);
        if (scale > 0) value /= static_cast<T>(powers_of_ten[scale]);
        if (negative) value = -value;
        return p;
    }

    if (unsigned_begin == end || *unsigned_begin == '-' || *unsigned_begin == '+') return begin;
    const auto [stop, problem] = std::from_chars(unsigned_begin, end, value);
    if (problem == std::errc::invalid_argument) return begin;
    if (problem == std::errc::result_out_of_range) {
        // from_chars leaves the value alone and doesn't say at which end of the range the number lies
        value = power_of_ten(unsigned_begin, stop) < 0 ? T(0) : std::numeric_limits<T>::infinity();
    }
    if (negative) value = -value;
    return stop;
}

/// The whole text as a number.
template <std::floating_point T> bool is_number(std::string_view text, T& value) {
    const char* const end = text.data() + text.size();
    return !text.empty() && read_number(text.data(), end, value) == end;
}

}  // namespace gamut::data::detail
