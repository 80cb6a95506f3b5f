// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>

#include <gamut/table/concept.hpp>

namespace gamut::table {

/// w = w + what the workers added
struct sum {
    static constexpr const char* name = "sum";
    static constexpr bool additive = true;

    void apply(std::span<double> values, std::span<const double> update, std::size_t) const {
        for (std::size_t j = 0; j < values.size(); ++j) values[j] += update[j];
    }
};

static_assert(SavedRow<sum>);

}  // namespace gamut::table
