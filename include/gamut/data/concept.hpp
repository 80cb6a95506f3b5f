// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <vector>

#include <gamut/communicator/single.hpp>
#include <gamut/data/dataset.hpp>
#include <gamut/data/selection.hpp>

namespace gamut::data {

/// What a caller wants from a source.
struct request {
    bool classification = false;  // y becomes class indices; otherwise numbers
    bool labels = true;           // false: the source may lack labels, and y stays empty
    std::size_t blocks = 0;       // of the partition; 0: one per shard

    // Of a fitted model, when the data are to be predicted with it. Columns then come in this order (found by name where
    // the source has names), the label's likewise, and a label that is none of these classes is an error.
    std::vector<std::string> features = {}, classes = {};
    std::string label = {};

    selection rows =
        {};  // of the source; features and classes are still those of all its rows, so that parts fit together
};

/// Something that hands each rank its rows. `load` is collective: all ranks call it with equal arguments, and all get
/// their part or throw the same error. A source is a cheap description; reading happens in `load` only.
template <class S>
concept DataSource = requires(const S& source, const communicator::single<>& ranks, const request& wanted) {
    typename S::value_type;
    typename S::matrix_type;
    { source.load(ranks, wanted) } -> std::same_as<dataset<typename S::matrix_type>>;
};

}  // namespace gamut::data
