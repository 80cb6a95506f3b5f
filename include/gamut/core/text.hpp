// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

namespace gamut::core {

/// The fewest digits that read back to the same value, independent of the locale: for what is read again, by people or machines.
template <std::floating_point Value> [[gnu::cold]] std::string all_digits(Value value) {
    char digits[64];
    return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

/// `significant` digits at most.
template <std::floating_point Value> [[gnu::cold]] std::string rounded(Value value, int significant) {
    char digits[64];
    return {digits, std::to_chars(digits, digits + sizeof digits, value, std::chars_format::general, significant).ptr};
}

namespace detail {

template <class Value> [[gnu::cold]] void append(std::string& text, const Value& value) {
    if constexpr (std::same_as<Value, char>) {
        text += value;
    } else if constexpr (std::same_as<Value, bool>) {
        text += value ? "true" : "false";
    } else if constexpr (std::integral<Value>) {
        char digits[32];
        text.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    } else if constexpr (std::floating_point<Value>) {
        // whole numbers are counts and labels: all their digits, while a double has them
        const bool whole =
            value == static_cast<Value>(static_cast<long long>(value < 9e15 && value > -9e15 ? value : 0));
        text += whole ? all_digits(value) : rounded(value, 6);
    } else {
        text += std::string_view(value);
    }
}

}  // namespace detail

/// Strings and numbers one after another, for people: text("rank ", 2, ": step ", 0.1). Numbers that are not whole get at
/// most 6 significant digits, independent of the locale.
template <class... Values> [[gnu::cold]] std::string text(const Values&... values) {
    std::string joined;
    (detail::append(joined, values), ...);
    return joined;
}

}  // namespace gamut::core
