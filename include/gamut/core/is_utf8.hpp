// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace gamut::core {

/// Bytes of the UTF-8 character that `text` starts with: 1 to 4; 0 when it starts with none (RFC 3629: no surrogates,
/// nothing above U+10FFFF, no longer spelling than needed).
constexpr std::size_t utf8_character(std::string_view text) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0u) == 0x80u; };
    const unsigned first = byte(0);
    if (text.empty()) return 0;
    if (first < 0x80) return 1;
    if (first < 0xc2 || first > 0xf4 || !follows(1)) return 0;
    if (first < 0xe0) return 2;
    if (!follows(2)) return 0;
    if (first < 0xf0) return (first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) ? 0 : 3;
    if (!follows(3)) return 0;
    return (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f) ? 0 : 4;
}

/// Whether all of a text is UTF-8, of which ASCII is a part.
constexpr bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_character(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

/// Text for a message: control characters and bytes that are no UTF-8 become \\xHH; at most about `longest` bytes of it,
/// and "..." behind what is cut.
[[gnu::cold]] inline std::string visible(std::string_view text, std::size_t longest = std::string_view::npos) {
    constexpr char hexadecimal[] = "0123456789abcdef";
    std::string shown;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = utf8_character(text.substr(i));
        if (i + std::max<std::size_t>(length, 1) > longest) return shown + "...";
        const auto byte = static_cast<unsigned char>(text[i]);
        if (length > 1 || (length == 1 && byte >= 0x20 && byte != 0x7f)) {
            shown += text.substr(i, length);
            i += length;
        } else {
            ((shown += "\\x") += hexadecimal[byte >> 4]) += hexadecimal[byte & 15];
            ++i;
        }
    }
    return shown;
}

}  // namespace gamut::core
