// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <gamut/backend/columns.hpp>
#include <gamut/data/dataset.hpp>
#include <gamut/data/standardize.hpp>

namespace gamut::data {

/// Some columns of rows that are loaded, as a dataset of their own: column k is columns[k] of `rows`; shards, labels, weights
/// and offsets stay as they are, so what is fitted to it has the same bits on any number of ranks. Local: no messages. Dense: reads what it
/// copies, which is nothing where all of a borrowed matrix is wanted; sparse: one pass over the entries. `columns` ascend strictly.
template <class Matrix>
[[gnu::cold]] dataset<Matrix> select_columns(const dataset<Matrix>& rows, std::span<const std::size_t> columns,
                                             int threads = 1) {
    dataset<Matrix> out;
    if (columns.size() == rows.x.columns)
        out.x = rows.x;
    else
        out.x = backend::columns_of(rows.x, columns, static_cast<std::size_t>(threads));
    out.y = rows.y;
    out.weights = rows.weights;
    out.offsets = rows.offsets;
    out.has_offsets = rows.has_offsets;
    out.partition = rows.partition;
    out.first_row = rows.first_row;
    if (columns.size() == rows.x.columns)
        out.features = rows.features;
    else
        for (const std::size_t j : columns) out.features.push_back(rows.features[j]);
    out.classes = rows.classes;
    out.label = rows.label;
    out.source = rows.source;
    return out;
}

/// The same columns' means and scales.
inline standardization select_columns(const standardization& all, std::span<const std::size_t> columns) {
    standardization out;
    for (const std::size_t j : columns) {
        if (std::binary_search(all.constant.begin(), all.constant.end(), j)) out.constant.push_back(out.scales.size());
        if (!all.means.empty()) out.means.push_back(all.means[j]);
        if (!all.scales.empty()) out.scales.push_back(all.scales[j]);
    }
    return out;
}

}  // namespace gamut::data
