// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <gamut/backend/matrix.hpp>
#include <gamut/communicator/agree.hpp>
#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/data/dataset.hpp>
#include <gamut/data/detail/choose_rows.hpp>
#include <gamut/data/detail/labels.hpp>
#include <gamut/data/detail/memory.hpp>
#include <gamut/data/detail/names.hpp>
#include <gamut/data/detail/problems.hpp>

namespace gamut::data::detail {

/// Throws option_error.
[[gnu::cold]] inline void check_scale(const char* who, double scale) {
    if (!std::isfinite(scale) || scale == 0)
        throw core::option_error(
            core::text(who, ": .scale = ", scale, " (it must be finite, and not 0) leave it at 1, or use 1. / 255"));
}

/// Collective: the rows of a source of `rows` items of `columns` numbers each that `wanted` keeps, those of this rank.
/// read(item, numbers) fills a row and returns its label. Labels are whole numbers.
template <class T, class C, class Read>
[[gnu::cold]] dataset<backend::dense_matrix<T>> picture_rows(const C& ranks, const request& wanted, std::size_t rows,
                                                             std::size_t columns, const std::string& source,
                                                             const memory_budget& memory, Read&& read) {
    const kept_rows kept = choose_rows(ranks, wanted, rows, source, "it says that it has none");
    dataset<backend::dense_matrix<T>> result;
    label_table labels(source, wanted.classes);
    problems wrong;
    communicator::agree(ranks, [&] {
        if (!wanted.features.empty() && wanted.features.size() != columns)
            throw core::data_error(core::text(source, ": ", columns, " numbers per item (the model has ",
                                              wanted.features.size(), " features) give it items of that size"));
        result.partition = data::partition(kept.count(), columns, wanted.blocks);
        const range mine =
            result.partition.rows_of(static_cast<std::size_t>(ranks.rank()), static_cast<std::size_t>(ranks.size()));
        memory.require(mine.size() * (columns + wanted.labels) * sizeof(T), source);
        result.x = backend::dense_matrix<T>(mine.size(), columns);
        result.first_row = mine.begin;
        std::size_t at = 0;
        const range covered = kept.cover(mine);
        for (std::size_t item = covered.begin; item < covered.end; ++item) {
            if (!kept(item)) continue;
            T* const row = result.x.row(at++);
            const double label = read(item, row);
            for (std::size_t j = 0; j < columns; ++j)
                if (!std::isfinite(row[j])) {
                    wrong.add(source, ": item ", item, ", number ", j, " is ", row[j],
                              " (finite numbers are needed) correct it, or drop the item");
                    break;
                }
            if (!wanted.labels) continue;
            if (!(std::abs(label) <= 1e9) || label != std::floor(label)) {
                wrong.add(source, ": item ", item, ": label ", label,
                          " (whole numbers are needed) correct it, or drop the item");
                result.y.push_back(0);
                continue;
            }
            if (!wanted.classification) {
                result.y.push_back(static_cast<T>(label));
                continue;
            }
            const std::string name = core::text(label);
            const std::size_t id = labels.id(name);
            if (id == label_table::unknown)
                wrong.add(source, ": item ", item, ": ", labels.refused_label(id, name));
            else
                result.y.push_back(static_cast<T>(id));
        }
    });
    wrong.report(ranks);
    result.classes = finish_labels(ranks, labels, wanted, kept.source_rows(), result.y);
    communicator::agree(ranks, [&] {
        memory.require_columns(columns, source);
        result.features = wanted.features.empty() ? generated_names(columns) : wanted.features;
        result.label = "label";
        result.source = source;
    });
    return result;
}

}  // namespace gamut::data::detail
