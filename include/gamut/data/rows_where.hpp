// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <utility>

#include <gamut/data/subset.hpp>

namespace gamut::data {

/// The rows for which `keep(row)` holds, row being the number in the source, from 0. Every rank must decide alike.
template <DataSource Source, class Keep> subset<Source> rows_where(Source source, Keep keep) {
    return {std::move(source), selection{}.then([keep](std::size_t) { return keep; })};
}

}  // namespace gamut::data
