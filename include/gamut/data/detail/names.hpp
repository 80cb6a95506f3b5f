// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gamut/core/text.hpp>
#include <gamut/data/detail/problems.hpp>

namespace gamut::data::detail {

/// x0, x1, ...
[[gnu::cold]] inline std::vector<std::string> generated_names(std::size_t count) {
    std::vector<std::string> names(count);
    for (std::size_t j = 0; j < count; ++j) names[j] = core::text('x', j);
    return names;
}

/// Letters to insert, delete or exchange to get from one text to the other, ignoring case.
[[gnu::cold]] inline std::size_t edit_distance(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t exchanged = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
            diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, exchanged}));
        }
    }
    return row[b.size()];
}

/// "did you mean 'age'?", or the names that there are.
[[gnu::cold]] inline std::string suggest(std::string_view wanted, const std::vector<std::string>& names) {
    constexpr std::size_t far = 3;
    const std::string* nearest = nullptr;
    std::size_t distance = std::min(far, wanted.size());
    for (const auto& name : names) {
        if (wanted.size() >= far && std::string_view(name).starts_with(wanted)) {  // its beginning is more than a slip
            nearest = &name;
            break;
        }
        if (name.size() > wanted.size() + far || wanted.size() > name.size() + far) continue;
        const std::size_t d = edit_distance(wanted, name);
        if (d < distance) nearest = &name, distance = d;
    }
    return nearest ? core::text("did you mean ", in_quotes(*nearest), "?")
                   : core::text("the columns are ", listed(names));
}

}  // namespace gamut::data::detail
