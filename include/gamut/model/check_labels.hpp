// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cmath>
#include <cstddef>
#include <string>

#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>
#include <gamut/model/concept.hpp>

namespace gamut::model {

/// Throws data_error unless this rank's labels are such as the model takes: a classifier wants classes 0, 1, ..., k - 1, which is
/// what a source makes of labels when it is asked for them, two of them or more and no more than the model can tell apart; others
/// may name a least label. Local: ranks call it within communicator::agree. One pass over the labels.
template <class M, class Dataset> [[gnu::cold]] void check_labels(const Dataset& rows) {
    using T = typename Dataset::value_type;
    const auto fail = [&](const auto&... parts) {
        throw core::data_error(core::text(rows.source.empty() ? std::string("rows") : rows.source, ": ", parts...));
    };
    if constexpr (is_classification<M>) {
        const std::size_t classes = rows.classes.size();
        if (classes == 0)
            fail("the labels are numbers (this model is a classifier, and takes classes) load the rows with "
                 "data::request{.classification = true}, or fit an estimator");
        if (classes < 2)
            fail(classes, " class (a classifier needs two or more) look at the label column '", rows.label, "'");
        if constexpr (requires { M::most_classes; })
            if (classes > M::most_classes)
                fail(classes, " classes (this model tells ", M::most_classes, " apart) use model::softmax");
        for (std::size_t i = 0; i < rows.y.size(); ++i)
            if (!(rows.y[i] >= T(0) && rows.y[i] < static_cast<T>(classes) && rows.y[i] == std::floor(rows.y[i])))
                fail("label ", rows.y[i], " in row ", rows.first_row + i, " (a classifier takes classes 0 to ",
                     classes - 1, ") let data::arrays, csv or libsvm number them");
    }
    if constexpr (requires { M::least_label; })
        for (std::size_t i = 0; i < rows.y.size(); ++i)
            if (rows.y[i] < static_cast<T>(M::least_label))
                fail("label ", rows.y[i], " in row ", rows.first_row + i, " (this model takes labels of at least ",
                     M::least_label, ")");
}

}  // namespace gamut::model
