// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/backend/aligned_vector.hpp>
#include <gamut/backend/data_rows.hpp>
#include <gamut/backend/matrix.hpp>
#include <gamut/backend/row_access.hpp>
#include <gamut/data/dataset.hpp>
#include <gamut/data/standardize.hpp>

namespace gamut::data {

/// Some rows of a dataset, dense, one after another, their columns standardised: (x - mean) / scale. Rows that are already like that
/// are not copied. Room for `most` rows; nothing is allocated afterwards.
template <class Matrix> class gathered_rows {
public:
    using value_type = typename Matrix::value_type;

    gathered_rows(const dataset<Matrix>& rows, const standardization& scaling, std::size_t most)
        : rows_(&rows),
          columns_(rows.columns()),
          access_(rows.x) {
        for (const double m : scaling.means) means_.push_back(static_cast<value_type>(m));
        for (const double s : scaling.divisors()) inverses_.push_back(static_cast<value_type>(1 / s));
        x_.resize(most * columns_);
        y_.resize(most);
        omega_.resize(most);
        numbers_.resize(most);
    }

    /// Local rows chosen[0], chosen[1], ... Valid until the next call. y and omega are null where the dataset has none.
    backend::data_rows<value_type> operator()(const std::size_t* chosen, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) take(chosen[i], i);
        return {.x = x_.data(),
                .stride = columns_,
                .rows = count,
                .y = rows_->y.empty() ? nullptr : y_.data(),
                .omega = rows_->weights.empty() ? nullptr : omega_.data(),
                .numbers = numbers_.data()};
    }
    /// Local rows begin <= i < begin + count.
    backend::data_rows<value_type> operator()(std::size_t begin, std::size_t count) {
        constexpr bool dense = std::is_same_v<Matrix, backend::dense_matrix<value_type>>;
        for (std::size_t i = 0; i < count; ++i) {
            if (!dense || !inverses_.empty()) take(begin + i, i);
            numbers_[i] = rows_->first_row + begin + i;
        }
        backend::data_rows<value_type> found{.x = x_.data(),
                                             .stride = columns_,
                                             .rows = count,
                                             .y = rows_->y.empty() ? nullptr : rows_->y.data() + begin,
                                             .omega = rows_->weights.empty() ? nullptr : rows_->weights.data() + begin,
                                             .numbers = numbers_.data()};
        if constexpr (dense)
            if (inverses_.empty()) found.x = rows_->x.row(begin);
        return found;
    }

private:
    void take(std::size_t row, std::size_t place) {
        value_type* const to = x_.data() + place * columns_;
        if constexpr (std::is_same_v<Matrix, backend::dense_matrix<value_type>>)
            std::copy_n(rows_->x.row(row), columns_, to);
        else {
            std::fill_n(to, columns_, value_type(0));
            access_.visit(row, [&](std::size_t j, value_type v) { to[j] = v; });
        }
        if (!inverses_.empty())
            for (std::size_t j = 0; j < columns_; ++j) to[j] = (to[j] - means_[j]) * inverses_[j];
        if (!rows_->y.empty()) y_[place] = rows_->y[row];
        if (!rows_->weights.empty()) omega_[place] = rows_->weights[row];
        numbers_[place] = rows_->first_row + row;
    }

    const dataset<Matrix>* rows_;
    std::size_t columns_;
    backend::row_access<Matrix> access_;
    std::vector<value_type> means_, inverses_;
    backend::aligned_vector<value_type> x_, y_, omega_;
    std::vector<std::size_t> numbers_;
};

}  // namespace gamut::data
