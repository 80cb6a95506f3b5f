// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>

#include <gamut/core/error.hpp>

/// How many of n numbers: a count, or a share if the count is 0.
namespace gamut::compressor::detail {

inline void check_share(std::string_view name, double share, std::size_t count) {
    if (count == 0 && !(share > 0 && share <= 1))
        throw core::option_error(
            core::text(name, ": share is ", share, " (it must be above 0 and at most 1) try 0.01, or a count"));
}

/// At least 1, if there are any.
inline std::size_t how_many(double share, std::size_t count, std::size_t n) {
    const std::size_t wanted =
        count > 0 ? count : static_cast<std::size_t>(std::llround(share * static_cast<double>(n)));
    return std::min(n, std::max<std::size_t>(1, wanted));
}

}  // namespace gamut::compressor::detail
