// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <gamut/core/names.hpp>
#include <gamut/data/shard.hpp>

namespace gamut::data {

/// What one rank holds after loading: its own rows, and what all ranks know about the whole.
template <class Matrix> struct dataset {
    using matrix_type = Matrix;
    using value_type = typename Matrix::value_type;

    Matrix x;                         // the local rows
    std::vector<value_type> y;        // per local row the number, or the class as an index into `classes`;
                                      // empty when the request did not ask for labels
    std::vector<value_type> weights;  // per local row, at least 0; empty: all 1
    std::vector<value_type> offsets;  // per local row, added to the prediction before the model's link; empty: all 0
    bool has_offsets = false;         // somewhere: a rank without rows has an empty list, too
    data::partition partition;        // of all rows, the same on every rank
    std::size_t first_row = 0;        // where the local rows start among all rows

    core::names features;              // one per column; x0, x1, ... when the source has none
    std::vector<std::string> classes;  // sorted: by value when all are numbers, otherwise as text; empty: regression
    std::string label, source;         // the label's name, and the file's

    std::size_t rows() const { return partition.rows; }
    std::size_t columns() const { return x.columns; }
    std::size_t local_rows() const { return x.rows; }
    value_type weight(std::size_t local_row) const { return weights.empty() ? value_type(1) : weights[local_row]; }
};

}  // namespace gamut::data
