// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

#include <gamut/core/text.hpp>
#include <gamut/data/detail/number.hpp>

namespace gamut::data::detail {

/// Digits in groups: one to three, then threes, each behind `between`: 1,234,567. How many groups there are behind the
/// first; 0 when the text is none such.
[[gnu::cold]] inline std::size_t groups_of_digits(std::string_view text, char between) {
    const auto digits = [&] {
        std::size_t count = 0;
        while (count < text.size() && text[count] >= '0' && text[count] <= '9') ++count;
        text.remove_prefix(count);
        return count;
    };
    const std::size_t first = digits();
    if (first == 0 || first > 3) return 0;
    std::size_t groups = 0;
    while (!text.empty()) {
        if (text[0] != between) return 0;
        text.remove_prefix(1);
        if (digits() != 3) return 0;
        ++groups;
    }
    return groups;
}

/// " is ... (why) suggestion", for text that is nearly a number, or one that T cannot hold; empty for other text.
template <std::floating_point T> [[gnu::cold]] std::string why_no_number(std::string_view text) {
    constexpr bool is_float = std::numeric_limits<T>::digits == 24;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    T value;
    if (is_number(text, value)) {
        if (std::isfinite(value)) return {};
        if (std::none_of(text.begin(), text.end(), is_digit))
            return " is not finite (nothing can be learned from it) drop the row, or put a number there";
        double wide;
        if (is_float && is_number(text, wide) && std::isfinite(wide))
            return " is too large (a float holds at most 3.40282e+38) read it as double, or scale the column";
        return core::text(" is too large (a ", is_float ? "float" : "double", " holds at most ",
                          is_float ? "3.40282e+38" : "1.79769e+308", ") correct it, or scale the column");
    }

    std::string_view plain = text;
    if (!plain.empty() && (plain[0] == '-' || plain[0] == '+')) plain.remove_prefix(1);
    const auto without = [&](char separator) {
        std::string joined(text);
        std::erase(joined, separator);
        return joined;
    };
    const auto thousands = [&](char between) {  // empty where other text follows the groups
        const std::string number = without(between);
        return is_number(number, value) ? core::text(" is not a number (separators of thousands?) write ", number) : "";
    };
    const std::size_t comma = plain.find(','), point = plain.find('.');
    if (comma != plain.npos) {
        const std::string_view whole = plain.substr(0, point);
        std::string with_point(text);
        std::replace(with_point.begin(), with_point.end(), ',', '.');
        const std::size_t groups = groups_of_digits(whole, ',');
        if (groups > 1 || (groups == 1 && point != plain.npos && point > comma)) return thousands(',');
        if (groups == 1 && plain[0] != '0')
            return core::text(" is not a number (a separator of thousands, or a decimal comma?) write ", without(','),
                              " or ", with_point);
        if (point != plain.npos && point < comma && groups_of_digits(plain.substr(0, comma), '.') > 0) {
            std::string number = without('.');
            std::replace(number.begin(), number.end(), ',', '.');
            if (is_number(number, value))
                return core::text(" is not a number (points between thousands and a decimal comma?) write ", number);
        }
        if (is_number(with_point, value)) return " is not a number (decimal comma?) write a decimal point";
    }
    for (const char between : {' ', '\'', '_'})
        if (groups_of_digits(plain.substr(0, point), between) > 0) return thousands(between);
    if (groups_of_digits(plain, '.') > 1) return thousands('.');
    if (plain.ends_with('%')) {
        const std::string_view number = text.substr(0, text.size() - 1);
        if (is_number(number, value))
            return core::text(" is not a number (a percentage) write ", number, " without the sign");
    }
    for (const std::string_view currency : {"$", "\xe2\x82\xac", "\xc2\xa3"})
        if (text.starts_with(currency) && is_number(text.substr(currency.size()), value))
            return core::text(" is not a number (a currency) write ", text.substr(currency.size()),
                              " without the sign");
    return {};
}

}  // namespace gamut::data::detail
