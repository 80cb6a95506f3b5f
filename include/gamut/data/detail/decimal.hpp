// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <gamut/core/text.hpp>
#include <gamut/data/detail/number.hpp>

namespace gamut::data::detail {

/// A number as it is written, exactly: 0.digits times ten to the exponent; doubles would merge labels above 2^53.
struct decimal {
    bool negative = false;
    std::string digits = {};  // neither starts nor ends with 0; empty: 0
    std::int64_t exponent = 0;

    /// Nothing for text that is no finite number.
    [[gnu::cold]] static std::optional<decimal> of(std::string_view text) {
        double value;
        if (!is_number(text, value) || !std::isfinite(value)) return {};
        decimal number;
        number.negative = text[0] == '-';
        if (text[0] == '-' || text[0] == '+') text.remove_prefix(1);
        const std::size_t end = std::min(text.find_first_of("eE"), text.size());
        bool fraction = false;
        for (const char c : text.substr(0, end)) {
            if (c == '.') {
                fraction = true;
                continue;
            }
            if (!number.digits.empty() || c != '0') {
                number.digits += c;
                number.exponent += !fraction;
            } else if (fraction) {
                --number.exponent;
            }
        }
        number.digits.resize(number.digits.find_last_not_of('0') + 1);
        if (number.digits.empty()) return decimal();  // -0 is 0
        if (end < text.size()) {
            std::string_view written = text.substr(end + 1);
            if (written.starts_with('+')) written.remove_prefix(1);
            std::int64_t shift = 0;
            const auto [stop, problem] = std::from_chars(written.data(), written.data() + written.size(), shift);
            if (problem != std::errc() || shift < -1'000'000 || shift > 1'000'000) return {};  // text, for that matter
            number.exponent += shift;
        }
        return number;
    }

    /// As a double is written where one holds it, else its digits.
    [[gnu::cold]] std::string text() const {
        if (digits.empty()) return "0";
        const std::string plain = core::text(negative ? "-." : ".", digits, "e", exponent);
        double value;
        is_number(plain, value);
        const std::string shortest = core::all_digits(value);
        if (const auto back = of(shortest); back && *back == *this) return shortest;
        const auto length = static_cast<std::int64_t>(digits.size());
        std::string written = negative ? "-" : "";
        if (exponent >= length && exponent <= 40)
            return written + digits + std::string(static_cast<std::size_t>(exponent - length), '0');
        if (exponent > 0 && exponent < length)
            return written + digits.substr(0, static_cast<std::size_t>(exponent)) + "." +
                   digits.substr(static_cast<std::size_t>(exponent));
        return written + core::text("0.", digits, exponent == 0 ? "" : "e", exponent == 0 ? "" : core::text(exponent));
    }

    friend bool operator==(const decimal&, const decimal&) = default;
    friend bool operator<(const decimal& a, const decimal& b) {
        if (a.sign() != b.sign()) return a.sign() < b.sign();
        return a.sign() < 0 ? b.smaller_than(a) : a.smaller_than(b);
    }

private:
    int sign() const { return digits.empty() ? 0 : negative ? -1 : 1; }
    /// Without the signs; digits neither start with 0, so that they compare as text.
    [[gnu::cold]] bool smaller_than(const decimal& other) const {
        return exponent != other.exponent ? exponent < other.exponent : digits < other.digits;
    }
};

}  // namespace gamut::data::detail
