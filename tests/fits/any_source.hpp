// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <memory>

#include "any_communicator.hpp"

#include <gamut/data/concept.hpp>

namespace fits {

/// Any source of rows of one kind of matrix.
template <class Matrix> class any_source {
    struct rows {
        virtual ~rows() = default;
        virtual gamut::data::dataset<Matrix> load(const any_communicator&, const gamut::data::request&) const = 0;
    };
    template <class Source> struct holder : rows {
        explicit holder(const Source& source) : inner(source) {}
        Source inner;
        gamut::data::dataset<Matrix> load(const any_communicator& ranks,
                                          const gamut::data::request& wanted) const override {
            return inner.load(ranks, wanted);
        }
    };

public:
    using matrix_type = Matrix;
    using value_type = typename Matrix::value_type;

    template <class Source>
    requires(!std::same_as<Source, any_source> && std::same_as<typename Source::matrix_type, Matrix>)
        any_source(const Source& source)
        : rows_(std::make_shared<holder<Source>>(source)) {}

    gamut::data::dataset<Matrix> load(const any_communicator& ranks, const gamut::data::request& wanted = {}) const {
        return rows_->load(ranks, wanted);
    }

private:
    std::shared_ptr<const rows> rows_;
};

}  // namespace fits
