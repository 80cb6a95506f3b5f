// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

namespace gamut::core {

namespace detail {

template <class Value> [[gnu::cold]] void append(std::string& text, const Value& value) {
    if constexpr (std::same_as<Value, char>) {
        text += value;
    } else if constexpr (std::same_as<Value, bool>) {
        text += value ? "true" : "false";
    } else if constexpr (std::integral<Value> || std::floating_point<Value>) {
        char digits[64];
        const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
        text.append(digits, end);
    } else {
        text += std::string_view(value);
    }
}

}  // namespace detail

/// Strings and numbers one after another: text("rank ", 2, ": step ", 0.1). Numbers get the fewest digits that read
/// back to the same value, independent of the locale.
template <class... Values> [[gnu::cold]] std::string text(const Values&... values) {
    std::string joined;
    (detail::append(joined, values), ...);
    return joined;
}

}  // namespace gamut::core
