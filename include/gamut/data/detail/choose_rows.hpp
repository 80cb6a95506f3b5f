// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <gamut/communicator/agree.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/concept.hpp>

namespace gamut::data::detail {

/// Collective: the rows of a source that a request keeps; at least one. `why_none`: what the source is if it has none.
template <communicator::Communicator C>
[[gnu::cold]] kept_rows choose_rows(const C& ranks, const request& wanted, std::size_t rows, const std::string& source,
                                    std::string_view why_none) {
    kept_rows kept;
    communicator::agree(ranks, [&] {
        if (rows == 0) throw core::data_error(core::text(source, ": no rows (", why_none, ") give it some"));
        kept = kept_rows(wanted.rows, rows);
        if (kept.count() == 0) {
            throw core::data_error(
                core::text(source, ": no rows are left (the selection keeps none of ", rows, ") select others"));
        }
    });
    return kept;
}

/// Collective: weights are numbers >= 0 already; here that some weight on some rank is not 0.
template <communicator::Communicator C, class T>
[[gnu::cold]] void require_weight(const C& ranks, const std::vector<T>& weights, const std::string& source) {
    std::int32_t some = 0;
    for (const T weight : weights) some |= weight > 0;
    ranks.all_reduce(std::span<std::int32_t>(&some, 1), communicator::operation::maximum);
    if (!some) {
        throw core::data_error(
            core::text(source, ": all sample weights are 0 (no row counts) weigh some rows above 0"));
    }
}

}  // namespace gamut::data::detail
