// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <utility>

#include <gamut/data/concept.hpp>

namespace gamut::data {

/// Some of a source's rows, as a source. They are dealt to the ranks as evenly as the whole would be.
template <class Source> struct subset {
    using value_type = typename Source::value_type;
    using matrix_type = typename Source::matrix_type;

    Source source;
    selection rows = {};

    template <class C> dataset<matrix_type> load(const C& ranks, const request& wanted = {}) const {
        request inner = wanted;
        inner.rows = rows.then(wanted.rows);
        return source.load(ranks, inner);
    }
};

}  // namespace gamut::data
