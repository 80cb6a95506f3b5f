// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <gamut/data/select_columns.hpp>

namespace gamut::solver {

/// Some of a problem's columns with its intercepts, as a problem of its own that owns a copy of them: what methods compute with that
/// look at few columns at a time (borrowed ones are borrowed again where all are wanted). It must not outlive `whole`. Its weights are
/// the rows of W that `columns` names, which ascend strictly, and it begins at `from` (those rows, and the intercepts) unless that is
/// empty. Reads what it copies; sends nothing. P: whose columns; Part: the type of the part, with a penalty of its own.
template <class P, class Part> class some_columns {
public:
    using type = Part;

    template <class Penalty>
    some_columns(const P& whole, std::span<const std::size_t> columns, const Penalty& penalty, typename P::array from)
        : scratch_(&whole.rows_.scratch()),
          data_(data::select_columns(whole.dataset(), columns, whole.threads())),
          part_(whole.loss_model(), data_, penalty, whole.machine_, whole.communicator(), whole.has_intercept(),
                data::select_columns(whole.scaling(), columns), whole.total_weight()) {
        part_.start_ = std::move(from);
        part_.rows_.scratch().swap(*scratch_);
    }
    some_columns(const some_columns&) = delete;
    some_columns& operator=(const some_columns&) = delete;
    ~some_columns() {
        if (part_.rows_.scratch().size() > scratch_->size()) part_.rows_.scratch().swap(*scratch_);
    }

    const Part& operator*() const { return part_; }
    const Part* operator->() const { return &part_; }

private:
    std::vector<double>* scratch_;  // the whole's, which the part has meanwhile: used memory is quicker
    std::remove_cvref_t<decltype(std::declval<const P&>().dataset())> data_;
    Part part_;
};

}  // namespace gamut::solver
